"""What a step tells the learner fits the topic as it comes."""

from dataclasses import replace

from agents.effects import Effects
from agents.limits import StepLimits
from agents.marks import EXAMPLES_MAX, marks
from agents.meta import Meta
from features.catalog import NAMES
from models.labels import Example, decode_batch, pack_vector
from streams.time import DAY_MS

LIMITS = StepLimits(1, 1, 1, 1, 1, 1, 4, "churn.examples", 0.0, DAY_MS)
TOPIC_BYTES_MAX = 1_000_000
"""Kafka's default is 1,048,588."""


def example(number: int) -> Example:
    vector = pack_vector([1.5] * len(NAMES))
    return Example(f"{number:016x}", 10 * DAY_MS, 90 * DAY_MS, 0, 0.123456789, 12_345, "high_value", vector)


def test_many_examples_go_in_several_messages_and_the_last_makes_the_promise() -> None:
    meta = Meta(clock_ms=90 * DAY_MS, mark_ms=80 * DAY_MS, seq=4)
    examples = [example(number) for number in range(2 * EXAMPLES_MAX + 1)]
    told = marks(2, meta, Effects(examples=list(examples)), LIMITS, idle=False)
    batches = [decode_batch(message.value or b"") for message in told]
    assert [len(batch.examples) for batch in batches] == [EXAMPLES_MAX, EXAMPLES_MAX, 1]
    assert [found for batch in batches for found in batch.examples] == examples
    assert [batch.seq for batch in batches] == [5, 6, 7]
    assert [batch.mark_ms // DAY_MS for batch in batches] == [80, 80, 90]
    assert (meta.seq, meta.mark_ms) == (7, 90 * DAY_MS)
    assert max(len(message.value or b"") for message in told) < TOPIC_BYTES_MAX


def test_exactly_one_message_full() -> None:
    effects = Effects(examples=[example(number) for number in range(EXAMPLES_MAX)])
    assert len(marks(0, Meta(clock_ms=DAY_MS), effects, LIMITS, idle=False)) == 1


def test_nothing_new_is_not_said() -> None:
    meta = Meta(clock_ms=DAY_MS, mark_ms=DAY_MS)
    assert marks(0, meta, Effects(), LIMITS, idle=False) == []
    assert len(marks(0, meta, Effects(), replace(LIMITS, mark_every_ms=1), idle=True)) == 1
