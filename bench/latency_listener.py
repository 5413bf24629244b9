"""Who hears what the worker says, and notes when: alerts and scores, from the end of their topics as it is at the start."""

from __future__ import annotations

import json
import threading
import time
from typing import Final

from confluent_kafka import OFFSET_END, Consumer, Message, TopicPartition

from churnwatch.kafka import librdkafka_options
from churnwatch.settings import Settings
from streams.time import parse_instant

WAIT_SECONDS: Final = 0.05
ANSWER_SECONDS: Final = 10.0


class Listener:
    """Hears in a thread of its own; `scores` and `alerts` are (instant of the event, instant of arrival), epoch ms.

    The instant of the event is the one that the message names: events here occur when they are sent, and the worker looks at a customer
    as of the event. Only customers whose ids begin with `s-` and `l-` count: what they say follows from one event.
    """

    def __init__(self, settings: Settings) -> None:
        topics = settings.topics()
        self.scores: list[tuple[int, int]] = []
        self.alerts: list[tuple[int, int]] = []
        self._kinds = {
            topics.scores: (self.scores, b"s-", "scored_at"),
            topics.alerts: (self.alerts, b"l-", "raised_at"),
        }
        group = {"group.id": "latency-listener", "enable.auto.commit": False, "fetch.wait.max.ms": 50}
        self._consumer = Consumer(librdkafka_options(settings) | group)
        known = self._consumer.list_topics(timeout=ANSWER_SECONDS).topics
        self._consumer.assign(
            [TopicPartition(topic, number, OFFSET_END) for topic in self._kinds for number in known[topic].partitions]
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)
        self._thread.start()

    def take(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Give the scores and alerts heard since the last time."""
        found = list(self.scores), list(self.alerts)
        self.scores.clear()
        self.alerts.clear()
        return found

    def stop(self) -> None:
        """Stop listening."""
        self._stop.set()
        self._thread.join()
        self._consumer.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            message = self._consumer.poll(WAIT_SECONDS)
            if message is not None and message.error() is None:
                self._hear(message, time.time_ns() // 1_000_000)

    def _hear(self, message: Message, arrived_ms: int) -> None:
        topic, key, value = message.topic(), message.key(), message.value()
        assert topic is not None
        assert key is not None
        assert value is not None
        heard, prefix, field = self._kinds[topic]
        if key.startswith(prefix):
            heard.append((parse_instant(json.loads(value)[field]), arrived_ms))
