"""What reached a snapshot, and what the learner makes of it."""

import msgspec
import pytest

from models.labels import (
    BATCH_SCHEMA,
    HELD_OUT,
    TOUCHES_MAX,
    TREATED,
    UNTOUCHED,
    WARNED,
    Example,
    ExampleBatch,
    Pending,
    Touch,
    decode_batch,
    mature,
    pack_vector,
    touch,
)
from models.learner import Learner
from models.question import Question
from streams.time import DAY_MS

QUESTION = Question(horizon_days=10, snapshot_days=7, anchor_ms=0)
SNAPSHOT = Pending(7 * DAY_MS, pack_vector([1.0]), 0.25, 3, "loyal")


def reach(*touches: Touch, ordered: int | None = None, cancelled_ms: int | None = None) -> int:
    def happened(first_day: int, end_day: int) -> bool:
        return ordered is not None and first_day <= ordered < end_day

    (example,) = mature([SNAPSHOT], 17 * DAY_MS, happened, cancelled_ms, QUESTION, "c", touches)
    return example.reach


#      taken (d7)                   end (d17)
#   -----|=============================|-----
#      ^ no  ^ treated               ^ no
@pytest.mark.parametrize(
    ("at_ms", "found"),
    [
        (7 * DAY_MS - 1, UNTOUCHED),
        (7 * DAY_MS, TREATED),
        (17 * DAY_MS - 1, TREATED),
        (17 * DAY_MS, UNTOUCHED),
    ],
)
def test_a_treatment_in_the_horizon_reaches_the_snapshot(at_ms: int, found: int) -> None:
    assert reach(Touch(at_ms, TREATED)) == found


def test_the_most_that_was_done_counts() -> None:
    assert reach(Touch(8 * DAY_MS, WARNED)) == WARNED
    assert reach(Touch(8 * DAY_MS, HELD_OUT)) == HELD_OUT
    assert reach(Touch(8 * DAY_MS, WARNED), Touch(9 * DAY_MS, TREATED)) == TREATED
    assert reach(Touch(8 * DAY_MS, TREATED), Touch(9 * DAY_MS, WARNED)) == TREATED


def test_an_order_before_the_treatment_is_the_customers_own_answer() -> None:
    assert reach(Touch(10 * DAY_MS, TREATED), ordered=9) == UNTOUCHED
    assert reach(Touch(10 * DAY_MS, TREATED), ordered=10) == TREATED


def test_what_is_done_after_a_cancellation_comes_too_late() -> None:
    assert reach(Touch(12 * DAY_MS, TREATED), cancelled_ms=11 * DAY_MS) == UNTOUCHED
    assert reach(Touch(11 * DAY_MS, TREATED), cancelled_ms=11 * DAY_MS) == TREATED


def test_touches_are_kept_once_in_order_and_bounded() -> None:
    touches: list[Touch] = []
    for at_ms in (5, 3, 5, 9, 1, 7, 11, 13):
        touches = touch(touches, at_ms, WARNED)
    assert [one.at_ms for one in touches] == [3, 5, 7, 9, 11, 13]
    assert len(touches) == TOUCHES_MAX


def test_examples_of_an_earlier_release_were_reached_by_nothing() -> None:
    old = ["00ff", 0, 5, 1, 0.25, 3, "loyal", pack_vector([1.5])]
    value = bytes((BATCH_SCHEMA - 1,)) + msgspec.msgpack.encode([2, 4, 17, 123, False, [old], {}, {}, 1, 1])
    (example,) = decode_batch(value).examples
    assert example.reach == UNTOUCHED


def taught(*reaches: int) -> Learner:
    learner = Learner(["silence_days"], ["log"], grid_ms=DAY_MS, min_labels=1)
    examples = [
        Example(f"{place:04x}", 0, 60 * DAY_MS, place % 2, 0.5, 1, "new", pack_vector([float(place)]), one)  # type: ignore[arg-type]
        for place, one in enumerate(reaches)
    ]
    learner.absorb(ExampleBatch(source=0, partitions=1, seq=1, mark_ms=62 * DAY_MS, examples=examples))
    learner.advance()
    return learner


def test_the_treated_are_left_out_and_the_held_out_stand_in() -> None:
    learner = taught(*[HELD_OUT] * 40, *[TREATED] * 40, *[HELD_OUT] * 40)
    counters = learner.counters
    assert counters.treated == 40
    assert counters.examples == 120 - 40 + counters.repeated
    assert 15 <= counters.repeated <= 40


def test_what_waits_is_stored_with_what_reached_it() -> None:
    learner = Learner(["silence_days"], ["log"], grid_ms=DAY_MS, min_labels=1)
    reached = Example("00ff", 0, 60 * DAY_MS, 1, 0.5, 1, "new", pack_vector([1.0]), TREATED)
    learner.absorb(ExampleBatch(source=0, partitions=2, seq=1, mark_ms=62 * DAY_MS, examples=[reached]))
    other = Learner(["silence_days"], ["log"], grid_ms=DAY_MS, min_labels=1)
    other.restore(learner.to_bytes())
    assert other.to_bytes() == learner.to_bytes()


def test_a_week_of_the_treated_alone_teaches_nothing_and_harms_nothing() -> None:
    learner = taught(*[WARNED] * 25)
    late = [
        Example(f"{place:04x}", 0, 70 * DAY_MS, 1, 0.5, 1, "new", pack_vector([1.0]), TREATED) for place in range(9)
    ]
    learner.absorb(ExampleBatch(source=0, partitions=1, seq=2, mark_ms=71 * DAY_MS, examples=late))
    learner.advance()
    assert (learner.counters.examples, learner.counters.treated) == (25, 9)
