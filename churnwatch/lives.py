"""What the learner asks of the partitions' states, and the partitions of Kafka, before they go on: is it still the same one?"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient
from redis.exceptions import RedisError

from agents.meta import decode_meta
from churnwatch.kafka import librdkafka_options
from churnwatch.settings import Settings
from features.redis_client import Client
from features.redis_layout import Layout
from streams.errors import NotOpened, StoreUnavailable

log = logging.getLogger("churnwatch.worker")


def lives(client: Client, namespace: str, partitions: int) -> Callable[[], Awaitable[Mapping[int, int]]]:
    """Give what reads the life in which every input partition's state began; it raises `StoreUnavailable` while one has not."""

    async def read() -> Mapping[int, int]:
        found: dict[int, int] = {}
        try:
            for partition in range(partitions):
                value = await client.get(Layout(namespace, partition).meta)
                if not isinstance(value, bytes):
                    raise NotOpened(f"no worker has opened partition {partition} yet")
                found[partition] = decode_meta(value).born
        except (RedisError, OSError) as error:
            raise StoreUnavailable(f"Redis cannot be reached: {error}") from error
        return found

    return read


async def topic_ids(settings: Settings, topics: Sequence[str]) -> dict[str, str]:
    """Return Kafka's own ids of the topics; of one that cannot be had (old or embedded brokers, no permission) nothing."""
    return await asyncio.to_thread(_topic_ids, settings, topics)


def _topic_ids(settings: Settings, topics: Sequence[str]) -> dict[str, str]:
    seconds = settings.kafka_timeout_ms / 1000
    found: dict[str, str] = {}
    try:
        client = AdminClient(librdkafka_options(settings))  # held on to: with it would go what was asked
        asked = client.describe_topics(TopicCollection(list(topics)), request_timeout=seconds)
        for topic, answer in asked.items():
            found[topic] = str(answer.result(seconds).topic_id)
    except (KafkaException, TimeoutError) as error:
        log.info("Kafka does not tell the ids of its topics, so one created anew may go unnoticed: %s", error)
    return found
