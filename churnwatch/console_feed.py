"""What the console hears: alerts, reports and scores from Kafka, into its inbox, for as long as it runs.

Read outside any consumer group and from the past on each start: nothing is committed, workers know nothing of it, and several
consoles may stand side by side. Scores are read whole, for their topic is compacted.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from alerts.alert import Alert
from alerts.alert import decode as decode_alert
from alerts.score import Score
from alerts.score import decode as decode_score
from churnwatch.alert_list import owner_of
from churnwatch.kafka import answering, describe, open_consumer
from churnwatch.settings import Settings
from console.board import Board
from streams.codec import Arrival, Limits, RawRecord, decode
from streams.errors import ChurnwatchError, Corrupt, NewerSchema, TransportError
from streams.events import Outcome
from streams.time import parse_instant

log = logging.getLogger("churnwatch.console")

FETCH_WAIT_MS: Final = 250
FETCH_RECORDS_MAX: Final = 5_000
RETRY_SECONDS: Final = 2.0
FORGET_SECONDS: Final = 3600.0
WATCH_SECONDS: Final = 15.0
MISSING_SECONDS: Final = 60.0
"""How often it is asked whether a topic that is not there yet has been created; then reading begins anew, with it."""


@dataclass(slots=True)
class _Heard:
    """A chunk of records, by what they are."""

    alerts: list[tuple[Alert, str | None]] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    scores: list[Score] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)


class Feed:
    """Reads for ever; `latest_ms` is the latest instant on the customers' clock that an alert has told of."""

    def __init__(self, settings: Settings, board: Board) -> None:
        self._settings = settings
        self._board = board
        self._topics = settings.topics()
        self._limits = Limits(settings.value_bytes_max, settings.future_tolerance_ms)
        self.latest_ms = 0

    async def run(self) -> None:
        """Read until cancelled; while Kafka is away, wait and begin anew: what comes twice changes nothing."""
        watching = asyncio.create_task(self._watch(), name="watch")
        try:
            while True:
                try:
                    await self._read()
                except TransportError as error:
                    self._board.freshness.away = True
                    log.warning("Waiting for Kafka: %s", error)
                await asyncio.sleep(RETRY_SECONDS)
        finally:
            watching.cancel()

    async def _watch(self) -> None:
        """Notice that Kafka is away: a consumer waits for it in silence, as if there were nothing new."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                await describe(self._settings)
            except ChurnwatchError:
                self._board.freshness.away = True
            else:
                self._board.freshness.away = False

    async def _read(self) -> None:
        topics = [self._topics.alerts, self._topics.inputs["outcomes"], self._topics.scores]
        there = (await describe(self._settings)).partitions
        missing = [topic for topic in topics if topic not in there]
        wanted = [TopicPartition(topic, place) for topic in topics for place in range(there.get(topic, 0))]
        if not wanted:
            raise TransportError("there are no topics yet; create them with `churnwatch topics create`")
        async with open_consumer(self._settings, isolation_level="read_committed") as consumer:
            consumer.assign(wanted)
            await self._go_back(consumer, wanted)
            forgotten = looked = time.monotonic()
            while True:
                if missing and time.monotonic() - looked > MISSING_SECONDS:
                    looked = time.monotonic()
                    if not (await describe(self._settings)).partitions.keys().isdisjoint(missing):
                        return
                chunks = await consumer.getmany(timeout_ms=FETCH_WAIT_MS, max_records=FETCH_RECORDS_MAX)
                for records in chunks.values():
                    await self._take(records)
                self._board.freshness.left = sum([await _left(consumer, tp) for tp in wanted])
                if time.monotonic() - forgotten > FORGET_SECONDS:
                    forgotten = time.monotonic()
                    self._board.inbox.forget_before(self._board.now_ms() - self._settings.console_history_ms)

    async def _go_back(self, consumer: AIOKafkaConsumer, wanted: Sequence[TopicPartition]) -> None:
        # In a replay events of long ago come now, so Kafka's time says nothing of the customers'.
        if self._settings.clock != "live":
            await consumer.seek_to_beginning(*wanted)
            return
        since_ms = int(time.time() * 1000) - self._settings.console_history_ms
        recent = [tp for tp in wanted if tp.topic != self._topics.scores]
        async with answering(self._settings):
            found = await consumer.offsets_for_times(dict.fromkeys(recent, since_ms))
        await consumer.seek_to_beginning(*(tp for tp in wanted if tp not in recent))
        for tp in recent:
            if found.get(tp) is None:
                await consumer.seek_to_end(tp)
            else:
                consumer.seek(tp, found[tp].offset)

    async def _take(self, records: Sequence[ConsumerRecord]) -> None:
        heard = _Heard()
        for record in records:
            try:
                self._sort(record, heard)
            except (Corrupt, NewerSchema) as error:
                log.warning("%s[%d] offset %d is passed over: %s", record.topic, record.partition, record.offset, error)
        inbox = self._board.inbox
        # In a thread: some thousand rows take longer than a page should wait.
        changed = await asyncio.to_thread(inbox.take_alerts, heard.alerts)
        changed += await asyncio.to_thread(inbox.take_outcomes, heard.outcomes)
        await asyncio.to_thread(inbox.take_scores, heard.scores, heard.gone)
        if changed:
            self._board.changed(changed)

    def _sort(self, record: ConsumerRecord, heard: _Heard) -> None:
        value: bytes | None = record.value
        if record.topic == self._topics.scores:
            if value is not None:
                heard.scores.append(decode_score(value))
            elif record.key is not None:
                heard.gone.append(record.key.decode(errors="replace"))
        elif record.topic == self._topics.alerts:
            if value is not None:
                alert = decode_alert(value)
                heard.alerts.append((alert, owner_of(record.headers)))
                self.latest_ms = max(self.latest_ms, parse_instant(alert.raised_at))
        elif value is not None:
            where = record.topic, record.partition, record.offset
            raw = RawRecord(*where, record.timestamp, record.key, value, tuple(record.headers))
            told = decode(raw, "outcomes", self._limits, int(time.time() * 1000))
            if isinstance(told, Arrival) and isinstance(told.event, Outcome):
                heard.outcomes.append(told.event)


async def _left(consumer: AIOKafkaConsumer, tp: TopicPartition) -> int:
    end = consumer.highwater(tp)
    return 0 if end is None else max(0, end - await consumer.position(tp))
