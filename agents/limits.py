"""The bounds of a runner's step."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StepLimits:
    """Bounds of a step, and what the learner must know of the partitions.

    Attributes:
        events_max, bytes_max, wakes_max: records, their bytes, and wake-ups of one step.
        buffer_bytes_max: bytes held before fetching pauses.
        cache_max: decoded customers kept between steps.
        outbox_max: unacknowledged messages from which on no further step is taken.
        partitions: how many input partitions there are.
        examples_topic: where example batches go.
        idle_seconds: how long to wait for work before looking at the clock again.
        mark_every_ms: event time between two promises to the learner.
    """

    events_max: int
    bytes_max: int
    wakes_max: int
    buffer_bytes_max: int
    cache_max: int
    outbox_max: int
    partitions: int
    examples_topic: str
    idle_seconds: float
    mark_every_ms: int

    def mark_ms(self, clock_ms: int) -> int:
        """The latest promise that a clock allows: the last multiple of `mark_every_ms` that it has reached."""
        return clock_ms // self.mark_every_ms * self.mark_every_ms
