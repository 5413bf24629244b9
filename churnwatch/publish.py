"""Publish event files: check every line first, then write them to the input topics, then make sure they are there.

1. The files are checked whole before anything is sent, so that a bad line in the middle does not leave half a file behind.
2. librdkafka's idempotent producer sends, in bounded batches, with Kafka's own partitioner; every acknowledgement is counted.
3. What the broker has dropped meanwhile is counted too: an in-process broker keeps little, and says nothing.

Records carry the time of sending, not the event's: Kafka's retention goes by the record's time, and would delete a log of
last year within minutes.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from churnwatch import publish_lines as lines
from churnwatch.kafka import Cluster, describe, librdkafka_options, unreachable
from churnwatch.settings import Settings
from churnwatch.topic_reader import offsets
from streams.codec import Limits
from streams.errors import TransportError

BATCH: Final = 1_000
"""Messages handed over between two looks at the event loop."""

IN_FLIGHT_MAX: Final = 50_000
IN_FLIGHT_KBYTES_MAX: Final = 65_536
DELIVERY_SECONDS_MAX: Final = 30
WAIT_SECONDS: Final = 0.005


@dataclass(frozen=True, slots=True)
class PublishOptions:
    """How to publish.

    Attributes:
        skip_bad: leave bad lines out and count them, instead of refusing the file.
        rate: events a second at most; None for as fast as it goes.
        shift_to_ms: move all times so that the last event is at this instant; None leaves them.
    """

    skip_bad: bool = False
    rate: float | None = None
    shift_to_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: events so far and in all (None while unknown) of a stage that began `seconds` ago."""

    stage: Literal["checking", "publishing"]
    events: int
    total: int | None
    seconds: float

    @property
    def per_second(self) -> float:
        """Events a second in this stage."""
        return self.events / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class PublishSummary:
    """What was published.

    Attributes:
        events: acknowledged events by topic.
        skipped: bad lines left out.
        dropped: of the acknowledged, those that the broker no longer held at the end.
        first_ms, last_ms: span of event time as published; None where there was no event.
        seconds: from the first message to the last acknowledgement.
    """

    events: Mapping[str, int]
    skipped: int
    dropped: int
    first_ms: int | None
    last_ms: int | None
    seconds: float

    @property
    def total(self) -> int:
        """Acknowledged events."""
        return sum(self.events.values())


OnProgress = Callable[[Progress], None]


async def publish_files(
    settings: Settings,
    paths: Sequence[Path],
    on_progress: OnProgress = lambda _: None,
    options: PublishOptions = PublishOptions(),
) -> PublishSummary:
    """Publish the events of all files.

    Raises:
        InputFileError: a bad line; nothing was published.
        TransportError: the brokers do not answer, a topic is missing, or an event was not acknowledged.
    """
    cluster = await describe(settings)
    now_ms = time.time_ns() // 1_000_000
    limits = Limits(value_bytes_max=settings.value_bytes_max, future_ms_max=settings.future_tolerance_ms)
    checked = await _checked(lines.check(paths, limits, now_ms, skip_bad=options.skip_bad), on_progress)
    topics = {stream: settings.topics().inputs[stream] for stream in checked.events}
    _require(cluster, topics.values())
    _, ends_before = await offsets(settings, cluster, list(topics.values()))
    shift_ms = 0 if options.shift_to_ms is None or checked.last_ms is None else options.shift_to_ms - checked.last_ms
    sending = _Sending(settings, topics, checked.total, options.rate)
    await sending.send(lines.messages(paths, checked.bad, shift_ms), on_progress)
    firsts, _ = await offsets(settings, await describe(settings), list(topics.values()))
    return PublishSummary(
        events=dict(sending.acknowledged),
        skipped=checked.skipped,
        dropped=sum(max(0, first - ends_before.get(tp, 0)) for tp, first in firsts.items()),
        first_ms=None if checked.first_ms is None else checked.first_ms + shift_ms,
        last_ms=None if checked.last_ms is None else checked.last_ms + shift_ms,
        seconds=sending.seconds,
    )


def _require(cluster: Cluster, topics: Iterable[str]) -> None:
    """Refuse missing topics: where brokers make them on the fly, they get any number of partitions."""
    missing = [topic for topic in topics if topic not in cluster.partitions]
    if missing and not cluster.embedded:
        raise TransportError(f"there is no topic {', '.join(missing)}; run `churnwatch topics create` first")


async def _checked(found: Iterator[lines.Checked], on_progress: OnProgress) -> lines.Checked:
    began = time.monotonic()
    checked = lines.Checked()
    for checked in found:
        on_progress(Progress("checking", checked.total + checked.skipped, None, time.monotonic() - began))
        await asyncio.sleep(0)
    return checked


@dataclass(slots=True)
class _Sending:
    """One run of the producer: what was handed over, what was acknowledged, what went wrong first."""

    settings: Settings
    topics: Mapping[str, str]
    total: int
    rate: float | None
    acknowledged: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    failure: KafkaError | None = None
    seconds: float = 0.0

    async def send(self, messages: Iterator[lines.Message], on_progress: OnProgress) -> None:
        """Send all messages and return when every one is acknowledged."""
        producer = self._producer()
        began = time.monotonic()
        try:
            size = BATCH if self.rate is None else max(1, min(BATCH, int(self.rate / 10)))
            while batch := list(islice(messages, size)):
                await self._hand_over(producer, batch)
                self.seconds = time.monotonic() - began
                on_progress(Progress("publishing", self.sent, self.total, self.seconds))
                if self.rate is not None:
                    await asyncio.sleep(began + self.sent / self.rate - time.monotonic())
            while len(producer):
                await self._poll(producer, WAIT_SECONDS)
        finally:
            producer.purge()
        self.seconds = time.monotonic() - began
        if self.acknowledged.total() != self.sent:
            raise TransportError(f"{self.sent - self.acknowledged.total()} of {self.sent} events were not acknowledged")
        on_progress(Progress("publishing", self.sent, self.total, self.seconds))

    async def _hand_over(self, producer: Producer, batch: Iterable[lines.Message]) -> None:
        for _, stream, key, value in batch:
            while True:
                try:
                    producer.produce(self.topics[stream], value, key, on_delivery=self._delivered)
                    break
                except BufferError:
                    await self._poll(producer, WAIT_SECONDS)
            self.sent += 1
        await self._poll(producer, 0)

    async def _poll(self, producer: Producer, seconds: float) -> None:
        producer.poll(0)
        await asyncio.sleep(seconds)
        if self.failure is not None:
            raise unreachable(self.settings, f"an event was not acknowledged: {self.failure.str()}")

    def _delivered(self, failure: KafkaError | None, message: Message) -> None:
        if failure is None:
            self.acknowledged[message.topic() or ""] += 1
        else:
            self.failure = self.failure or failure

    def _producer(self) -> Producer:
        options: dict[str, Any] = librdkafka_options(self.settings) | {
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "linger.ms": 20,
            "batch.size": 1 << 20,
            "message.max.bytes": max(2 * self.settings.value_bytes_max, 1 << 20),
            "queue.buffering.max.messages": IN_FLIGHT_MAX,
            "queue.buffering.max.kbytes": IN_FLIGHT_KBYTES_MAX,
            "message.timeout.ms": DELIVERY_SECONDS_MAX * 1000,
        }
        try:
            return Producer(options)
        except KafkaException as error:
            raise unreachable(self.settings, error) from error
