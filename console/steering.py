"""What the console shows of goals, of the sources that events come from, and where it has both from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from alerts.goals import Unit, Verdict


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure of `churnwatch kpi`, None where too little is known; its target, None where none is set; what the target says of it."""

    name: str
    unit: Unit
    found: float | None
    target: float | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Progress:
    """How the shop does.

    Attributes:
        months: the months told of, `YYYY-MM`, oldest first.
        answers: to the question whether a customer stays, that became known in them.
        churn: the share that left; None where too few are known.
        churn_target: at most so much, by the target for retention; None where none is set.
        goals: every figure that may have a target, retention first.
    """

    months: Sequence[str]
    answers: int
    churn: float | None
    churn_target: float | None
    goals: Sequence[Goal]


class Steering(Protocol):
    """The way to the figures."""

    async def look(self) -> Progress | None:
        """Return them; None before anything was booked. Raises a ChurnwatchError where they cannot be read."""
        ...


class NoGoals:
    """For a board of which nobody asks for figures."""

    async def look(self) -> Progress | None:
        """Know of none."""
        return None


@dataclass(frozen=True, slots=True)
class Source:
    """A topic that events come from.

    Attributes:
        stream: `orders`, `logins` …
        topic: its name in Kafka.
        heard_ms: when the latest event that workers have taken in happened; None where none was.
        waiting: records that workers have not taken in yet.
        silent: nothing has come for so long that it counts as down.
        telling: by it customers are judged silent; nobody is while it is down.
    """

    stream: str
    topic: str
    heard_ms: int | None
    waiting: int
    silent: bool
    telling: bool = False


class Sources(Protocol):
    """The way to what was heard."""

    async def look(self) -> Sequence[Source]:
        """Return every source that there is. Raises a ChurnwatchError where that cannot be read."""
        ...


class NoSources:
    """For a board of which nobody asks where events come from."""

    async def look(self) -> Sequence[Source]:
        """Know of none."""
        return ()
