"""Topics written and read whole, from outside any consumer group."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

from confluent_kafka import Producer

from churnwatch.settings import Settings
from churnwatch.topic_reader import read_topics
from streams.outgoing import Outgoing

ACKNOWLEDGED_SECONDS_MAX: Final = 20.0
POLL_EVERY: Final = 1_000


def produce(settings: Settings, messages: Iterable[Outgoing]) -> None:
    """Write messages, each partition's in the order given, and wait until all are acknowledged."""
    producer = Producer(
        {
            "bootstrap.servers": settings.kafka_bootstrap,
            "partitioner": "murmur2_random",
            "enable.idempotence": True,
            "log_level": 0,
        }
    )
    for number, message in enumerate(messages):
        headers: list[tuple[str, Any]] = list(message.headers)
        producer.produce(message.topic, message.value, message.key, headers=headers)
        if number % POLL_EVERY == 0:
            producer.poll(0)
    left = producer.flush(ACKNOWLEDGED_SECONDS_MAX)
    assert left == 0, f"{left} messages were not acknowledged"


def read(settings: Settings, *topics: str) -> list[Any]:
    """Read all that the topics hold; those that do not exist hold nothing."""

    async def all_of() -> list[Any]:
        return [record async for record in read_topics(settings, topics) if record is not None]

    return asyncio.run(all_of())
