"""The alerts of one partition, one after the other, so that a customer's arrive in the order in which they were raised."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from churnwatch.delivery import Known
from streams.codec import RawRecord

WAITING_MAX: Final = 20
"""Records in hand per partition: what another process may post as well where this one has lost its partitions unawares."""

Settle = Callable[[RawRecord, Known, asyncio.Event], Awaitable[bool]]


class Lane:
    """One partition's work; `settle` is `Delivery.settle`, `known` what was delivered of it, `moved` hears that there is something to commit.

    `done` is the offset of the first record that is not settled, `committed` what Kafka has of it (None where it has nothing).
    """

    def __init__(
        self, done: int, committed: int | None, settle: Settle, known: Known, moved: Callable[[], None]
    ) -> None:
        self.done = done
        self.committed = committed
        self._settle = settle
        self._moved = moved
        self._waiting: deque[RawRecord] = deque()
        self._work = asyncio.Event()
        self._leaving = asyncio.Event()
        self._known = known
        self.task = asyncio.create_task(self._run(), name="lane")

    @property
    def room(self) -> int:
        """How many more records it takes."""
        return WAITING_MAX - len(self._waiting)

    @property
    def oldest_ms(self) -> int | None:
        """Kafka's time of the record at the head; None where there is none."""
        return self._waiting[0].timestamp_ms if self._waiting else None

    def put(self, records: Iterable[RawRecord]) -> None:
        """Take records, in order."""
        self._waiting.extend(records)
        self._work.set()

    async def _run(self) -> None:
        while not self._leaving.is_set():
            if not self._waiting:
                self._work.clear()
                await self._work.wait()
                continue
            record = self._waiting[0]
            if not await self._settle(record, self._known, self._leaving):
                return
            self._waiting.popleft()
            self.done = record.offset + 1
            self._moved()

    def leave(self) -> None:
        """Begin no further attempt; one that is under way is finished."""
        self._leaving.set()
        self._work.set()

    async def left(self, seconds: float) -> None:
        """Wait until it has left, at most so long; then what is under way is dropped, and will be posted again."""
        await asyncio.wait([self.task], timeout=seconds)
        self.task.cancel()
        await asyncio.wait([self.task])
