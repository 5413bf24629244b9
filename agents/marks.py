"""What a partition tells the learner after a step: its examples and counts, and how far it has everything of them."""

from __future__ import annotations

from typing import Final

from agents.effects import Effects
from agents.limits import StepLimits
from agents.meta import Meta
from models.labels import Example, ExampleBatch, encode_batch
from streams.outgoing import Outgoing

EXAMPLES_MAX: Final = 1_500
"""Examples in one message: about 550 kB, where a topic takes 1 MB as it comes."""


def marks(partition: int, meta: Meta, effects: Effects, limits: StepLimits, *, idle: bool) -> list[Outgoing]:
    """Return the step's `batches` as messages."""
    return [
        Outgoing(limits.examples_topic, None, encode_batch(told), partition=0)
        for told in batches(partition, meta, effects, limits, idle=idle)
    ]


def batches(partition: int, meta: Meta, effects: Effects, limits: StepLimits, *, idle: bool) -> list[ExampleBatch]:
    """Return the step's example batches, the last with the promise that the clock allows, and note them in `meta`.

    None where there is nothing new to say. `idle`: the learner need not wait for this partition.
    """
    mark_ms = limits.mark_ms(meta.clock_ms)
    stats, inputs, examples = effects.stats.take(), effects.inputs.take(), effects.examples
    if not (examples or stats or inputs or mark_ms > meta.mark_ms or idle != meta.idle):
        return []

    def batch(part: list[Example], *, counts: bool) -> ExampleBatch:
        meta.seq += 1
        return ExampleBatch(
            source=partition,
            partitions=limits.partitions,
            seq=meta.seq,
            mark_ms=meta.mark_ms,
            idle=meta.idle,
            examples=part,
            stats=stats if counts else {},
            inputs=inputs if counts else {},
            life=meta.life,
            claim=meta.claim,
        )

    last = max(len(examples) - 1, 0) // EXAMPLES_MAX * EXAMPLES_MAX
    before = [batch(examples[first : first + EXAMPLES_MAX], counts=False) for first in range(0, last, EXAMPLES_MAX)]
    meta.mark_ms = max(meta.mark_ms, mark_ms)
    meta.idle = idle
    return [*before, batch(examples[last:], counts=True)]
