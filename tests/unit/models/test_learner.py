import math
import random
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from models.guide import Guide
from models.labels import Example, ExampleBatch, pack_vector
from models.learner import Learner
from models.learner_state import LEARNER_SCHEMA
from models.scorer import Scorer
from streams.errors import Corrupt, NewerSchema, StateError
from streams.time import DAY_MS
from tests.unit.models.samples import NAMES, SCALES, DayCounts, example, world

WEEK_MS = 7 * DAY_MS


def learner(grid_ms: int | None = DAY_MS, **settings: Any) -> Learner:
    return Learner(NAMES, SCALES, grid_ms=grid_ms, **({"min_labels": 10} | settings))


def matured(day: float, label: int = 1, customer: str = "c", **fields: Any) -> Example:
    taken_ms = int((day - 60) * DAY_MS)
    plain = Example(customer, taken_ms, int(day * DAY_MS), label, 0.5, 1, "loyal", pack_vector([30.0, 1.0, 1.0]))
    return msgspec.structs.replace(plain, **fields)


def batch(source: int, seq: int, mark_day: float, *examples: Example, partitions: int = 2, **more: Any) -> ExampleBatch:
    return ExampleBatch(source, partitions, seq, int(mark_day * DAY_MS), examples=list(examples), **more)


def days(guides: list[Guide]) -> list[float]:
    return [guide.learnt_until_ms / DAY_MS for guide in guides]


def test_nothing_is_learnt_before_all_sources_have_spoken() -> None:
    one = learner()
    one.absorb(batch(0, 1, 99, matured(70)))
    assert one.advance() == []
    assert one.learnt_until_ms is None
    one.absorb(batch(1, 1, 80))
    assert days(one.advance()) == [70.0]
    assert one.learnt_until_ms == 80 * DAY_MS


def test_only_what_matured_by_every_mark_is_learnt() -> None:
    one = learner()
    one.absorb(batch(0, 1, 99, matured(70), matured(75)))
    one.absorb(batch(1, 1, 74))
    assert days(one.advance()) == [70.0]
    assert (one.counters.examples, one.waiting) == (1, 1)
    one.absorb(batch(1, 2, 76))
    assert days(one.advance()) == [75.0]


def test_an_idle_source_holds_nobody_back() -> None:
    one = learner()
    one.absorb(batch(0, 1, 99, matured(70)))
    one.absorb(batch(1, 1, 0, idle=True))
    assert days(one.advance()) == [70.0]
    assert one.frontier_ms() == 99 * DAY_MS


def test_where_all_are_idle_the_furthest_mark_counts() -> None:
    one = learner()
    one.absorb(batch(0, 1, 99, matured(70), idle=True))
    one.absorb(batch(1, 1, 50, idle=True))
    assert one.frontier_ms() == 99 * DAY_MS


def test_a_mark_never_falls() -> None:
    one = learner()
    one.absorb(batch(0, 1, 99))
    one.absorb(batch(0, 2, 50))
    one.absorb(batch(1, 1, 98))
    assert one.frontier_ms() == 98 * DAY_MS


def test_in_replay_a_guide_is_cut_at_the_first_boundary_at_or_after_what_it_has_learnt() -> None:
    one = learner(grid_ms=WEEK_MS)
    one.absorb(batch(0, 1, 99, matured(70), matured(70.5), matured(77), partitions=1))
    assert days(one.advance()) == [70.0, 77.0]
    assert one.learnt_until_ms == 98 * DAY_MS


def test_a_fine_grid_is_not_walked_step_by_step() -> None:
    one = learner(grid_ms=1_000)
    one.absorb(batch(0, 1, 400, matured(70), matured(300.00001), partitions=1))
    assert days(one.advance()) == [70.0, pytest.approx(300.00001, abs=2e-5)]


def test_live_a_guide_is_cut_at_the_frontier() -> None:
    one = learner(grid_ms=None)
    one.absorb(batch(0, 1, 99.25, matured(70), matured(80), partitions=1))
    assert days(one.advance()) == [99.25]
    one.absorb(batch(0, 2, 99.5, partitions=1))
    assert one.advance() == []
    assert one.learnt_until_ms == int(99.5 * DAY_MS)


def test_a_repeated_batch_changes_nothing() -> None:
    one = learner()
    said = [batch(0, 1, 99, matured(70), partitions=1), batch(0, 2, 100, matured(71), partitions=1)]
    for each in said:
        one.absorb(each)
    one.advance()
    before = one.to_bytes()
    for each in said:
        one.absorb(each)
        assert one.advance() == []
    assert one.counters.duplicates == 2
    one.counters.duplicates = 0
    assert one.to_bytes() == before


def test_batches_that_never_came_are_counted() -> None:
    one = learner()
    one.absorb(batch(0, 5, 10, partitions=1))
    one.absorb(batch(0, 8, 11, partitions=1))
    assert one.counters.gaps == 2


def test_examples_are_learnt_in_the_order_of_their_maturity() -> None:
    forwards, backwards = learner(), learner()
    examples = [example(random.Random(number), number, "c") for number in range(20)]
    forwards.absorb(batch(0, 1, 99, *examples, partitions=1))
    backwards.absorb(batch(0, 1, 99, *reversed(examples), partitions=1))
    assert forwards.advance() == backwards.advance()
    assert forwards.to_bytes() == backwards.to_bytes()


