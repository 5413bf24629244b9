import math
import random
from collections.abc import Sequence
from typing import Any

import pytest
from river.linear_model import BayesianLinearRegression, LogisticRegression
from river.optim import AdaGrad
from river.preprocessing import StandardScaler

from models.guide import Scale
from models.pipeline import ChurnModel
from models.scorer import transform
from tests.unit.models.samples import NAMES, SCALES, vector


def taught(seed: int, examples: int = 400) -> ChurnModel:
    rng = random.Random(seed)
    model = ChurnModel(NAMES, SCALES)
    for _ in range(examples):
        features = vector(rng)
        model.learn(features, int(features[0] > 40))
    return model


def test_it_learns_what_there_is_to_learn() -> None:
    model = taught(1)
    assert model.predict([200.0, 0.0, 1.0]) > 0.8
    assert model.predict([1.0, 3.0, 1.0]) < 0.2


def test_before_anything_was_learnt_it_leans_to_neither_extreme() -> None:
    assert 0.0 < ChurnModel(NAMES, SCALES).predict([1.0, 2.0, 3.0]) < 1.0


def test_the_same_examples_give_the_same_model() -> None:
    probe = [33.0, 2.0, 0.5]
    assert taught(2).predict(probe) == taught(2).predict(probe)
    assert taught(2).folded() == taught(2).folded()


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf, 1e300, -1e300, 3.4e38])
def test_no_input_can_poison_it(odd: float) -> None:
    model = taught(3)
    probes = [(float(days), 1.0, 1.0) for days in range(0, 200, 5)]
    before = [model.predict(probe) for probe in probes]
    model.learn([odd, odd, odd], 1)
    after = [model.predict(probe) for probe in probes]
    assert all(map(math.isfinite, after))
    assert max(abs(a - b) for a, b in zip(before, after, strict=True)) < 0.35
    for features in [(5.0, 3.0, 1.0), (90.0, 0.0, 1.0)] * 100:
        model.learn(features, int(features[0] > 40))
    assert model.predict([90.0, 0.0, 1.0]) > 0.7
    assert model.predict([5.0, 3.0, 1.0]) < 0.3


def test_a_feature_that_never_varies_has_no_say() -> None:
    model = ChurnModel(NAMES, SCALES)
    for days in range(50):
        model.learn([float(days), 7.0, 0.1], int(days > 25))
    assert model.predict([10.0, 7.0, 0.1]) == model.predict([10.0, 500.0, -3.0])


def test_inputs_are_not_changed() -> None:
    features = [1.0, math.nan, 1e300]
    model = taught(4, 10)
    model.learn(features, 1)
    model.predict(features)
    assert (features[0], features[2]) == (1.0, 1e300)
    assert math.isnan(features[1])


@pytest.mark.parametrize(
    ("names", "scales"), [(("a", "a"), ("log", "log")), (("a",), ("log", "log")), (("", "a"), ("log", "log"))]
)
def test_features_need_names_of_their_own(names: tuple[str, ...], scales: tuple[Scale, ...]) -> None:
    with pytest.raises(ValueError, match="name of its own"):
        ChurnModel(names, scales)


def test_a_vector_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="3"):
        ChurnModel(NAMES, SCALES).learn([1.0], 1)


def plain_river(examples: Sequence[tuple[tuple[float, ...], int]]) -> tuple[StandardScaler, LogisticRegression, Any]:
    """The same parts, every feature in every example."""
    scaler, logistic = StandardScaler(), LogisticRegression(AdaGrad(0.03))
    regression: Any = BayesianLinearRegression()
    for features, label in examples:
        columns = zip(NAMES, features, SCALES, strict=True)
        x = {name: transform(value, is_log=scale == "log") for name, value, scale in columns}
        scaler.learn_one(x)
        z = scaler.transform_one(x)
        logistic.learn_one(z, bool(label))
        regression.learn_one(z | {"constant": 1.0}, label)
    return scaler, logistic, regression


def test_letting_features_sleep_changes_no_result() -> None:
    rng = random.Random(6)
    examples = []
    for number in range(300):
        days, orders, trend = vector(rng)
        features = (days if number > 5 else 3.0, orders if number > 120 else 2.0, trend if number > 200 else -1.5)
        examples.append((features, int(days > 40)))
    model = ChurnModel(NAMES, SCALES)
    for features, label in examples:
        model.learn(features, label)
    scaler, logistic, regression = plain_river(examples)
    assert model.awake == [0, 1, 2]
    assert dict(model.scaler.means) == dict(scaler.means)
    assert dict(model.scaler.vars) == dict(scaler.vars)
    assert dict(model.scaler.counts) == dict(scaler.counts)
    assert model.logistic.intercept == logistic.intercept
    assert model.logistic.weights == logistic.weights
    for name in NAMES:
        probe = {name: 1.0, "": 1.0, "constant": 1.0}
        assert model.regression.predict_one(probe) == pytest.approx(regression.predict_one(probe), abs=1e-9)


def test_a_sleeping_feature_is_at_its_mean() -> None:
    model = ChurnModel(NAMES, SCALES)
    for days in range(50):
        model.learn([float(days), 7.0, 0.1], int(days > 25))
    means, logistic, bayes = model.folded()
    assert model.awake == [0]
    assert means[1:] == (math.log1p(7.0), 0.1)
    assert (logistic.slopes[1:], bayes.slopes[1:]) == ((0.0, 0.0), (0.0, 0.0))
