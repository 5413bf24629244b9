import random

import msgspec
import pytest

from models.measures import exact_quality
from models.sketch import BINS, Sketch, outcomes


def drawn(seed: int, count: int = 3_000) -> tuple[list[float], list[int]]:
    rng = random.Random(seed)
    risks = [rng.betavariate(2, 3) for _ in range(count)]
    return risks, [int(rng.random() < risk) for risk in risks]


def sketch(risks: list[float], labels: list[int]) -> Sketch:
    made = Sketch()
    made.update(outcomes(risks, labels))
    return made


@pytest.mark.parametrize("seed", range(3))
def test_a_sketch_is_as_exact_as_it_says(seed: int) -> None:
    rows = drawn(seed)
    rough, exact = sketch(*rows).quality(), exact_quality(*rows)
    assert exact.auc is not None
    assert rough.auc == pytest.approx(exact.auc, abs=rough.auc_error)
    assert rough.auc_error < 0.001
    assert rough.pr_auc == pytest.approx(exact.pr_auc, abs=0.005)
    assert rough.log_loss == pytest.approx(exact.log_loss, abs=1e-6)
    assert rough.brier == pytest.approx(exact.brier, abs=1e-6)
    assert rough.ece == pytest.approx(exact.ece, abs=1e-6)
    assert rough.precision_10 == pytest.approx(exact.precision_10, abs=0.01)
    assert (rough.examples, rough.base_rate) == (exact.examples, exact.base_rate)


def test_merging_and_removing_are_exact() -> None:
    risks, labels = drawn(7, 400)
    first, second = sketch(risks[:150], labels[:150]), sketch(risks[150:], labels[150:])
    alone = msgspec.msgpack.encode(first)
    first.merge(second)
    assert first == sketch(risks, labels)
    first.remove(second)
    assert msgspec.msgpack.encode(first) == alone


@pytest.mark.parametrize("risk", [0.0, 1.0, 0.3, 0.1 + 0.2])
def test_every_risk_has_a_bin(risk: float) -> None:
    one = sketch([risk], [1])
    assert one.examples == 1
    assert one.quality().log_loss is not None


def test_the_reliability_curve_says_what_was_said_and_what_came() -> None:
    curve = sketch([0.12, 0.18, 0.95, 1.0], [0, 1, 1, 1]).reliability()
    assert [(point.place, point.examples) for point in curve] == [(1, 2), (9, 2)]
    assert [point.said for point in curve] == pytest.approx([0.15, 0.975])
    assert [point.came for point in curve] == [0.5, 1.0]


def test_a_damaged_sketch_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match=f"{BINS} bins"):
        msgspec.msgpack.decode(msgspec.msgpack.encode([[0], [0], 0, 0, [0]]), type=Sketch)
