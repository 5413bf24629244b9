"""The consumer's thread: it keeps the worker in its group. What it is given is read elsewhere (`streams.reader`).

A thread of its own, so that the group hears from the worker however long a step keeps the loop. Offsets are committed with a note, and both can be asked for again: the store's owner recognises by them a store that has lost what it held.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode import Service
from mode.threads import ServiceThread, WorkerThread

log = logging.getLogger("churnwatch.transport")

Noted = tuple[int, str]
"""An offset to be committed, and the note that goes with it."""

BEAT_SECONDS = 0.5


class _WorkerThread(WorkerThread):
    """One that does not keep the process from ending, should Kafka keep the thread waiting."""

    def __init__(self, service: ServiceThread, **kwargs: Any) -> None:
        super().__init__(service, **kwargs)
        self.daemon = True

    def run(self) -> None:
        """Serve until told to stop, or until the service crashes, of which the worker's last line tells: no traceback after that."""
        try:
            super().run()
        except BaseException as error:  # noqa: BLE001 - whatever it is, a cancellation too, this thread is over
            if not (self.service.crashed or isinstance(error, asyncio.CancelledError)):
                log.error("The consumer's thread has ended: %r", error)


class ChunkConsumerThread(driver.AIOKafkaConsumerThread):
    """The driver's thread with a co-partitioning assignor, commits that outlive a broker's restart, and no records."""

    Worker = _WorkerThread
    noted: Callable[[Iterable[TP]], dict[TP, Noted]]
    """What may be committed now; the consumer, which knows, sets it."""

    beats = 0
    """Goes on for as long as the thread's loop turns, on which the group's heartbeat is."""

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        # Faust assigns round robin where there are no tables, which tears the topics of a partition apart; the range
        # assignor gives partition p of every topic with the same partition count to the same member.
        self._assignor = RangePartitionAssignor
        options: dict[str, Any] = transport.consumer_options
        return AIOKafkaConsumer(
            **options,
            group_id=self.app.conf.id,
            partition_assignment_strategy=[RangePartitionAssignor],
            enable_auto_commit=False,
        )

    async def on_start(self) -> None:
        """Join the group, and fetch nothing."""
        await super().on_start()
        await self._ensure_consumer()._fetcher.close()

    @Service.task
    async def _beat(self) -> None:
        while not self.should_stop:
            self.beats += 1
            await self.sleep(BEAT_SECONDS)

    @Service.task
    async def _heed(self) -> None:
        """End the worker where the group will not have it: aiokafka tells only those who wait for records.

        And whoever does not wait for any has left the group, in its view, once `max_poll_interval_ms` are over.
        """
        consumer = self._ensure_consumer()
        with consumer._subscription.fetch_context():
            while not self.should_stop:
                await consumer._fetcher._create_fetch_waiter()

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        # Commits serve lag tools only, so a broker that is away for a while is no reason to crash the worker.
        current = {
            TopicPartition(*tp): OffsetAndMetadata(*known)
            for tp, known in self.noted(offsets).items()
            if tp in self.assignment()
        }
        try:
            if current:
                await self._ensure_consumer().commit(current)
        except KafkaError as exc:
            self.log.warning("Committing offsets failed, will try again (positions are kept in the store): %r", exc)
            return False
        return bool(current)

    async def committed(self, tps: Iterable[TP]) -> dict[TP, Noted]:
        """What the group has committed, with the notes; partitions of which it knows nothing are left out."""
        known: dict[TP, Noted] = await self.call_thread(self._committed, list(tps))
        return known

    async def _committed(self, tps: Sequence[TP]) -> dict[TP, Noted]:
        coordinator = self._ensure_consumer()._coordinator
        found = await coordinator.fetch_committed_offsets([TopicPartition(*tp) for tp in tps])
        return {
            TP(tp.topic, tp.partition): (known.offset, known.metadata or "")
            for tp, known in found.items()
            if known.offset >= 0
        }

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust's own livelock log lines assume one message per record; progress is watched per partition elsewhere."""
