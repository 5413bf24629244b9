"""The consumer's thread: aiokafka's own client, and what Faust's driver does with it otherwise than the chunked transport wants.

Offsets are committed with a note, and both can be asked for again: the store's owner recognises by them a store that has lost what it held.
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
from mode.threads import ServiceThread, WorkerThread

log = logging.getLogger("churnwatch.transport")

Noted = tuple[int, str]
"""An offset to be committed, and the note that goes with it."""

Progress = tuple[int | None, int | None]
"""Position, and the end of what can be read: what belongs to a transaction that is still open lies behind it; None while unknown."""

Fetched = tuple[Mapping[TP, Any], Mapping[TP, Progress]]
"""Records taken out by partition, and how far each partition that was asked for is then."""


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
    """The driver's thread with a co-partitioning assignor, and commits that outlive a broker's restart."""

    Worker = _WorkerThread
    noted: Callable[[Iterable[TP]], dict[TP, Noted]]
    """What may be committed now; the consumer, which knows, sets it."""

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
            # What Kafka no longer holds must not be skipped in silence: a position out of range is an error.
            auto_offset_reset="none",
        )

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

    async def getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109 - Faust's
        """Take out what was fetched of these partitions, waiting for it if need be: `Fetched`."""
        return await self.call_thread(
            self._fetch_and_look, self._ensure_consumer(), active_partitions or set(), timeout
        )

    async def _fetch_and_look(self, consumer: AIOKafkaConsumer, wanted: set[TP], seconds: float) -> Fetched:
        records = await self._fetch_records(consumer, wanted, seconds, consumer._max_poll_records)
        # Nothing may come in between: a moment later the next answer of a broker moves the ends.
        return records, {tp: known for tp in wanted if (known := self.progress(tp))[0] is not None}

    def progress(self, tp: TP) -> Progress:
        """Tell how far the partition is fetched."""
        consumer = self._consumer
        subscription = consumer._subscription.subscription if consumer is not None else None
        assignment = subscription.assignment if subscription is not None else None
        state = assignment.state_value(TopicPartition(*tp)) if assignment is not None else None
        if state is None or not state.has_valid_position:
            return None, None
        return state.position, state.lso

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust's own livelock log lines assume one message per record; progress is watched per partition elsewhere."""
