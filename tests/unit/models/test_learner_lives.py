"""A source whose state was lost tells all of it again: the learner learns none of it twice, and misses nothing."""

import msgspec

from models.labels import Example, ExampleBatch, pack_vector
from models.learner import Learner
from models.learner_state import NO_TIME_MS, LearnerState
from streams.time import DAY_MS

FIRST, SECOND, THIRD = 1_000, 2_000, 3_000


def example(customer: str, matured_day: int, label: int = 0) -> Example:
    taken_ms = (matured_day - 10) * DAY_MS
    return Example(customer, taken_ms, matured_day * DAY_MS, label, 0.5, 0, "new", pack_vector([float(matured_day)]))


def batch(
    seq: int, mark_day: int, *examples: Example, life: int = FIRST, **fields: dict[int, list[int]]
) -> ExampleBatch:
    return ExampleBatch(0, 1, seq, mark_day * DAY_MS, examples=list(examples), life=life, **fields)  # type: ignore[arg-type]


def learner() -> Learner:
    return Learner(["silence_days"], ["log"], grid_ms=DAY_MS, min_labels=1)


def learnt(made: Learner) -> int:
    made.advance()
    return made.counters.examples


def test_what_was_learnt_is_not_learnt_again() -> None:
    made = learner()
    made.absorb(batch(1, 20, example("a", 15), example("b", 20)))
    assert learnt(made) == 2
    made.absorb(batch(1, 12, life=SECOND))
    made.absorb(batch(2, 18, example("a", 15), life=SECOND))
    made.absorb(batch(3, 30, example("b", 20), example("c", 25), life=SECOND))
    assert learnt(made) == 3
    assert (made.counters.found_again, made.counters.duplicates, made.counters.gaps) == (2, 0, 0)


def test_what_waits_beyond_the_mark_is_known_by_customer_and_time() -> None:
    made = learner()
    made.absorb(batch(1, 20, example("a", 23), example("b", 22)))
    assert learnt(made) == 0
    made.absorb(batch(1, 30, example("b", 22), example("a", 23), example("c", 22), life=SECOND))
    assert learnt(made) == 3
    assert made.counters.found_again == 2


def test_the_frontier_waits_for_nobody_who_is_built_again() -> None:
    made = learner()
    made.absorb(batch(7, 20, example("a", 15)))
    made.advance()
    made.absorb(batch(1, 5, life=SECOND))
    assert made.frontier_ms() == 20 * DAY_MS


def test_batches_of_an_earlier_life_come_too_late() -> None:
    made = learner()
    made.absorb(batch(1, 20, life=SECOND))
    made.absorb(batch(5, 40, example("a", 35)))
    assert learnt(made) == 0
    assert (made.counters.former, made.counters.gaps) == (1, 0)


def test_a_learner_that_was_lost_as_well_passes_over_what_earlier_lives_have_left() -> None:
    old = [
        msgspec.structs.replace(one, claim=FIRST)
        for one in (batch(1, 20, example("a", 15)), batch(2, 30, example("b", 25)))
    ]
    new = [
        msgspec.structs.replace(one, claim=SECOND)
        for one in (
            batch(1, 18, example("a", 15), life=SECOND),
            batch(2, 40, example("b", 25), example("c", 35), life=SECOND),
        )
    ]
    made, alone = learner(), learner()
    made.expect({0: SECOND})
    for one in [*old, *new]:
        made.absorb(one)
    for one in new:
        alone.absorb(one)
    assert [guide.learnt_until_ms for guide in made.advance()] == [guide.learnt_until_ms for guide in alone.advance()]
    assert made.counters.examples == alone.counters.examples == 3
    assert (made.counters.former, made.life) == (2, SECOND)


def test_a_learner_that_was_lost_hears_again_of_lives_whose_state_was_not_lost_as_a_whole() -> None:
    told = [batch(1, 20, example("a", 15)), batch(2, 30, example("b", 25)), batch(3, 40, example("c", 35))]
    # What followed from the second batch on was lost, and is told again in another life.
    again = [batch(1, 30, example("b", 25), life=SECOND), batch(2, 50, example("c", 35), example("d", 45), life=SECOND)]
    made = learner()
    made.expect({0: FIRST})
    for one in [*told, *again]:
        made.absorb(one)
    assert learnt(made) == 4
    assert (made.counters.former, made.counters.found_again) == (0, 2)


def test_counts_of_days_that_were_told_are_not_counted_again() -> None:
    state = LearnerState()
    state.take(batch(1, 20, stats={20: [1]}, inputs={20: [1]}))
    fresh = state.take(batch(1, 30, life=SECOND, stats={20: [1], 21: [2]}, inputs={19: [1], 22: [3]}))
    assert fresh is not None
    assert (fresh.stats, fresh.inputs) == ({21: [2]}, {22: [3]})


def test_lives_survive_the_store_and_a_third_one_counts_from_the_second() -> None:
    made = learner()
    made.absorb(batch(1, 20, example("a", 15)))
    made.advance()
    made.absorb(batch(1, 30, example("b", 25), life=SECOND))
    made.advance()
    again = learner()
    again.restore(made.to_bytes())
    again.absorb(batch(1, 40, example("a", 15), example("b", 25), example("c", 35), life=THIRD))
    assert learnt(again) == 3
    again.absorb(batch(2, 50, example("d", 45), life=SECOND))
    assert again.counters.former == 1


