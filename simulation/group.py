"""The simulated consumer group: who holds which partitions, as Kafka's coordinator and the range assignor decide it.

A member that shows no life for the session time-out, or does not give up its partitions in time, is expelled. It does not know that yet:
it works on as before, a zombie, until it hears of it and joins again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from faust.types import TP

from simulation.life import Life
from simulation.trace import Trace

SESSION_SECONDS = 2.0
REBALANCE_SECONDS = 6.0


class Member(Protocol):
    """A worker as the group sees it."""

    @property
    def life(self) -> Life:
        """The process."""
        ...

    async def revoke(self, generation: int) -> None:
        """Give up all partitions of earlier generations; returns when nothing works on them any more."""

    async def assign(self, generation: int, tps: list[TP]) -> None:
        """Take these."""


class Group:
    """The coordinator: `topics` with their number of partitions."""

    def __init__(self, topics: dict[str, int], trace: Trace) -> None:
        self._topics = topics
        self._trace = trace
        self._changed = asyncio.Event()
        self.members: list[Member] = []
        self.generation = 0

    def is_member(self, member: Member) -> bool:
        """Whether the group knows it."""
        return member in self.members

    def join(self, member: Member) -> None:
        """Take part from the next generation on."""
        if member not in self.members:
            self.members.append(member)
        self._changed.set()

    def leave(self, member: Member) -> None:
        """Take part no more."""
        if member in self.members:
            self.members.remove(member)
            self._trace(member.life.name, "is no member any more")
        self._changed.set()

    def rebalance(self) -> None:
        """Deal the partitions out again."""
        self._changed.set()

    def watch(self, member: Member, still_away: Callable[[], bool]) -> None:
        """Expel the member if it is still away when its session has run out."""

        def look() -> None:
            if still_away():
                self.leave(member)

        asyncio.get_running_loop().call_later(SESSION_SECONDS, look)

    async def run(self) -> None:
        """Rebalance whenever something has changed."""
        while True:
            await self._changed.wait()
            await asyncio.sleep(0.05)
            self._changed.clear()
            await self._deal()

    async def _deal(self) -> None:
        """All give up what they have, then each is given its part."""
        self.generation += 1
        generation, asked = self.generation, list(self.members)
        revoking = [member.life.spawn(member.revoke(generation), "revoke") for member in asked]
        patience = asyncio.get_running_loop().time() + REBALANCE_SECONDS
        while not all(task.done() or member not in self.members for member, task in zip(asked, revoking, strict=True)):
            await asyncio.sleep(0.1)
            if asyncio.get_running_loop().time() > patience:
                for member, task in zip(asked, revoking, strict=True):
                    if not task.done():
                        self.leave(member)
        ready = [
            member
            for member, task in zip(asked, revoking, strict=True)
            if task.done() and not task.cancelled() and member in self.members
        ]
        ready.sort(key=lambda member: member.life.name)
        for number, member in enumerate(ready):
            tps = [tp for topic, count in self._topics.items() for tp in _range(topic, count, number, len(ready))]
            self._trace(member.life.name, f"is given {_told(tps)}")
            member.life.spawn(member.assign(generation, tps), "assign")


def _range(topic: str, partitions: int, number: int, members: int) -> list[TP]:
    """The part of one topic that Kafka's range assignor gives to member `number` of `members`."""
    share, extra = divmod(partitions, members)
    first = share * number + min(number, extra)
    return [TP(topic, place) for place in range(first, first + share + (number < extra))]


def _told(tps: list[TP]) -> str:
    return (
        ",".join(sorted({f"{'learner' if tp.topic.endswith('examples') else tp.partition}" for tp in tps})) or "nothing"
    )
