"""What goes wrong, and when: every kind of fault has a chance per opportunity and a number of times; a run draws both from its seed.

The ports of a life (see `life`) ask at every step of the protocol whether something strikes *here*, so a fault can fall between any two
steps. Which kinds a run knows at all is drawn too: a run with three kinds at a high rate finds other things than one with all of them.
After `calm` nothing strikes any more, so that what must come to its end can be seen to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Final

from simulation.trace import Trace

OF_A_LIFE: Final = ("crash", "pause", "cut", "leave", "rebalance")
"""A process dies, stops for a while (SIGSTOP), is taken for dead by the group, takes leave, or the group reassigns for no reason."""

OF_A_COMMIT: Final = ("refused", "lost", "unheard", "overtaken")
"""A commit is refused, gets lost on the way, is applied but its reply is lost, or arrives long after it was given up."""

OF_REDIS: Final = ("unavailable", "redis_down")
OF_PUBLISHING: Final = ("publish_refused", "ack_lost", "ack_late")
OF_FETCHING: Final = ("stalled", "chunk_late")
OF_DISKS: Final = ("rollback", "wipe")
"""Redis comes back with an earlier state, or with none."""

KINDS: Final = (*OF_A_LIFE, *OF_A_COMMIT, *OF_REDIS, *OF_PUBLISHING, *OF_FETCHING, *OF_DISKS)
RATES: Final = (0.004, 0.01, 0.03)
TIMES_MAX: Final = 6


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Kind to (chance per opportunity, most times); `skew_ms_max` is how far workers' clocks may differ."""

    chances: dict[str, tuple[float, int]]
    skew_ms_max: int = 0


def draw_faults(rng: Random, skew_ms_max: int) -> FaultPlan:
    """Choose what a run is exposed to."""
    some = rng.random() < 0.7
    chances = {
        kind: (rng.choice(RATES), rng.randint(1, TIMES_MAX)) for kind in KINDS if not some or rng.random() < 0.35
    }
    for kind in OF_DISKS:
        if kind in chances:
            chances[kind] = (0.006, 2)
    return FaultPlan(chances, rng.choice((0, skew_ms_max)))


NO_FAULTS: Final = FaultPlan({})


@dataclass(slots=True)
class Faults:
    """Strikes as planned; `struck` is the schedule that came of it."""

    plan: FaultPlan
    rng: Random
    trace: Trace
    struck: list[str] = field(default_factory=list)
    is_calm: bool = False
    _left: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._left = {kind: times for kind, (_, times) in self.plan.chances.items()}
        self.is_calm = not self._left

    def calm(self) -> None:
        """No more faults from now on."""
        self.is_calm = True

    def strikes(self, kinds: tuple[str, ...], who: str, where: str) -> str:
        """Return the kind of fault that strikes here, empty for none."""
        if self.is_calm:
            return ""
        lot = self.rng.random()
        for kind in kinds:
            left = self._left.get(kind)
            if not left:
                continue
            chance = self.plan.chances[kind][0]
            if lot < chance:
                self._left[kind] = left - 1
                self.struck.append(f"{kind} at {who} {where}")
                self.trace(who, f"FAULT {kind} at {where}")
                return kind
            lot -= chance
        return ""

    @property
    def exhausted(self) -> bool:
        """Whether nothing can strike any more."""
        return self.is_calm or not any(self._left.values())
