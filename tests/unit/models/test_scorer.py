import math

import msgspec
import pytest

from models.guide import Linear, initial_guide
from models.labels import INPUT_MAX
from models.logits import PROBABILITY_MIN, clipped_logit, sigmoid, transform
from models.scorer import Scorer
from tests.unit.models.samples import NAMES, SCALES, guide


def by_hand(vector: tuple[float, float, float]) -> float:
    """The four steps of the module's docstring, written out for the guide of the samples."""
    a, b, c = math.log1p(vector[0]) - 1.0, math.log1p(vector[1]) - 2.0, vector[2] - 0.5
    logit = 0.25 + a - 0.5 * b
    p = min(max(0.5 + 0.1 * a - 0.05 * b + 0.2 * c, 0.01), 0.99)
    return 1 / (1 + math.exp(-(logit + math.log(p / (1 - p))) / 2))


@pytest.mark.parametrize("vector", [(0.0, 0.0, 0.0), (30.0, 2.0, 1.5), (400.0, 0.0, 9.0), (0.0, 50.0, -9.0)])
def test_a_risk_is_what_it_is_by_hand(vector: tuple[float, float, float]) -> None:
    assert Scorer(guide()).risk(vector) == pytest.approx(by_hand(vector), abs=1e-12)


def test_the_initial_guide_knows_nothing() -> None:
    scorer = Scorer(initial_guide(NAMES, SCALES))
    assert scorer.risk([9.0, 9.0, 9.0]) == 0.5
    assert scorer.contributions([9.0, 9.0, 9.0]) == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf, 1e300, -1e300])
def test_what_is_not_finite_is_clipped(odd: float) -> None:
    scorer = Scorer(guide())
    clipped = 0.0 if math.isnan(odd) else math.copysign(INPUT_MAX, odd)
    assert scorer.risk([odd, 1.0, 1.0]) == scorer.risk([clipped, 1.0, 1.0])
    assert 0.0 <= scorer.risk([odd, odd, odd]) <= 1.0
    assert all(map(math.isfinite, scorer.contributions([odd, odd, odd])))


@pytest.mark.parametrize("vector", [[], [1.0, 2.0], [1.0, 2.0, 3.0, 4.0]])
def test_a_vector_of_another_length_is_refused(vector: list[float]) -> None:
    with pytest.raises(ValueError, match="but the guide has 3"):
        Scorer(guide()).risk(vector)


def test_contributions_are_relative_to_the_average_customer() -> None:
    average = [math.expm1(1.0), math.expm1(2.0), 0.5]
    assert Scorer(guide()).contributions(average) == pytest.approx([0.0, 0.0, 0.0], abs=1e-12)


@pytest.mark.parametrize("vector", [(0.0, 0.0, 0.0), (30.0, 2.0, 1.5), (400.0, 0.0, 99.0), (0.0, 50.0, -99.0)])
def test_contributions_and_bias_sum_to_the_logit(vector: tuple[float, float, float]) -> None:
    scorer = Scorer(guide())
    assert scorer.bias + sum(scorer.contributions(vector)) == pytest.approx(scorer.logit(vector), abs=1e-9)


@pytest.mark.parametrize("at_mean", [-0.5, 0.0, 0.3, 1.0, 1.7])
def test_contributions_sum_also_where_the_average_itself_is_clipped(at_mean: float) -> None:
    scorer = Scorer(msgspec.structs.replace(guide(), within=Linear(at_mean, (0.1, -0.05, 0.2))))
    for vector in [(9.0, 3.0, 1.0), (math.expm1(1.0), math.expm1(2.0), 0.5)]:
        assert scorer.bias + sum(scorer.contributions(vector)) == pytest.approx(scorer.logit(vector), abs=1e-9)


def test_more_silence_contributes_more() -> None:
    scorer = Scorer(guide())
    assert scorer.contributions([60.0, 1.0, 1.0])[0] > scorer.contributions([6.0, 1.0, 1.0])[0]


def test_sigmoid_and_logit_hold_at_the_ends() -> None:
    assert (sigmoid(-1e4), sigmoid(0.0), sigmoid(1e4)) == (0.0, 0.5, 1.0)
    assert sigmoid(clipped_logit(0.3)) == pytest.approx(0.3)
    assert sigmoid(clipped_logit(-5.0)) == pytest.approx(PROBABILITY_MIN)
    assert sigmoid(clipped_logit(5.0)) == pytest.approx(1 - PROBABILITY_MIN)


def test_the_transform_keeps_the_sign() -> None:
    assert transform(-3.0, is_log=True) == -transform(3.0, is_log=True) == -math.log(4.0)
    assert transform(-3.0, is_log=False) == -3.0
