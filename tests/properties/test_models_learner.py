"""The learner depends on what the sources say, not on how it is delivered."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from models.guide import Guide
from models.labels import ExampleBatch
from models.learner import Learner
from streams.time import DAY_MS
from tests.unit.models.samples import NAMES, SCALES, DayCounts, interleaved, world

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=15, deadline=None)


def learner() -> Learner:
    return Learner(NAMES, SCALES, extra=DayCounts(), grid_ms=2 * DAY_MS, min_labels=20)


def fed(batches: list[ExampleBatch], rng: random.Random, *, restarts: bool = False) -> tuple[list[Guide], Learner]:
    """Feed the batches, advancing now and then; optionally stop and go on from the bytes at random places."""
    one, guides = learner(), []
    for batch in batches:
        one.absorb(batch)
        if rng.random() < 0.6:
            guides += one.advance()
        if restarts and rng.random() < 0.5:
            state = one.to_bytes()
            one = learner()
            one.restore(state)
            assert one.to_bytes() == state
    return guides + one.advance(), one


@few
@given(seeds, seeds)
def test_any_interleaving_gives_the_same_guides_bit_for_bit(seed: int, order: int) -> None:
    said = world(seed % 5, sources=3, weeks=5, customers=8)
    rng = random.Random(order)
    expected, straight = fed(interleaved(said, random.Random(0)), random.Random(0))
    guides, other = fed(interleaved(said, rng), rng)
    assert guides == expected
    assert other.quality() == straight.quality()
    assert [guide.version for guide in guides] == list(range(1, len(guides) + 1))


@few
@given(seeds)
def test_a_restarted_learner_equals_one_that_ran_on(order: int) -> None:
    batches = interleaved(world(1, sources=2, weeks=5, customers=8), random.Random(0))
    expected, straight = fed(batches, random.Random(order))
    guides, other = fed(batches, random.Random(order), restarts=True)
    assert guides == expected
    assert other.to_bytes() == straight.to_bytes()


@few
@given(seeds)
def test_repetitions_change_nothing(order: int) -> None:
    rng = random.Random(order)
    batches = interleaved(world(2, sources=2, weeks=5, customers=8), random.Random(0))
    repeated: list[ExampleBatch] = []
    for batch in batches:
        repeated.append(batch)
        repeated += rng.sample(repeated, min(len(repeated), rng.randrange(3)))
    assert fed(repeated, rng)[0] == fed(batches, random.Random(0))[0]


@few
@given(seeds)
def test_how_a_source_divides_what_it_says_does_not_matter(order: int) -> None:
    rng = random.Random(order)
    whole = world(3, sources=2, weeks=5, customers=8)
    divided = []
    for batches in whole:
        seq, smaller = 0, []
        before_ms = 0
        for batch in batches:
            cut = rng.randrange(len(batch.examples) + 1)
            parts = [
                (batch.examples[:cut], {}, batch.inputs, before_ms),
                (batch.examples[cut:], batch.stats, {}, batch.mark_ms),
            ]
            for examples, stats, inputs, mark_ms in parts:
                seq += 1
                smaller.append(ExampleBatch(batch.source, 2, seq, mark_ms, False, examples, stats, inputs))
            before_ms = batch.mark_ms
        divided.append(smaller)
    expected, _ = fed(interleaved(whole, random.Random(0)), random.Random(0))
    assert fed(interleaved(divided, rng), rng)[0] == expected


@few
@given(seeds)
def test_nothing_is_learnt_before_it_has_matured(order: int) -> None:
    rng = random.Random(order)
    batches = interleaved(world(4, sources=2, weeks=5, customers=8), rng)
    matured = sorted(example.matured_ms for batch in batches for example in batch.examples)
    guides, one = fed(batches, rng)
    for guide in guides:
        assert guide.examples == sum(at_ms <= guide.learnt_until_ms for at_ms in matured)
    assert one.counters.late == one.counters.early == one.counters.damaged == 0
