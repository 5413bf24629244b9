"""The soak's two ends in Kafka: who sends the events at a pace, and who hears the alerts. A thread each, both bounded."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

from chaos.soak_plan import PARTITIONS
from chaos.soak_shop import Sent
from churnwatch.kafka import librdkafka_options
from churnwatch.settings import Settings
from streams.errors import TransportError

TICK_SECONDS: Final = 0.02
FLUSH_SECONDS_MAX: Final = 30.0
IN_FLIGHT_MAX: Final = 50_000
BURST_OF_A_TICK: Final = 2_000
BATCH: Final = 500
WAIT_SECONDS: Final = 0.2


class Feeder:
    """Sends the shop's events.

    `rate` is events a second, and may be changed while it runs; None sends as fast as `ahead` allows: never more than so many events
    ahead of what `taken` says has been taken in. Raises nothing in its thread: `check` does.
    """

    def __init__(self, settings: Settings, shop: Iterator[Sent], taken: Callable[[], int]) -> None:
        self.rate: float | None = None
        self.ahead = 0
        self.sent = 0
        self.acknowledged = 0
        self.at_ms = 0
        self.outcomes: Counter[str] = Counter()
        self._shop = shop
        self._taken = taken
        self._topics = settings.topics().inputs
        self._failure: str | None = None
        self._stop = threading.Event()
        options = {"partitioner": "murmur2_random", "linger.ms": 5, "enable.idempotence": True}
        limits = {"queue.buffering.max.messages": IN_FLIGHT_MAX}
        self._producer = Producer(librdkafka_options(settings) | options | limits)
        self._thread = threading.Thread(target=self._run, name="feeder", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def check(self) -> None:
        """Raise TransportError where sending has failed."""
        if self._failure is not None:
            raise TransportError(f"the soak's producer has failed: {self._failure}")

    def stop(self) -> None:
        """Stop, and wait for the acknowledgements of what was sent; safe to call again."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(FLUSH_SECONDS_MAX)
        self._producer.flush(FLUSH_SECONDS_MAX)

    def _run(self) -> None:
        try:
            self._send_all()
        except Exception as error:  # noqa: BLE001 - `check` raises it where somebody listens
            self._failure = repr(error)

    def _send_all(self) -> None:
        due, before = 0.0, time.monotonic()
        while not self._stop.wait(TICK_SECONDS):
            now = time.monotonic()
            room = self._taken() + self.ahead - self.sent
            # What could not be sent in time is not made up for: a pause of the machine is no burst.
            due = BURST_OF_A_TICK if self.rate is None else min(due + self.rate * (now - before), BURST_OF_A_TICK)
            before = now
            count = max(0, min(int(due), room))
            for _ in range(count):
                self._send(next(self._shop))
            due -= count
            self._producer.poll(0)

    def _send(self, event: Sent) -> None:
        while True:
            try:
                self._producer.produce(self._topics[event.stream], event.value, event.key, on_delivery=self._delivered)
                break
            except BufferError:
                self._producer.poll(TICK_SECONDS)
        self.sent += 1
        self.at_ms = event.at_ms
        self.outcomes[event.outcome] += 1

    def _delivered(self, failure: KafkaError | None, message: Message) -> None:  # noqa: ARG002 - the client's signature
        if failure is None:
            self.acknowledged += 1
        else:
            self._failure = self._failure or failure.str()


class Listener:
    """Hears every alert, and keeps book of ids, kinds and open episodes."""

    def __init__(self, settings: Settings) -> None:
        self.kinds: Counter[str] = Counter()
        self.repeated = 0
        self.doubly_open = 0
        self._seen: set[str] = set()
        self._open: dict[str, str] = {}
        self._stop = threading.Event()
        group = {"group.id": "soak-listener", "enable.auto.commit": False, "auto.offset.reset": "earliest"}
        self._consumer = Consumer(librdkafka_options(settings) | group)
        alerts = settings.topics().alerts
        self._consumer.assign([TopicPartition(alerts, partition, 0) for partition in range(PARTITIONS)])
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening; safe to call again."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
            self._consumer.close()

    @property
    def alerts(self) -> int:
        """Different alerts heard so far."""
        return len(self._seen)

    @property
    def open(self) -> int:
        """Episodes open, as those who listen see it."""
        return len(self._open)

    def _run(self) -> None:
        while not self._stop.is_set():
            for message in self._consumer.consume(BATCH, WAIT_SECONDS):
                value = message.value()
                if message.error() is None and value is not None:
                    self.hear(json.loads(value))

    def hear(self, alert: dict[str, Any]) -> None:
        """Take one alert in."""
        if alert["alert_id"] in self._seen:
            self.repeated += 1
            return
        self._seen.add(alert["alert_id"])
        self.kinds[alert["kind"]] += 1
        customer, episode = alert["customer_id"], alert["episode_id"]
        if alert["kind"] in {"resolved", "churned"}:
            self._open.pop(customer, None)
        else:
            self.doubly_open += self._open.get(customer, episode) != episode
            self._open[customer] = episode
