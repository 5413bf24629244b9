"""What is asked of a soak, and everything that is seen in one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from chaos.soak_plan import Plan
from chaos.soak_probe import Sample


@dataclass(frozen=True, slots=True)
class Books:
    """What went in, what the worker says of it, and what came out: for the sums that must agree."""

    sent: int
    acknowledged: int
    expected: dict[str, int]
    counted: dict[str, int]
    read: int
    alerts_counted: int
    alerts_heard: int
    alerts_repeated: int
    episodes_counted: int
    episodes_heard: int
    doubly_open: int
    kinds: dict[str, int]
    examples: dict[str, int]


@dataclass(slots=True)
class Soak:
    """Everything that was seen.

    Attributes:
        samples: looks, in the order of time.
        rate: events a second asked for.
        latencies: phase to the bounds and counts of churnwatch_event_to_alert_seconds within it.
        filled: whether the filling came to its end before its time was up.
        exit_code: the worker's, after SIGTERM; None where it had to be killed or ended before.
        errors, warnings: in its log, how often each.
    """

    services: str
    rate: float
    plan: Plan
    samples: list[Sample] = field(default_factory=list)
    latencies: dict[str, dict[float, float]] = field(default_factory=dict)
    counters: dict[str, float] = field(default_factory=dict)
    filled: bool = False
    exit_code: int | None = None
    errors: dict[str, int] = field(default_factory=dict)
    warnings: dict[str, int] = field(default_factory=dict)
    books: Books | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for; see `chaos.soak`."""

    minutes: float
    rate: float
    days_per_second: float
    seed: int
    trace: Path | None = None