def test_a_late_example_is_learnt_at_the_next_boundary_and_counted() -> None:
    one = learner()
    one.absorb(batch(0, 1, 80, matured(70), partitions=1))
    one.advance()
    one.absorb(batch(0, 2, 81, matured(60), partitions=1))
    assert days(one.advance()) == [81.0]
    assert (one.counters.late, one.counters.examples) == (1, 2)


def test_the_waiting_are_bounded_and_the_oldest_go_first() -> None:
    one = learner(waiting_max=3)
    one.absorb(batch(0, 1, 99, *(matured(70 + number) for number in range(10))))
    assert (one.waiting, one.counters.early, one.counters.examples) == (3, 7, 7)
    one.absorb(batch(1, 1, 99))
    one.advance()
    assert (one.waiting, one.counters.examples) == (0, 10)


@pytest.mark.parametrize(
    "fields",
    [
        {"vector": b""},
        {"vector": b"123"},
        {"label": 2},
        {"risk": math.nan},
        {"risk": 1.5},
        {"taken_ms": -1},
        {"taken_ms": 71 * DAY_MS},
    ],
)
def test_an_example_that_makes_no_sense_is_left_out(fields: dict[str, Any]) -> None:
    one = learner()
    one.absorb(batch(0, 1, 99, matured(70, **fields), matured(70), partitions=1))
    one.advance()
    assert (one.counters.damaged, one.counters.examples) == (1, 1)


def test_features_that_are_not_finite_do_no_harm() -> None:
    one = learner()
    one.absorb(batch(0, 1, 99, matured(70, vector=pack_vector([math.nan, math.inf, 1e300])), partitions=1))
    (guide,) = one.advance()
    assert math.isfinite(Scorer(guide).risk([1.0, 2.0, 3.0]))


def test_a_guide_is_ready_once_enough_labels_were_seen() -> None:
    one = learner(min_labels=3)
    one.absorb(batch(0, 1, 99, matured(70), matured(71, 0), matured(72), partitions=1))
    guides = one.advance()
    assert [(guide.version, guide.examples, guide.ready) for guide in guides] == [
        (1, 1, False),
        (2, 2, False),
        (3, 3, True),
    ]
    assert [guide.base_rate for guide in guides] == [1.0, 0.5, pytest.approx(2 / 3)]


def test_quality_is_of_what_was_said_at_the_time() -> None:
    one = learner()
    said = [
        matured(70, label, f"{place}", risk=risk) for place, (risk, label) in enumerate([(0.9, 1), (0.8, 1), (0.1, 0)])
    ]
    one.absorb(batch(0, 1, 99, *said, partitions=1))
    (guide,) = one.advance()
    assert guide.quality["auc"] == 1.0
    assert guide.quality["examples"] == 3.0


def test_statistics_travel_with_the_guide_and_cut_one_of_their_own() -> None:
    one = learner(extra=DayCounts())
    one.absorb(batch(0, 1, 14, stats={10: 3, 12: 1}, partitions=1))
    guides = one.advance()
    assert days(guides) == [10.0, 11.0, 13.0]
    assert [guide.value_cut for guide in guides] == [0.0, 3.0, 4.0]
    assert guides[-1].thresholds == {"loyal": 0.2}
    assert guides[-1].extra == {"days": 4}
    assert not guides[-1].ready


class Refusing(DayCounts):
    def absorb(self, source: int, stats: Mapping[int, Any]) -> None:
        raise Corrupt("not counts")


def test_statistics_that_cannot_be_read_are_left_out() -> None:
    one = learner(extra=Refusing())
    one.absorb(batch(0, 1, 14, stats={10: "junk"}, partitions=1))
    assert one.counters.damaged == 1


def test_live_and_replay_guides_score_as_the_model_does() -> None:
    one = learner()
    for each in world(3, sources=1, weeks=4, customers=30)[0]:
        one.absorb(each)
    guide = one.advance()[-1]
    scorer = Scorer(guide)
    assert scorer.risk([300.0, 0.0, 1.0]) > scorer.risk([2.0, 3.0, 1.0])


def test_a_restored_learner_needs_the_same_features() -> None:
    value = learner().to_bytes()
    with pytest.raises(StateError, match="other features"):
        Learner(["another"], ["log"]).restore(value)


@pytest.mark.parametrize("value", [b"", b"\x01", b"\x01\xc1", b"\x00" * 50])
def test_what_is_no_state_is_refused_and_changes_nothing(value: bytes) -> None:
    one = learner()
    before = one.to_bytes()
    with pytest.raises(Corrupt, match="learn anew"):
        one.restore(value)
    assert one.to_bytes() == before


def test_a_newer_state_is_refused() -> None:
    with pytest.raises(NewerSchema, match="upgrade"):
        learner().restore(bytes((LEARNER_SCHEMA + 1,)) + learner().to_bytes()[1:])


def test_a_grid_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="grid_ms"):
        learner(grid_ms=0)
