"""The one thing that the console writes: what the team reports, as events on `churn.outcomes`."""

from __future__ import annotations

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from churnwatch.kafka import answering, unreachable
from churnwatch.settings import Settings
from streams.events import Outcome
from streams.time import iso


class KafkaReporter:
    """Sends each report and waits until Kafka has it: who is told that it is sent can rely on it."""

    def __init__(self, settings: Settings, producer: AIOKafkaProducer) -> None:
        self._settings = settings
        self._producer = producer
        self._topic = settings.topics().inputs["outcomes"]

    async def report(self, outcome: Outcome) -> None:
        """Return when the event is acknowledged; raises TransportError where it is not."""
        async with answering(self._settings):
            try:
                await self._producer.send_and_wait(self._topic, event_of(outcome), outcome.customer_id.encode())
            except KafkaError as error:
                raise unreachable(self._settings, error) from error


def event_of(outcome: Outcome) -> bytes:
    """Return the event as producers write it: instants as text, nothing that is not said."""
    fields = {name: value for name, value in msgspec.to_builtins(outcome).items() if value is not None}
    instants = {name: iso(fields[name]) for name in ("occurred_at", "snooze_until") if name in fields}
    return msgspec.json.encode(fields | instants)
