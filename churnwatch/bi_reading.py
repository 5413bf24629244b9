"""What the sink reads: messages, and beside them what the learner keeps.

Topics are read at different speeds, yet whoever was erased (a tombstone on the scores) and came back must not lose what was told since: when the
tombstone is read, all that is there of them goes. So before a chunk of anything else is loaded, the scores are loaded up to what is their end
after that chunk was fetched. Whatever erasure came before a message is then in the database before it; and one that comes later
finds nothing there but what was told earlier. `churnwatch export` reads the scores first for the same reason.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from bi.rows import Rows
from churnwatch.bi_chunk import Loader
from churnwatch.bi_database import Database
from churnwatch.bi_metrics import BiMetrics
from churnwatch.deliver_courier import raw
from churnwatch.kafka import answering
from churnwatch.settings import Settings
from streams.codec import RawRecord
from streams.errors import ConfigError, StateError, TransportError

log = logging.getLogger("churnwatch.bi")

FETCH_WAIT_MS: Final = 250


def _learner() -> Callable[[Settings], Awaitable[Rows]]:
    """Import it when it is needed first: half the time that it takes to start."""
    from churnwatch.bi_learner import learner_rows

    return learner_rows


async def _learner_rows(settings: Settings) -> Rows:
    learner_rows = await asyncio.to_thread(_learner)  # on the loop, fetches would time out meanwhile
    return await learner_rows(settings)


class Reading:
    """A consumer, one that is `asking` where partitions end, and the loader that what is read goes to."""

    def __init__(
        self,
        settings: Settings,
        consumer: AIOKafkaConsumer,
        asking: AIOKafkaConsumer,
        partitions: list[TopicPartition],
        loader: Loader,
        database: Database,
        metrics: BiMetrics,
    ) -> None:
        self._settings = settings
        self._consumer = consumer
        self._asking = asking
        self._database = database
        self._metrics = metrics
        self._scores = settings.topics().scores
        self._of_scores = [tp for tp in partitions if tp.topic == self._scores]
        self._held: list[RawRecord] = []
        """A chunk that waits until scores are loaded up to `_held_until`."""
        self._held_until: dict[TopicPartition, int] = {}
        self.partitions = partitions
        self.loader = loader
        self._learner_read: float | None = None
        self._learning: asyncio.Task[Rows] | None = None

    async def turn(self) -> None:
        """Load what has come, if anything has; or hold it, where scores have to be loaded before it."""
        if self._held and await self._passed(self._held_until):
            records, self._held = self._held, []
        elif self._held:
            records = await self._fetch(self._of_scores)
        else:
            records = await self._sorted(await self._fetch(self.partitions))
        if records:
            await self.loader.load(records)
        ends = {tp: self._consumer.highwater(tp) for tp in self.partitions}
        if all(end is not None for end in ends.values()) or records:
            behind = [max(0, (end or 0) - await self._consumer.position(tp)) for tp, end in ends.items()]
            self._metrics.lag = sum(behind) + len(self._held)

    async def _fetch(self, partitions: Collection[TopicPartition]) -> list[RawRecord]:
        chunks = await self._consumer.getmany(
            *partitions, timeout_ms=FETCH_WAIT_MS, max_records=self._settings.bi_chunk_max
        )
        return [raw(record) for chunk in chunks.values() for record in chunk]

    async def _sorted(self, records: list[RawRecord]) -> list[RawRecord]:
        """Return what may be loaded at once, and hold the rest, a chunk at most."""
        scores = [record for record in records if record.topic == self._scores]
        others = [record for record in records if record.topic != self._scores]
        if others and self._of_scores:
            self._held, self._held_until = others, await self._ends(self._of_scores)
            return scores
        return records

    async def ends(self) -> dict[TopicPartition, int]:
        """Return where the partitions end now."""
        return await self._ends(self.partitions)

    async def _ends(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        async with answering(self._settings):
            found: dict[TopicPartition, int] = await self._asking.end_offsets(partitions)
        return found

    async def loaded_up_to(self, ends: Mapping[TopicPartition, int]) -> bool:
        """Whether all that was there before those ends is loaded."""
        return not self._held and await self._passed(ends)

    async def _passed(self, ends: Mapping[TopicPartition, int]) -> bool:
        # The position, not the last record's offset: compaction and transactions leave gaps, also at the end.
        return all([await self._consumer.position(tp) >= end for tp, end in ends.items()])

    def _learner_due(self) -> bool:
        """Whether it is time to look what the learner keeps: at the beginning, then every so often."""
        every_seconds = self._settings.bi_learner_every_ms / 1000
        return self._learner_read is None or time.monotonic() - self._learner_read > every_seconds

    async def learner(self, *, now: bool = False) -> None:
        """Load what the learner keeps when it is time, read beside the messages; `now`: at once, and wait for it.

        Where Redis does not tell, it says so and goes on: the next time it may.
        """
        if self._learning is None and (now or self._learner_due()):
            self._learner_read = time.monotonic()
            self._learning = asyncio.create_task(_learner_rows(self._settings), name="reading the learner")
        if self._learning is None or not (now or self._learning.done()):
            return
        learning, self._learning = self._learning, None
        try:
            rows = await learning
        except (StateError, ConfigError, TransportError) as error:
            log.warning("Goals and model quality stay as they were: %s", error)
            return
        await self._database.replace(rows)
        self._metrics.learner_at = time.monotonic()

    def close(self) -> None:
        """Let go of what is being read."""
        if self._learning is not None:
            self._learning.cancel()
