"""What the console shows of the workers and of what they could not use, and where it has it from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker as its `/metrics` has it; all figures 0 where it does not answer.

    Attributes:
        address: where it was asked.
        trouble: why it does not answer; empty where it does.
        version: the program's.
        healthy, ready: as `/healthz` and `/readyz` say.
        partitions: how many it holds.
        customers: in them.
        lag_events, lag_seconds: records not read yet, and how long the oldest of them waits; the most of any partition.
        outbox: messages not acknowledged yet.
        memory_bytes: resident.
        stages: stage to microseconds spent in it per event, since it started.
        slow: stage to the time in seconds that nineteen of twenty steps spend in it at most, since it started.
        alert_seconds: from an event to its alert, half and nineteen of twenty at most; None before the first.
        silent: topics of which nothing is heard.
    """

    address: str
    trouble: str = ""
    version: str = ""
    healthy: bool = False
    ready: bool = False
    partitions: int = 0
    customers: int = 0
    events: float = 0.0
    lag_events: float = 0.0
    lag_seconds: float = 0.0
    outbox: float = 0.0
    memory_bytes: float = 0.0
    stages: Mapping[str, float] = field(default_factory=dict)
    slow: Mapping[str, float] = field(default_factory=dict)
    alert_seconds: tuple[float, float] | None = None
    silent: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter: where it came from, why it could not be used, and the beginning of what it holds."""

    topic: str
    reason: str
    message: str
    failed_at: str
    value: str


@dataclass(frozen=True, slots=True)
class Operations:
    """Everything at once.

    Attributes:
        workers: in the order of the setting.
        per_second: events a second that all of them took in since the last look; None at the first.
        letters: reason to dead letters since the workers started.
        last: the latest dead letters, newest first.
    """

    workers: Sequence[Worker]
    per_second: float | None
    letters: Mapping[str, int]
    last: Sequence[Letter]


class Floor(Protocol):
    """The way to the workers."""

    async def look(self) -> Operations:
        """Return how things stand. Raises TransportError where Kafka is away."""
