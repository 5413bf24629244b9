"""From the alerts' topic to the lanes, and the offsets of what is settled back to Kafka.

A consumer group of its own reads the topic, so the workers never notice how the receiver fares. Each partition held has a lane; one that is
full is not read from, so that nothing piles up here while the receiver is away: it waits in Kafka.

Rebalancing, in this order: no lane begins an attempt any more; attempts under way are finished; what is settled is committed; the
partitions go. A partition that comes begins where Kafka says that it was left.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final, Literal

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError

from churnwatch.deliver_lane import WAITING_MAX, Lane, Settle
from churnwatch.delivery import Known
from streams.codec import RawRecord

log = logging.getLogger("churnwatch.deliver")

FETCH_WAIT_MS: Final = 200
IDLE_SECONDS: Final = 0.05
RETRY_SECONDS: Final = 1.0


class Courier(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """The lanes of one process.

    Args:
        consumer: not subscribed yet.
        settle: see `Lane`.
        start: where a partition without a committed offset begins.
        grace_seconds: how long attempts under way may take where partitions are to be given back.
    """

    def __init__(
        self, consumer: AIOKafkaConsumer, settle: Settle, start: Literal["end", "beginning"], grace_seconds: float
    ) -> None:
        self._consumer = consumer
        self._settle = settle
        self._start = start
        self._grace_seconds = grace_seconds
        self._lanes: dict[TopicPartition, Lane] = {}
        self._known: dict[TopicPartition, Known] = {}
        """Kept while a partition is away: what was delivered and could not be committed is known when it is back."""
        self._life = 0
        """Counts assignments: what was fetched under an earlier one may have been given to others meanwhile."""
        self._settled_down = False
        self._moved = asyncio.Event()
        self._committing = asyncio.Lock()
        self.turned = time.monotonic()
        """When the loop last turned."""

    @property
    def lanes(self) -> Collection[Lane]:
        """Those of the partitions held."""
        return self._lanes.values()

    def waiting(self) -> int:
        """Alerts that are on the partitions held and not settled, as far as the brokers have told."""
        ends = {tp: self._consumer.highwater(tp) for tp in self._lanes if tp in self._consumer.assignment()}
        return sum(max(0, (end or 0) - self._lanes[tp].done) for tp, end in ends.items())

    @asynccontextmanager
    async def subscribed(self, topic: str, leave_seconds: float) -> AsyncIterator[None]:
        """Take part in the group for as long as the block lasts; then finish what is under way, commit, and take leave."""
        self._consumer.subscribe([topic], listener=self)
        try:
            await self._consumer.start()
            yield
        finally:
            self._settled_down = False
            try:
                async with asyncio.timeout(self._grace_seconds + leave_seconds):
                    await self.close()
                    await self._consumer.stop()
            except TimeoutError:
                log.warning(
                    "Kafka did not hear all that is settled: the latest alerts may be posted again, under the same ids"
                )

    async def run(self) -> None:
        """Read and commit for ever; raises what a lane has died of."""
        committing = asyncio.create_task(self._commit_for_ever(), name="committing")
        try:
            while True:
                self.turned = time.monotonic()
                await self._turn()
                for task in (committing, *(lane.task for lane in self.lanes)):
                    if task.done() and not task.cancelled():
                        task.result()
        finally:
            committing.cancel()
            await asyncio.wait([committing])

    async def _turn(self) -> None:
        if not self._settled_down:
            await self._fetch(())  # of no partition; but it raises why none is dealt out, should that be for good
            await asyncio.sleep(IDLE_SECONDS)
            return
        await self._open()
        ready = [tp for tp, lane in self._lanes.items() if lane.room >= WAITING_MAX // 2]
        if not ready or not self._settled_down:
            await asyncio.sleep(IDLE_SECONDS)
            return
        life = self._life
        chunks = await self._fetch(ready)
        if life == self._life:  # else all partitions are opened anew, where they were left
            for tp, records in chunks.items():
                self._lanes[tp].put(map(raw, records))

    async def _fetch(self, ready: Collection[TopicPartition]) -> dict[TopicPartition, list[Any]]:
        """Return what there is for these lanes; nothing where Kafka cannot be read for now."""
        room = min((self._lanes[tp].room for tp in ready), default=1)
        try:
            chunks: dict[TopicPartition, list[Any]] = await self._consumer.getmany(
                *ready, timeout_ms=FETCH_WAIT_MS if ready else 0, max_records=room
            )
            return chunks
        except (TopicAuthorizationFailedError, GroupAuthorizationFailedError):
            raise
        except KafkaError as error:
            log.warning("Alerts cannot be read: %r; tried again", error)
            await asyncio.sleep(RETRY_SECONDS)
            return {}

    async def _open(self) -> None:
        """Give every new partition its lane, at the place where it was left."""
        life = self._life
        for tp in self._consumer.assignment() - self._lanes.keys():
            try:
                committed = await self._consumer.committed(tp)
                place = await self._first(tp) if committed is None else committed
            except KafkaError as error:
                log.warning("Where to begin on %s cannot be asked: %r; tried again", tp, error)
                await asyncio.sleep(RETRY_SECONDS)
                return
            if life != self._life:
                return
            self._consumer.seek(tp, place)
            known = self._known.setdefault(tp, Known())
            self._lanes[tp] = Lane(place, committed, self._settle, known, self._moved.set)
            self._moved.set()  # the place of a new group is committed at once, or "end" would move on with each start

    async def _first(self, tp: TopicPartition) -> int:
        ask = self._consumer.end_offsets if self._start == "end" else self._consumer.beginning_offsets
        return int((await ask([tp]))[tp])

    # -- giving back ---------------------------------------------------------------------------------------------------

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Finish what is under way, and commit it, before others get the partitions."""
        del revoked  # all of them go, in the way that this group rebalances
        self._life += 1
        self._settled_down = False
        await self.close()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Begin with the partitions dealt out; `_open` asks where, and may ask again."""
        self._life += 1
        self._settled_down = True
        log.info("%d partitions of alerts to deliver", len(assigned))

    async def close(self) -> None:
        """Let every lane come to its end, and commit what is settled."""
        lanes, self._lanes = self._lanes, {}
        for lane in lanes.values():
            lane.leave()
        if lanes:
            await asyncio.gather(*(lane.left(self._grace_seconds) for lane in lanes.values()))
            await self._commit(lanes)

    # -- committing ----------------------------------------------------------------------------------------------------

    async def _commit_for_ever(self) -> None:
        """Commit whenever something is settled, as often as Kafka answers: the less may be posted twice."""
        while True:
            await self._moved.wait()
            self._moved.clear()
            if self._settled_down and not await self._commit(dict(self._lanes)):
                await asyncio.sleep(RETRY_SECONDS)
                self._moved.set()

    async def _commit(self, lanes: dict[TopicPartition, Lane]) -> bool:
        """Return whether all that is settled is committed."""
        async with self._committing:
            moved = {tp: lane.done for tp, lane in lanes.items() if lane.done != lane.committed}
            if not moved:
                return True
            try:
                await self._consumer.commit(moved)
            except KafkaError as error:
                # The group is being dealt anew, or Kafka is away: what is not committed will be posted again, under the same ids.
                log.info("Offsets are not committed: %r", error)
                return False
            for tp, offset in moved.items():
                lanes[tp].committed = offset
            return True


def raw(record: Any) -> RawRecord:
    """Return aiokafka's record as one of ours."""
    headers = tuple((str(name), bytes(value or b"")) for name, value in record.headers)
    return RawRecord(record.topic, record.partition, record.offset, record.timestamp, record.key, record.value, headers)


def oldest_seconds(lanes: Iterable[Lane], now_ms: int) -> float:
    """Return the age of the oldest alert in hand; 0 where there is none."""
    oldest = [lane.oldest_ms for lane in lanes if lane.oldest_ms is not None]
    return max(0.0, (now_ms - min(oldest)) / 1000) if oldest else 0.0
