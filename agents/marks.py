"""What a partition tells the learner after a step: its examples and counts, and how far it has everything of them."""

from __future__ import annotations

from agents.effects import Effects
from agents.limits import StepLimits
from agents.meta import Meta
from models.labels import ExampleBatch, encode_batch
from streams.outgoing import Outgoing


def mark(partition: int, meta: Meta, effects: Effects, limits: StepLimits, *, idle: bool) -> Outgoing | None:
    """Return the step's example batch, with the promise that the clock allows, and note it in `meta`.

    None where there is nothing new to say. `idle`: the learner need not wait for this partition.
    """
    mark_ms = limits.mark_ms(meta.clock_ms)
    stats, inputs = effects.stats.take(), effects.inputs.take()
    if not (effects.examples or stats or inputs or mark_ms > meta.mark_ms or idle != meta.idle):
        return None
    meta.mark_ms = max(meta.mark_ms, mark_ms)
    meta.idle = idle
    meta.seq += 1
    batch = ExampleBatch(
        source=partition,
        partitions=limits.partitions,
        seq=meta.seq,
        mark_ms=meta.mark_ms,
        idle=idle,
        examples=effects.examples,
        stats=stats,
        inputs=inputs,
        life=meta.life,
        claim=meta.claim,
    )
    return Outgoing(limits.examples_topic, None, encode_batch(batch), partition=0)
