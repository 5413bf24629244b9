"""The simulated consumer: what `streams.transport.ChunkConsumer` is to the runners, without Faust.

It keeps that one's rules: partitions are held after an assignment until their runner has said where to start; fetching and seeking
exclude each other; every chunk carries the epoch of the seek that it was fetched under; chunks travel for a while before they are
delivered, also to a runner that has meanwhile sought again; only what was `stored` is committed, and only by a member of the group.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping

from faust.types import TP

from simulation.broker import Broker
from simulation.faults import OF_FETCHING
from simulation.life import Life
from streams.chunk import Chunk

POLL_SECONDS = 5.0
COMMIT_SECONDS = 0.5
IN_FLIGHT_MAX = 64


class Consumer:
    """One life's consumer.

    Args:
        broker: whose topics are read.
        life: whose consumer it is.
        deliver: takes the chunks (`Assignments.deliver`).
        is_member: whether the group takes this life for a member, so that its commits count.
        records_max: records of a chunk.
    """

    def __init__(
        self,
        broker: Broker,
        life: Life,
        deliver: Callable[[Chunk], None],
        is_member: Callable[[], bool],
        records_max: int,
    ) -> None:
        self._broker = broker
        self._life = life
        self._deliver = deliver
        self._is_member = is_member
        self._records_max = records_max
        self._fetch_seconds = life.rng.choice((0.006, 0.006, 0.1))
        self._assigned: list[TP] = []
        self._held: set[TP] = set()
        self._paused: set[TP] = set()
        self._epochs: dict[TP, int] = defaultdict(int)
        self._in_flight: dict[TP, int] = defaultdict(int)
        self._position: dict[TP, int] = {}
        self._stored: dict[TP, tuple[int, str]] = {}
        self._told: dict[TP, tuple[int, str]] = {}
        self._stalled_until: dict[TP, float] = {}
        self._travelling: deque[Chunk] = deque()
        self._exclusive = asyncio.Lock()
        self._wanted = asyncio.Event()
        self._arrived = asyncio.Event()

    def start(self) -> None:
        """Begin to fetch, to deliver and to commit."""
        self._life.spawn(self._fetch_for_ever(), "fetch")
        self._life.spawn(self._deliver_for_ever(), "deliver")
        self._life.spawn(self._commit_for_ever(), "commit")
        self._broker.appended.append(self._wanted.set)

    # -- assignment ----------------------------------------------------------------------------------------------------

    def hold(self, tps: Iterable[TP]) -> None:
        """Fetch them no more: they are being revoked."""
        self._held.update(tps)

    def revoked(self) -> None:
        """Their runners have ended: commit a last time, and forget them."""
        self._commit_now()
        self._assigned = []
        self._stored.clear()
        self._told.clear()

    def assigned(self, tps: list[TP]) -> None:
        """Hold them until their runners know where to start."""
        self._assigned = list(tps)
        self._held = set(tps)
        self._paused.clear()
        self._in_flight.clear()
        self._position.clear()

    async def start_from(self, positions: Mapping[TP, int]) -> int:
        """Seek; returns the epoch of the next chunks."""
        await self._life.point("seek asked")
        async with self._exclusive:
            epoch = 1 + max((self._epochs[tp] for tp in positions), default=0)
            await self._life.latency(0.002)
            for tp, offset in positions.items():
                self._epochs[tp] = epoch
                self._in_flight[tp] = 0
                self._position[tp] = offset
            self._held.difference_update(positions)
        self.resume_partitions(positions)
        return epoch

    # -- what the runners ask ------------------------------------------------------------------------------------------

    def at_end(self, tp: TP) -> bool:
        """Whether all of the partition has been delivered."""
        if tp in self._held or self._in_flight[tp]:
            return False
        position = self._position.get(tp)
        return position is not None and position >= len(self._broker.logs[tp.topic, tp.partition])

    def lag_events(self, tp: TP) -> int | None:
        """Records not yet fetched."""
        position = self._position.get(tp)
        return None if position is None else len(self._broker.logs[tp.topic, tp.partition]) - position

    def pause_partitions(self, tps: Iterable[TP]) -> None:
        """Fetch them no more for now."""
        self._paused.update(tps)

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        """Fetch them again."""
        self._paused.difference_update(tps)
        self._wanted.set()

    def delivered(self, chunk: Chunk) -> None:
        """A chunk no longer counts as under way."""
        tp = TP(chunk.topic, chunk.partition)
        if chunk.epoch == self._epochs[tp]:
            self._in_flight[tp] = max(0, self._in_flight[tp] - 1)

    def stored(self, offsets: Mapping[TP, tuple[int, str]]) -> None:
        """These may be committed to the group, each with its note."""
        self._stored.update(offsets)

    def noted(self, tps: Iterable[TP]) -> dict[TP, tuple[int, str]]:
        """What may be committed now."""
        return {tp: known for tp in tps if (known := self._stored.get(tp)) is not None}

    async def committed(self, tps: Iterable[TP]) -> dict[TP, tuple[int, str]]:
        """What the group has committed of these partitions."""
        await self._life.point("committed asked")
        await self._life.latency(0.002)
        known = {tp: self._broker.offsets.get((tp.topic, tp.partition)) for tp in sorted(tps)}
        await self._life.point("committed answered")
        return {tp: found for tp, found in known.items() if found is not None}

    # -- at work -------------------------------------------------------------------------------------------------------

    async def _fetch_for_ever(self) -> None:
        while True:
            await self._life.running()
            self._wanted.clear()
            if not await self._fetch():
                try:
                    await asyncio.wait_for(self._wanted.wait(), POLL_SECONDS)
                except TimeoutError:
                    continue

    async def _fetch(self) -> bool:
        """Fetch once; returns whether anything came."""
        came = False
        async with self._exclusive:
            await self._life.latency(self._fetch_seconds)
            for tp in self._assigned:
                if tp in self._held or tp in self._paused or len(self._travelling) >= IN_FLIGHT_MAX:
                    continue
                log = self._broker.logs[tp.topic, tp.partition]
                first = self._position[tp]
                if first >= len(log) or self._is_stalled(tp):
                    continue
                records = log[first : first + self._life.rng.randint(1, self._records_max)]
                self._position[tp] = first + len(records)
                self._in_flight[tp] += 1
                self._travelling.append(Chunk(tp.topic, tp.partition, self._epochs[tp], records))
                came = True
        self._arrived.set()
        return came

    def _is_stalled(self, tp: TP) -> bool:
        loop = asyncio.get_running_loop()
        if self._life.faults.strikes(("stalled",), self._life.name, f"{tp.topic}[{tp.partition}]"):
            seconds = self._life.rng.random() * 4
            self._stalled_until[tp] = loop.time() + seconds
            loop.call_later(seconds, self._wanted.set)
        return loop.time() < self._stalled_until.get(tp, 0.0)

    async def _deliver_for_ever(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._travelling:
                await self._life.latency(0.002)
                if self._life.faults.strikes(OF_FETCHING[1:], self._life.name, "chunk"):
                    await asyncio.sleep(self._life.rng.random())
                await self._life.running()
                self._deliver(self._travelling.popleft())

    async def _commit_for_ever(self) -> None:
        while True:
            await asyncio.sleep(COMMIT_SECONDS * (0.5 + self._life.rng.random()))
            await self._life.point("group commit")
            self._commit_now()

    def _commit_now(self) -> None:
        if not (self._life.alive and self._is_member()):
            return
        for tp in self._assigned:
            said = self._stored.get(tp)
            if said is not None and self._told.get(tp) != said:
                self._told[tp] = said
                self._broker.commit((tp.topic, tp.partition), *said)
