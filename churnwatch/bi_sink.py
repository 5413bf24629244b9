"""From Kafka's topics into the star schema: read from where the database says, load, go on.

| what | then |
| --- | --- |
| it is killed | nothing of the open transaction is there; its successor begins where the database stands |
| PostgreSQL goes away, or is started anew | it connects again, later and later, and begins where the database stands |
| Kafka goes away | it waits; what is loaded stays |
| a second one is started | it waits for the first one to end |
| a message is none | it is counted and passed over |
| Kafka no longer has what comes next | it says how much is lost, and goes on with what there is |
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from bi.messages import KINDS, Kind
from churnwatch.bi_chunk import Loader
from churnwatch.bi_database import Database, Place
from churnwatch.bi_metrics import BiMetrics
from churnwatch.bi_reading import Reading
from churnwatch.kafka import answering, describe, open_consumer
from churnwatch.settings import Settings
from churnwatch.topic_reader import partitions_of
from streams.codec import Limits
from streams.errors import StateError, StoreUnavailable, TransportError

log = logging.getLogger("churnwatch.bi")

LOOK_SECONDS: Final = 30.0
"""How often is looked for topics and partitions that are new."""
RETRY_SECONDS_MIN: Final = 0.5
RETRY_SECONDS_MAX: Final = 15.0


class Sink:
    """Fills one schema from one installation's topics.

    Args:
        settings: of both.
        metrics: counts.
        told: hears how many messages are loaded in all after each transaction.
    """

    def __init__(self, settings: Settings, metrics: BiMetrics, told: Callable[[float], None] | None = None) -> None:
        self._settings = settings
        self._metrics = metrics
        self._told = told or (lambda _: None)
        topics = settings.topics()
        names = topics.inputs | {"alerts": topics.alerts, "scores": topics.scores}
        self._kinds: dict[str, Kind] = {names[kind]: kind for kind in KINDS}
        self._begun = False
        self.turned = time.monotonic()
        """When the loop last turned."""
        self.loaded = self.passed_over = 0

    async def run(self, *, once: bool = False) -> None:
        """Load for ever, or `once` up to what was the end when it began.

        What fails before anything was reached is raised; later it is waited for.

        Raises:
            ConfigError: something has to be put right by a person.
            StateError: the schema was filled from another Kafka.
            StoreUnavailable, TransportError: PostgreSQL or Kafka does not answer, at the beginning.
        """
        wait_seconds = RETRY_SECONDS_MIN
        while True:
            began = time.monotonic()
            try:
                if await self._session(once=once):
                    return
                continue
            except (StoreUnavailable, TransportError) as error:
                if not self._begun:
                    raise
                log.warning("Waiting: %s", error)
            finally:
                self._metrics.up = False
            if time.monotonic() - began > RETRY_SECONDS_MAX:
                wait_seconds = RETRY_SECONDS_MIN
            await self._rest(wait_seconds)
            wait_seconds = min(2 * wait_seconds, RETRY_SECONDS_MAX)

    async def _rest(self, seconds: float) -> None:
        self.turned = time.monotonic()
        await asyncio.sleep(seconds)

    async def _session(self, *, once: bool) -> bool:
        """Load over one connection; return whether all is done, else there are new partitions."""
        async with Database.opened(self._settings) as database:
            await self._fenced(database)
            if await database.make():
                log.info("Made schema %s, with its tables and views", self._settings.bi_schema)
            self._metrics.up = True
            positions = await database.positions()
            async with self._consumer(positions) as (consumer, asking, partitions):
                limits = Limits(self._settings.value_bytes_max, self._settings.future_tolerance_ms)
                loader = Loader(database, self._kinds, limits, positions, self._metrics)
                self._begun = True
                reading = Reading(self._settings, consumer, asking, partitions, loader, database, self._metrics)
                try:
                    return await self._turns(reading, once=once)
                finally:
                    reading.close()
                    self.loaded += loader.loaded
                    self.passed_over += loader.passed_over

    async def _turns(self, reading: Reading, *, once: bool) -> bool:
        ends = await reading.ends() if once else {}
        looked = time.monotonic()
        while True:
            self.turned = time.monotonic()
            await reading.turn()
            self._told(self.loaded + reading.loader.loaded)
            if once and await reading.loaded_up_to(ends):
                await reading.learner(now=True)
                return True
            await reading.learner()
            if time.monotonic() - looked > LOOK_SECONDS:
                looked = time.monotonic()
                if partitions_of(await describe(self._settings), list(self._kinds)) != reading.partitions:
                    log.info("There are new partitions")
                    return False

    async def _fenced(self, database: Database) -> None:
        fencing = asyncio.ensure_future(database.fence())
        try:
            while not fencing.done():
                self.turned = time.monotonic()
                await asyncio.wait([fencing], timeout=1.0)
            fencing.result()
        finally:
            fencing.cancel()

    @asynccontextmanager
    async def _consumer(
        self, positions: Mapping[Place, tuple[int, int]]
    ) -> AsyncIterator[tuple[AIOKafkaConsumer, AIOKafkaConsumer, list[TopicPartition]]]:
        """Open a consumer of no group that stands where the database does (what is loaded is written there, and only there), and one to ask.

        The one that fetches has no answer to anything else before its fetch is back, which waits for messages.
        """
        partitions = partitions_of(await describe(self._settings), list(self._kinds))
        if not partitions:
            raise TransportError("there are no topics yet; create them with `churnwatch topics create`")
        committed = {"isolation_level": "read_committed"}
        async with (
            open_consumer(self._settings, **committed) as consumer,
            open_consumer(self._settings, **committed) as asking,
        ):
            for client in (consumer, asking):
                client.assign(partitions)
            asking.pause(*partitions)
            async with answering(self._settings):
                first = await asking.beginning_offsets(partitions)
                ends = await asking.end_offsets(partitions)
            for tp in partitions:
                consumer.seek(tp, self._start(tp, positions, first[tp], ends[tp]))
            self._metrics.lag = sum(
                max(0, ends[tp] - max(first[tp], positions.get((tp.topic, tp.partition), (0, 0))[0]))
                for tp in partitions
            )
            yield consumer, asking, partitions

    def _start(self, tp: TopicPartition, positions: Mapping[Place, tuple[int, int]], first: int, end: int) -> int:
        at = positions.get((tp.topic, tp.partition), (first, 0))[0]
        where = f"{tp.topic}[{tp.partition}]"
        if at > end:
            raise StateError(
                f"{where} ends at {end}, and schema {self._settings.bi_schema} was filled up to {at}: another Kafka, or the topic was "
                "made anew; drop the schema (DROP SCHEMA … CASCADE) or name another one in CHURNWATCH_BI_SCHEMA"
            )
        if at < first:
            log.warning("%s: %d messages are gone from Kafka before they were loaded", where, first - at)
        return max(at, first)
