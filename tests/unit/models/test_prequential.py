import random

import msgspec
import pytest

from models.labels import Example
from models.measures import exact_quality
from models.prequential import BINS, COHORTS_MAX, SEGMENTS_MAX, Prequential, Sketch, outcome
from streams.time import DAY_MS


def said(risk: float, label: int, *, taken_day: int = 0, version: int = 1, segment: str = "loyal") -> Example:
    return Example("c", taken_day * DAY_MS, (taken_day + 60) * DAY_MS, label, risk, version, segment, b"")


def drawn(seed: int, count: int = 3_000) -> list[tuple[float, int]]:
    rng = random.Random(seed)
    risks = [rng.betavariate(2, 3) for _ in range(count)]
    return [(risk, int(rng.random() < risk)) for risk in risks]


@pytest.mark.parametrize("seed", range(3))
def test_a_sketch_is_as_exact_as_it_says(seed: int) -> None:
    sketch, rows = Sketch(), drawn(seed)
    for risk, label in rows:
        sketch.update(outcome(risk, label))
    rough, exact = sketch.quality(), exact_quality(*zip(*rows, strict=True))
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
    first, second, both = Sketch(), Sketch(), Sketch()
    for place, (risk, label) in enumerate(drawn(7, 400)):
        (first if place % 3 else second).update(outcome(risk, label))
        both.update(outcome(risk, label))
    alone = msgspec.msgpack.encode(first)
    first.merge(second)
    assert first == both
    first.remove(second)
    assert msgspec.msgpack.encode(first) == alone


@pytest.mark.parametrize("risk", [0.0, 1.0, 0.3, 0.1 + 0.2])
def test_every_risk_has_a_bin(risk: float) -> None:
    sketch = Sketch()
    sketch.update(outcome(risk, 1))
    assert sum(sketch.churned) == 1
    assert sketch.quality().log_loss is not None


def test_a_damaged_sketch_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match=f"{BINS} bins"):
        msgspec.msgpack.decode(msgspec.msgpack.encode([[0], [0], 0, 0, [0]]), type=Sketch)


def test_the_rule_is_measured_apart_from_the_model() -> None:
    quality = Prequential()
    for risk, label in drawn(1, 100):
        quality.update(said(risk, label, version=0))
    assert quality.summary()["examples"] == 0.0
    assert quality.summary()["rule_examples"] == 100.0
    assert 0.5 < quality.summary()["rule_auc"] < 1.0


def test_the_rolling_figures_are_those_of_the_newest_cohorts() -> None:
    quality = Prequential()
    rows = [(week, *row) for week in range(COHORTS_MAX + 5) for row in drawn(week, 40)]
    for week, risk, label in rows:
        quality.update(said(risk, label, taken_day=7 * week))
    alone = Sketch()
    for week, risk, label in rows:
        if week >= 5:
            alone.update(outcome(risk, label))
    assert quality.recent == alone
    figures = quality.summary()
    assert (figures["examples"], figures["recent_examples"]) == (40.0 * (COHORTS_MAX + 5), 40.0 * COHORTS_MAX)


def test_the_weekly_auc_is_the_mean_over_all_cohorts() -> None:
    quality = Prequential()
    aucs = []
    for week in range(COHORTS_MAX + 5):
        rows = drawn(week, 40)
        aucs.append(exact_quality(*zip(*rows, strict=True)).auc or 0.0)
        for risk, label in rows:
            quality.update(said(risk, label, taken_day=7 * week))
    figures = quality.summary()
    assert figures["weekly_auc"] == pytest.approx(sum(aucs) / len(aucs), abs=0.002)
    assert figures["recent_weekly_auc"] == pytest.approx(sum(aucs[5:]) / COHORTS_MAX, abs=0.002)


def test_a_cohort_older_than_the_window_counts_in_the_whole_only() -> None:
    quality = Prequential()
    for week in range(1, COHORTS_MAX + 2):
        quality.update(said(0.5, 1, taken_day=7 * week))
    quality.update(said(0.9, 1, taken_day=0))
    assert quality.summary()["examples"] == COHORTS_MAX + 2
    assert quality.summary()["recent_examples"] == COHORTS_MAX


def test_it_stays_small_whatever_comes() -> None:
    quality, rng = Prequential(), random.Random(3)
    for number in range(4_000):
        quality.update(said(rng.random(), rng.randrange(2), taken_day=number, segment=f"s{number % 50}"))
    assert len(quality.segments) == SEGMENTS_MAX
    assert len(quality.cohorts) == COHORTS_MAX
    assert len(msgspec.msgpack.encode(quality)) < 100_000


def test_it_survives_the_store() -> None:
    quality = Prequential()
    for week in range(20):
        for risk, label in drawn(week, 10):
            quality.update(said(risk, label, taken_day=7 * week))
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(quality), type=Prequential)
    assert again == quality
    assert again.summary() == quality.summary()
