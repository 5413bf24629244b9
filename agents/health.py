"""Is the worker alive, and may work be sent to it? Pure functions of what the worker last saw; they touch nothing outside.

`health` answers /healthz: should this process be restarted? Only for what a restart would mend: a part of it (`agents.parts`: a partition,
its outbox, the learner, fetching, joining the group) that has work, waits for nobody, and yet does not move. One that waits for Redis, Kafka
or the learner is not stuck: a restart would not bring them back, and would cost a rebalance. A partition that does fails
`readiness` instead, and churnwatch_partition_stalled_seconds goes on counting.

`readiness` answers /readyz: does the worker do what it is for? Partitions are assigned, Redis has answered lately, a model (or
the rule that stands in for one) is loaded, and no partition has waited long for a service (a replay waits for its model now and then).

Instants are milliseconds of one monotonic clock that the caller chooses.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

A_BOOTSTRAP: Final = "a bootstrap"
"""What nobody waits for in passing: a worker is not ready from the first."""


class Verdict(NamedTuple):
    """Whether a check passed; where it did not, a sentence for each thing that is wrong."""

    ok: bool
    reasons: list[str]

    def as_json(self) -> bytes:
        """Return the body of the HTTP answer.

        >>> Verdict(False, ["Redis has not answered for 12 s"]).as_json()
        b'{"ok": false, "reasons": ["Redis has not answered for 12 s"]}'
        """
        return json.dumps({"ok": self.ok, "reasons": self.reasons}).encode()

    @property
    def http_status(self) -> int:
        """200 or 503, as load balancers and orchestrators read it."""
        return 200 if self.ok else 503


@dataclass(frozen=True, slots=True)
class Progress:
    """One assigned partition, or another part of the worker that must move.

    Attributes:
        partition: its number; None for a part of which there is only one.
        pending: whether it has work: records buffered or in the log, wake-ups due, messages not yet sent.
        progressed_ms: when it last moved, or got work after having none.
        waits_for: what it waits for ("Redis", "Kafka", "a model"), None when only for itself.
        kind: what it is, in words.
        waited_ms: when it last waited for somebody.
    """

    partition: int | None
    pending: bool
    progressed_ms: int
    waits_for: str | None = None
    kind: str = "partition"
    waited_ms: int = 0

    @property
    def name(self) -> str:
        """What it is called.

        >>> Progress(3, pending=True, progressed_ms=0).name
        'partition 3'
        """
        return self.kind if self.partition is None else f"{self.kind} {self.partition}"

    def stalled_ms(self, now_ms: int) -> int:
        """Return how long it has had work and has not moved, whatever the cause; 0 where it has nothing to do.

        >>> Progress(3, pending=True, progressed_ms=1_000).stalled_ms(now_ms=5_000)
        4000
        """
        return max(0, now_ms - self.progressed_ms) if self.pending else 0

    def stuck_ms(self, now_ms: int) -> int:
        """Return for how much of that it has had nobody but itself to wait for, up to now.

        >>> Progress(3, pending=True, progressed_ms=1_000, waited_ms=4_000).stuck_ms(now_ms=5_000)
        1000
        """
        return 0 if self.waits_for else min(self.stalled_ms(now_ms), max(0, now_ms - self.waited_ms))


@dataclass(frozen=True, slots=True)
class HealthState:
    """What /healthz is judged by: partitions and whatever else must move, now, and how long one may stand still."""

    parts: Sequence[Progress]
    now_ms: int
    stalled_ms_max: int


@dataclass(frozen=True, slots=True)
class Readiness:
    """What /readyz is judged by.

    Attributes:
        partitions: the assigned partitions.
        redis_answered_ms: when Redis last answered; None if never.
        model_loaded: whether a model, or the rule that stands in until there is one, has been loaded.
        stopping: whether the worker drains and takes nothing more.
        now_ms: now.
        patience_ms: how long Redis may not have answered, or a partition may have waited for a service, before it counts.
    """

    partitions: Sequence[Progress]
    redis_answered_ms: int | None
    model_loaded: bool
    stopping: bool
    now_ms: int
    patience_ms: int


def health(state: HealthState) -> Verdict:
    """Judge whether the process works.

    >>> health(HealthState([Progress(3, pending=True, progressed_ms=0)], now_ms=90_000, stalled_ms_max=60_000))
    Verdict(ok=False, reasons=['partition 3 has had work for 90 s and has not moved'])
    """
    stuck = [part for part in state.parts if part.stuck_ms(state.now_ms) > state.stalled_ms_max]
    return _verdict([f"{p.name} has had work for {_s(p.stalled_ms(state.now_ms))} and has not moved" for p in stuck])


def readiness(state: Readiness) -> Verdict:
    """Judge whether the worker does what it is for.

    >>> readiness(Readiness([Progress(0, False, 0)], 9_000, True, False, now_ms=10_000, patience_ms=5_000))
    Verdict(ok=True, reasons=[])
    """
    reasons = ["the worker is stopping"] if state.stopping else []
    if not state.partitions:
        reasons.append("no partition is assigned: Kafka is out of reach, or there are more workers than partitions")
    if state.redis_answered_ms is None:
        reasons.append("Redis has not answered yet")
    elif state.now_ms - state.redis_answered_ms > state.patience_ms:
        reasons.append(f"Redis has not answered for {_s(state.now_ms - state.redis_answered_ms)}")
    if not state.model_loaded:
        reasons.append("no model is loaded")
    waiting = [
        p
        for p in state.partitions
        if p.waits_for == A_BOOTSTRAP or (p.waits_for and p.stalled_ms(state.now_ms) > state.patience_ms)
    ]
    reasons += [f"{_all(names)} for {awaited}" for awaited, names in _by_what_they_wait_for(waiting).items()]
    return _verdict(reasons)


def _by_what_they_wait_for(waiting: Sequence[Progress]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for part in waiting:
        found.setdefault(part.waits_for or "", []).append(part.name)
    return found


def _all(names: list[str]) -> str:
    return f"{names[0]} waits" if len(names) == 1 else f"{', '.join(names)} wait"


def _verdict(reasons: list[str]) -> Verdict:
    return Verdict(not reasons, reasons)


def _s(ms: int) -> str:
    return f"{ms // 1000} s"
