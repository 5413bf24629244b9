"""The session's Kafka and Redis serve the clients that the worker uses."""

import asyncio
from collections.abc import Callable

import redis.asyncio as redis
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

COUNT = 400


async def test_an_idempotent_producer_and_a_consumer_group_lose_nothing(
    kafka_bootstrap: str, topic_prefix: str, create_topics: Callable[..., None]
) -> None:
    topic = f"{topic_prefix}orders"
    create_topics([topic])
    await _produce(kafka_bootstrap, topic)
    got = await _consume(kafka_bootstrap, topic, group=topic_prefix, until=COUNT)
    assert sorted(got) == list(range(COUNT))


async def test_two_members_share_the_partitions_and_find_committed_offsets(
    real_kafka: str, topic_prefix: str, create_topics: Callable[..., None]
) -> None:
    topic = f"{topic_prefix}orders"
    create_topics([topic], partitions=6)
    await _produce(real_kafka, topic)
    seen: list[int] = []
    both = [asyncio.create_task(_consume(real_kafka, topic, topic_prefix, COUNT, seen)) for _ in range(2)]
    await asyncio.gather(*both)
    assert set(seen) == set(range(COUNT))
    async with AIOKafkaConsumer(
        bootstrap_servers=real_kafka, group_id=topic_prefix, enable_auto_commit=False
    ) as reader:
        committed = [await reader.committed(TopicPartition(topic, partition)) for partition in range(6)]
    assert sum(offset or 0 for offset in committed) == COUNT


async def test_the_redis_keeps_what_it_is_given(redis_url: str, namespace: str) -> None:
    async with redis.from_url(redis_url) as client:
        await client.mset({f"{namespace}:{{1}}:c:a": b"\x00\r\n\xff", f"{namespace}:{{1}}:c:b": b""})
        assert await client.mget([f"{namespace}:{{1}}:c:{name}" for name in "abc"]) == [b"\x00\r\n\xff", b"", None]


async def _produce(bootstrap: str, topic: str) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True) as producer:
        await asyncio.gather(*[await producer.send(topic, b"%d" % n, key=b"c%d" % n) for n in range(COUNT)])


async def _consume(bootstrap: str, topic: str, group: str, until: int, seen: list[int] | None = None) -> list[int]:
    """Read as a member of `group`, committing, until `seen`, which members may share, holds `until` numbers."""
    seen = [] if seen is None else seen
    async with AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False, auto_offset_reset="earliest"
    ) as member:
        while len(set(seen)) < until:
            for records in (await member.getmany(timeout_ms=100)).values():
                seen.extend(int(record.value) for record in records)
            await member.commit()
    return seen
