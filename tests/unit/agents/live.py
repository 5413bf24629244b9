"""A shop on the wall's clock: records come when they come, and sources stop and come back.

One worker holds all partitions. Time goes in ticks: what has come by then is published, and the runners work until nothing is left to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from agents.clock import PartitionClock
from agents.pipeline import Pipeline
from agents.sources import latest_heard, silent_topics
from streams.codec import Arrival, RawRecord
from streams.time import HOUR_MS
from streams.topics import partition_for
from tests.unit.agents.samples import LATENESS_MS, TOPICS, desk
from tests.unit.agents.world import Lane, World

TICK_MS = 6 * HOUR_MS
SILENT_MS = 36 * HOUR_MS
TELLING = frozenset({TOPICS.inputs["orders"], TOPICS.inputs["logins"]})
Coming = tuple[int, Arrival]
"""When a record comes (wall clock), and which."""


@dataclass(frozen=True, slots=True)
class Outage:
    """The streams' producers stop at `from_ms` and come back at `until_ms`, with all that has happened meanwhile."""

    streams: frozenset[str]
    from_ms: int
    until_ms: int

    def delayed(self, items: Iterable[Arrival]) -> list[Coming]:
        """When each of the items comes: at once, but for the outage."""
        return [
            (self.until_ms if item.stream in self.streams and self.from_ms <= at_ms < self.until_ms else at_ms, item)
            for item in items
            for at_ms in [item.event.occurred_at]
        ]


@dataclass
class LiveWorld(World):
    """Give it what comes and when (`live`); the wall is at `wall_ms`."""

    wall_ms: int = 0
    telling: frozenset[str] = TELLING
    tick_ms: int = TICK_MS
    in_turn: Sequence[str] = ()
    """Topics of which each is fetched only when those before it have been fetched wholly; all at once where there are none."""
    said_at_ms: dict[int, int] = field(default_factory=dict)
    """Place in `published` to the wall at which it was said."""

    def heard(self) -> dict[str, int]:
        latest_ms = latest_heard(lane.runner.meta.heard_ms for lane in self.lanes)
        return {topic: at_ms for topic, at_ms in latest_ms.items() if topic in self.telling}

    def _lane(self, *args: object) -> Lane:
        lane = super()._lane(*args)  # type: ignore[arg-type]
        lane.runner._clock = PartitionClock(LATENESS_MS, lambda: self.wall_ms, live=True, heard_ms=self.heard)
        guarded = replace(desk(self.policy, self.question), held=self.held)
        lane.runner._pipeline = Pipeline(guarded, self.question, self.keeping)
        return lane

    def held(self) -> bool:
        heard_ms = self.heard()
        return bool(silent_topics(heard_ms, dict.fromkeys(heard_ms, True), self.wall_ms, SILENT_MS))

    def live(self, coming: Sequence[Coming], from_ms: int, restarts: Iterable[int] = ()) -> LiveWorld:
        """Let time pass from `from_ms` to `until_ms`; the worker is replaced at the ticks `restarts`."""
        asyncio.run(
            self._live(
                sorted(coming, key=lambda came: (came[0], came[1].event.occurred_at)), from_ms, frozenset(restarts)
            )
        )
        return self

    async def _live(self, coming: list[Coming], from_ms: int, restarts: frozenset[int]) -> None:
        for lane in self.lanes:
            await lane.runner.open()
        place = 0
        for tick, wall_ms in enumerate(range(from_ms, self.until_ms + 1, self.tick_ms)):
            self.wall_ms = wall_ms
            if tick in restarts:
                await self._crash()
            while place < len(coming) and coming[place][0] <= wall_ms:
                self._append(coming[place][1])
                place += 1
            await self._settle()

    def _append(self, item: Arrival) -> None:
        old = item.record
        partition = partition_for(old.key or b"", self.partitions)
        log = self.lanes[partition].log[old.topic]
        assert isinstance(log, list)
        record = RawRecord(old.topic, partition, len(log), old.timestamp_ms, old.key, old.value)
        log.append(Arrival(item.stream, item.event, record))

    async def _settle(self) -> None:
        busy = True
        while busy:
            busy = False
            for lane in self.lanes:
                self._pump(lane)
                said, before = len(self.published), (lane.runner.meta.clock_ms, len(lane.runner.feed))
                worked = await lane.runner.step()
                await lane.outbox.flush()
                self.said_at_ms |= dict.fromkeys(range(said, len(self.published)), self.wall_ms)
                coming = not all(map(lane.source.at_end, lane.log))
                busy = busy or worked or coming or before != (lane.runner.meta.clock_ms, len(lane.runner.feed))

    def _pump(self, lane: Lane) -> None:
        waiting = [topic for topic in self.in_turn if not lane.source.at_end(topic)]
        lane.source.paused.update(waiting[1:])
        lane.source.pump(lane.runner, self.fetch)
        lane.source.paused.difference_update(waiting)

    # -- what came of it -----------------------------------------------------------------------------------------------

    @property
    def learnt(self) -> list[tuple[str, int, int, int, bytes]]:
        """What the examples say: customer, when asked, when answered, label, features."""
        return [(e.customer, e.taken_ms, e.matured_ms, e.label, e.vector) for e in self.examples]

    @property
    def kept(self) -> dict[str, tuple[object, ...]]:
        """What is kept of each customer, but for what was said at the time."""
        found: dict[str, tuple[object, ...]] = {}
        for customer_id in self.states:
            customer = self.customer(customer_id)
            pending = [(asked.taken_ms, asked.vector) for asked in customer.pending]
            activity = msgspec.msgpack.encode(customer.activity)
            found[customer_id] = (activity, pending, customer.first_ms, customer.cancelled_ms, customer.wake_ms)
        return found
