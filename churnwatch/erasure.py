"""Erase a customer wherever this product keeps data of one, and tell what it cannot reach.

1. A tombstone on the profiles: compaction removes the profile from the log, and a rebuilt state will not have it.
2. A tombstone on the scores: compaction removes the last score.
3. The state in Redis with its wake-up and whatever of it waits in the outbox, once a running worker has read the
   tombstone of step 1. The partition's fence moves, so a step that is under way cannot write the customer back.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from agents.meta import decode_meta, touched
from agents.outbox import decode_outgoing
from churnwatch.kafka import describe, open_producer
from churnwatch.redis_client import open_redis
from churnwatch.settings import Settings
from features.redis_store import RedisStore
from streams.topics import Topics, partition_for

READ_SECONDS_MAX: Final = 10.0
READ_EVERY_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was done: whether there was state, which topics got a tombstone, the latest one's instant, whether a worker had read the profile's."""

    erased: bool
    partition: int
    tombstones: tuple[str, ...]
    at_ms: int
    read_by_worker: bool


def remains(topics: Topics) -> list[str]:
    """Say what is left, and how it goes away: a Kafka log cannot be changed, it ages."""
    events = ", ".join(topics.inputs.values())
    return [
        f"Past events stay on {events} and their .dlq topics until retention (retention.ms) removes them.",
        "Replaying those events into an empty Redis brings the state back: erase again then.",
        f"Past alerts stay on {topics.alerts} and {topics.dlq(topics.alerts)} until retention removes them.",
        f"Labelled examples on {topics.examples} carry no id, only a hash of it, and figures; the model keeps sums of them.",
        f"{topics.inputs['profiles']} and {topics.scores} lose the customer when Kafka next compacts them.",
    ]


async def forget(settings: Settings, customer_id: str) -> Erasure:
    """Erase a customer; may be repeated.

    Raises:
        TransportError: Kafka or Redis does not answer.
        FenceLost: the partition changed under every one of many attempts; try again.
    """
    topics, cluster = settings.topics(), await describe(settings)
    key = customer_id.encode()
    partition = partition_for(key, cluster.count(topics.inputs["orders"]))
    profiles = topics.inputs["profiles"]
    targets = [topic for topic in (profiles, topics.scores) if topic in cluster.partitions]
    tombstone_offset, at_ms = None, time.time_ns() // 1_000_000
    async with open_producer(settings) as producer:
        for topic in targets:
            sent = await producer.send_and_wait(topic, None, key=key)
            at_ms = sent.timestamp  # that of the scores, told last: it parts the customer's past from what comes
            if topic == profiles:
                tombstone_offset = sent.offset
    async with open_redis(settings) as client:
        store = RedisStore(client, settings.redis_namespace, partition)
        try:
            read = tombstone_offset is None or await _read_up_to(store, profiles, tombstone_offset)
            erased = await store.erase(customer_id, _of_customer(key), touched)
        finally:
            await store.close()
    return Erasure(erased, partition, tuple(targets), at_ms, read)


def _of_customer(key: bytes) -> Callable[[bytes], bool]:
    return lambda entry: decode_outgoing(entry).key == key


async def _read_up_to(store: RedisStore, topic: str, offset: int) -> bool:
    """Wait until the partition's state reflects the tombstone, or for so long that no worker seems to run."""
    give_up_seconds = time.monotonic() + READ_SECONDS_MAX
    while True:
        meta = await store.open()
        if meta is None:
            return False
        if decode_meta(meta).offsets.get(topic, 0) > offset:
            return True
        if time.monotonic() > give_up_seconds:
            return False
        await asyncio.sleep(READ_EVERY_SECONDS)