def test_there_is_no_time_before_the_first_record() -> None:
    made = learner()
    made.absorb(ExampleBatch(0, 1, 1, NO_TIME_MS - DAY_MS, idle=True))
    assert made.advance() == []
    assert made.learnt_until_ms is None


def owned(claim: int, *batches: ExampleBatch) -> list[ExampleBatch]:
    return [msgspec.structs.replace(one, claim=claim) for one in batches]


def test_a_later_owner_that_repeats_a_number_has_found_an_older_state() -> None:
    made = learner()
    told = batch(1, 12, example("a", 11)), batch(2, 20, example("b", 15)), batch(3, 20, example("c", 22))
    # Redis had lost what followed from the second batch on, and nobody knew.
    again = batch(2, 15, example("b", 15)), batch(3, 30, example("c", 22), example("d", 25))
    for one in [*owned(5, *told), *owned(7, *again)]:
        made.absorb(one)
    assert learnt(made) == 4
    assert (made.counters.found_again, made.counters.duplicates, made.counters.gaps) == (2, 0, 0)


def test_what_an_owner_still_had_on_its_way_is_learnt_once_whoever_tells_it_next() -> None:
    made = learner()
    told = batch(1, 12, example("a", 11)), batch(2, 20, example("b", 15)), batch(3, 20, example("c", 22))
    again = batch(2, 15, example("b", 15)), batch(3, 30, example("c", 22), example("d", 25))
    on_its_way = batch(4, 40, example("e", 35), example("f", 45))
    at_last = batch(4, 42, example("e", 35), example("f", 45)), batch(5, 50, example("g", 48))
    for one in [*owned(5, *told), *owned(7, *again), *owned(5, on_its_way), *owned(7, *at_last)]:
        made.absorb(one)
    assert learnt(made) == 7
    assert (made.counters.found_again, made.counters.duplicates, made.counters.gaps) == (4, 0, 0)


def test_an_owner_that_was_overtaken_goes_on_where_the_store_went_back_to_it() -> None:
    made = learner()
    first = batch(1, 12, example("a", 11)), batch(2, 20, example("b", 15))
    overtaking = batch(3, 21, example("c", 22), stats={21: [1]})
    # What the second owner had stored was lost: the fence is the first one's again, who takes more at a time.
    going_on = batch(3, 30, example("c", 22), example("d", 25), stats={21: [1]}), batch(4, 40, example("e", 35))
    later = batch(5, 50, example("f", 45))
    for one in [*owned(5, *first), *owned(7, overtaking), *owned(5, *going_on), *owned(9, later)]:
        made.absorb(one)
    assert learnt(made) == 6
    assert made.frontier_ms() == 50 * DAY_MS
    assert (made.counters.found_again, made.counters.duplicates, made.counters.gaps) == (1, 0, 0)


def test_a_mere_repetition_takes_nothing_from_what_follows() -> None:
    state = LearnerState()
    left, own = batch(1, 12, example("a", 15)), batch(2, 20, example("b", 22))
    for one in [*owned(5, left), *owned(7, own), *owned(5, left)]:
        state.take(one)
    # Of the day of the mark, and an example that is late.
    fresh = state.take(owned(7, batch(3, 21, example("c", 19), stats={20: [1]}))[0])
    assert fresh is not None
    assert ([one.customer for one in fresh.examples], fresh.stats) == (["c"], {20: [1]})


def test_news_from_an_earlier_owner_is_not_learnt_again_from_the_later_one() -> None:
    made = learner()
    told = batch(1, 12, example("a", 11)), batch(2, 20, example("b", 15))
    again, stray = batch(2, 16, example("b", 15)), batch(2, 20, example("d", 25))
    for one in [*owned(5, *told), *owned(7, again), *owned(5, stray), *owned(7, batch(3, 30, example("d", 25)))]:
        made.absorb(one)
    assert learnt(made) == 3


def test_what_an_earlier_owner_left_is_said_again_by_the_next_and_nothing_comes_of_it() -> None:
    made = learner()
    left, own = batch(1, 12, example("a", 15), stats={13: [1]}), batch(2, 20, example("b", 22))
    for one in [*owned(5, left), *owned(7, own), *owned(5, left), *owned(7, own), *owned(7, batch(3, 30))]:
        made.absorb(one)
    assert learnt(made) == 2
    assert (made.counters.found_again, made.counters.duplicates, made.counters.gaps) == (1, 2, 0)


def test_a_later_owner_that_goes_on_is_no_new_life() -> None:
    made = learner()
    made.absorb(msgspec.structs.replace(batch(1, 12, example("a", 11)), claim=5))
    made.absorb(msgspec.structs.replace(batch(2, 20, example("b", 11)), claim=7))
    assert learnt(made) == 2


def test_a_rollback_that_brings_an_earlier_life_back_is_followed_by_its_later_claim() -> None:
    made = learner()
    made.absorb(msgspec.structs.replace(batch(1, 20, example("a", 15), life=SECOND), claim=7))
    made.absorb(msgspec.structs.replace(batch(5, 40, example("z", 35)), claim=6))
    made.absorb(msgspec.structs.replace(batch(3, 30, example("a", 15), example("b", 25)), claim=9))
    assert learnt(made) == 2
    assert (made.counters.former, made.counters.found_again) == (1, 1)
