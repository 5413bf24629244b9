"""What all pages look at: the inbox, how fresh it is, and who is to be told when it changes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from console.inbox import Inbox
from console.modelling import Library
from console.portrait import Portraits
from console.steering import NoGoals, NoSources, Sources, Steering
from console.working import Floor
from streams.events import Outcome

LISTENERS_MAX: Final = 200
"""Browsers that hear of changes at once; further ones see what is new when they reload."""

TOLD_MAX: Final = 500
"""Changed episodes told one by one to a listener that is slow; beyond, it is told to look at everything."""


class Reporter(Protocol):
    """The way to `churn.outcomes`."""

    async def report(self, outcome: Outcome) -> None:
        """Return when Kafka has it. Raises TransportError where it cannot be had."""


@dataclass(slots=True)
class Freshness:
    """How far the reading of the topics is: messages left up to their ends (None before the first), and whether Kafka is away."""

    left: int | None = None
    away: bool = False


@dataclass(slots=True)
class Board:
    """See the module's text.

    Attributes:
        inbox: alerts, reports and scores.
        reporter: where reports go.
        portraits: where customers are looked up.
        library: where the models are.
        floor: where the workers are.
        now_ms: the customers' clock, in epoch milliseconds: the wall, or in a replay the latest alert's time.
        steering: where the figures for goals are.
        sources: where it is known what was heard of each source.
        freshness: of the inbox.
    """

    inbox: Inbox
    reporter: Reporter
    portraits: Portraits
    library: Library
    floor: Floor
    now_ms: Callable[[], int]
    steering: Steering = field(default_factory=NoGoals)
    sources: Sources = field(default_factory=NoSources)
    freshness: Freshness = field(default_factory=Freshness)
    _listeners: set[_Listener] = field(default_factory=set)

    def changed(self, episodes: Sequence[str]) -> None:
        """Tell everybody who listens that these episodes have changed."""
        for listener in self._listeners:
            listener.tell(episodes)

    async def changes(self) -> AsyncIterator[list[str] | None]:
        """Yield episodes that have changed, as they do; None for too many to name. Nothing where too many listen already."""
        if len(self._listeners) >= LISTENERS_MAX:
            return
        listener = _Listener()
        self._listeners.add(listener)
        try:
            while True:
                yield await listener.heard()
        finally:
            self._listeners.discard(listener)


@dataclass(slots=True, eq=False)
class _Listener:
    """One browser: what it has not been told yet, each episode once."""

    _waiting: dict[str, None] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, episodes: Sequence[str]) -> None:
        if len(self._waiting) <= TOLD_MAX:
            self._waiting.update(dict.fromkeys(episodes))
        self._news.set()

    async def heard(self) -> list[str] | None:
        await self._news.wait()
        self._news.clear()
        waiting, self._waiting = self._waiting, {}
        return None if len(waiting) > TOLD_MAX else list(waiting)
