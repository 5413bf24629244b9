import random

import msgspec
import numpy as np
import pytest

from models.block import Block, block
from models.labels import pack_vector
from models.measures import exact_quality
from models.prequential import COHORTS_MAX, OPEN_MAX, SEGMENTS_MAX, Prequential, Tally
from models.rule import RuleInputs
from streams.time import DAY_MS

HORIZON_DAYS = 60
RULE = RuleInputs(0, 1, 2)
Said = tuple[float, int, int, int, str]
"""Risk, label, day taken, version, segment."""


def said(*rows: Said, silence_days: float = 30.0) -> Block:
    return block(
        [
            (0, day * DAY_MS, f"{place}", label, risk, version, segment, pack_vector([silence_days, 10.0, 5.0]))
            for place, (risk, label, day, version, segment) in enumerate(rows)
        ]
    )


def drawn(seed: int, count: int = 3_000, *, day: int = 0, segment: str = "loyal") -> list[Said]:
    rng = random.Random(seed)
    risks = [rng.betavariate(2, 3) for _ in range(count)]
    return [(risk, int(rng.random() < risk), day, 1, segment) for risk in risks]


def told(rows: Block, *, at: float = 0.5, quality: Prequential | None = None) -> Prequential:
    quality = quality or Prequential()
    quality.update(rows, np.full(rows.labels.size, at), RULE)
    return quality


def test_what_the_rule_said_itself_is_counted_apart() -> None:
    quality = told(said((0.9, 1, 0, 0, "new"), (0.2, 0, 0, 0, "new"), (0.7, 1, 0, 3, "new")))
    figures = quality.summary(HORIZON_DAYS)
    assert (figures["rule_examples"], figures["examples"]) == (2.0, 1.0)


def test_the_rule_is_asked_about_the_very_examples_that_the_model_spoke_on() -> None:
    rows = [(0.5, int(days > 40), 0, 1, "loyal") for days in range(10, 70)]
    quality = Prequential()
    for place, row in enumerate(rows):
        told(said(row, silence_days=10.0 + place), quality=quality)
    figures = quality.summary(HORIZON_DAYS)
    assert figures["auc"] == 0.5
    assert figures["rule_auc"] == 1.0
    assert figures["rule_precision_10"] == 1.0


def test_without_the_rules_inputs_its_figures_are_left_out() -> None:
    quality = Prequential()
    rows = said(*drawn(1, 200))
    quality.update(rows, np.full(rows.labels.size, np.nan), None)
    assert not any(name.startswith(("rule_", "alarm_", "lead_")) for name in quality.summary(HORIZON_DAYS))


def test_warnings_are_judged_by_the_threshold_in_force() -> None:
    quality = told(said((0.9, 1, 0, 1, "new"), (0.6, 0, 0, 1, "new"), (0.5, 1, 0, 1, "new"), (0.1, 1, 0, 1, "new")))
    figures = quality.summary(HORIZON_DAYS)
    assert figures["alarm_share"] == 0.75
    assert figures["alarm_precision"] == figures["alarm_recall"] == pytest.approx(2 / 3)


def test_an_example_whose_threshold_is_not_known_is_no_warning_and_no_miss() -> None:
    quality = told(said((0.9, 1, 0, 1, "new")), at=np.nan)
    assert "alarm_share" not in quality.summary(HORIZON_DAYS)


def test_an_open_cohort_does_not_reach_the_rolling_figures() -> None:
    quality = told(said((0.9, 1, 7, 1, "new"), (0.9, 1, 7, 1, "new")))
    assert "recent_examples" not in quality.summary(HORIZON_DAYS)
    told(said(*drawn(1, 50, day=7)), quality=quality)
    assert list(quality.close(7 * DAY_MS)) == [7 * DAY_MS]
    assert quality.close(7 * DAY_MS) == {}
    assert quality.summary(HORIZON_DAYS)["recent_examples"] == 52.0


def test_the_rolling_figures_are_those_of_the_newest_closed_cohorts() -> None:
    quality, alone = Prequential(), Tally()
    for week in range(COHORTS_MAX + 5):
        rows = said(*drawn(week, 40, day=7 * week))
        told(rows, quality=quality)
        if week >= 5:
            alone.merge(told(rows).whole)
        quality.close(7 * week * DAY_MS)
    assert quality.recent() == alone
    figures = quality.summary(HORIZON_DAYS)
    assert (figures["examples"], figures["recent_examples"]) == (40.0 * (COHORTS_MAX + 5), 40.0 * COHORTS_MAX)
    assert sum(point.examples for point in quality.recent().model.reliability()) == 40 * COHORTS_MAX


def test_the_weekly_auc_is_the_mean_over_all_closed_cohorts() -> None:
    quality, aucs = Prequential(), []
    for week in range(COHORTS_MAX + 5):
        rows = drawn(week, 40, day=7 * week)
        aucs.append(exact_quality([row[0] for row in rows], [row[1] for row in rows]).auc or 0.0)
        told(said(*rows), quality=quality)
        quality.close(7 * week * DAY_MS)
    figures = quality.summary(HORIZON_DAYS)
    assert figures["weekly_auc"] == pytest.approx(sum(aucs) / len(aucs), abs=0.002)
    assert figures["recent_weekly_auc"] == pytest.approx(sum(aucs[5:]) / COHORTS_MAX, abs=0.002)
    assert figures["rule_weekly_auc"] == pytest.approx(0.5)


def test_a_late_example_of_a_forgotten_cohort_counts_in_the_whole_only() -> None:
    quality = Prequential()
    for week in range(1, COHORTS_MAX + 2):
        told(said((0.5, 1, 7 * week, 1, "new")), quality=quality)
        quality.close(7 * week * DAY_MS)
    told(said((0.9, 1, 0, 1, "new")), quality=quality)
    assert quality.summary(HORIZON_DAYS)["examples"] == COHORTS_MAX + 2
    assert quality.summary(HORIZON_DAYS)["recent_examples"] == COHORTS_MAX


def test_segments_are_judged_apart() -> None:
    quality = told(said(*drawn(1, 300, segment="loyal"), *drawn(2, 200, segment="new")))
    figures = quality.by_segment(HORIZON_DAYS)
    assert list(figures) == ["loyal", "new"]
    assert [figures[name]["examples"] for name in figures] == [300.0, 200.0]
    exact = exact_quality(*zip(*[row[:2] for row in drawn(2, 200)], strict=True))
    assert figures["new"]["auc"] == pytest.approx(exact.auc, abs=figures["new"]["auc_error"])


def test_how_examples_are_cut_into_blocks_changes_nothing() -> None:
    rows = [row for week in range(3) for row in drawn(week, 60, day=7 * week)]
    random.Random(0).shuffle(rows)
    whole, parts = told(said(*rows)), Prequential()
    for first in range(0, len(rows), 7):
        told(said(*rows[first : first + 7]), quality=parts)
    assert parts == whole


def test_it_stays_small_whatever_comes() -> None:
    quality, rng = Prequential(), random.Random(3)
    for number in range(800):
        told(said((rng.random(), rng.randrange(2), number, 1, f"s{number % 50}")), quality=quality)
        if number == 400:
            quality.close(300 * DAY_MS)
    assert len(quality.segments) == SEGMENTS_MAX
    assert len(quality.cohorts) <= COHORTS_MAX + OPEN_MAX
    assert len(msgspec.msgpack.encode(quality)) < 500_000


def test_it_survives_the_store() -> None:
    quality = Prequential()
    for week in range(20):
        told(said(*drawn(week, 10, day=7 * week)), quality=quality)
        quality.close(7 * week * DAY_MS)
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(quality), type=Prequential)
    assert again == quality
    assert again.summary(HORIZON_DAYS) == quality.summary(HORIZON_DAYS)
