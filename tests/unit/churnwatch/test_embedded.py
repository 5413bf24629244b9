"""The embedded services do what the worker needs of them."""

import asyncio
import os
from collections.abc import Iterator

import pytest
import redis.asyncio as redis
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from churnwatch.embedded import PARTITIONS, EmbeddedKafka, EmbeddedRedis


@pytest.fixture(scope="module")
def kafka() -> Iterator[str]:
    broker = EmbeddedKafka()
    yield broker.bootstrap
    broker.stop()


@pytest.fixture(scope="module")
def redis_address() -> Iterator[str]:
    server = EmbeddedRedis()
    yield server.url
    server.stop()


async def test_an_idempotent_producer_writes_what_a_consumer_reads(kafka: str) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka, enable_idempotence=True) as producer:
        sent = [await producer.send("orders", b"%d" % i, key=b"c%d" % i, headers=[("h", b"v")]) for i in range(200)]
        await asyncio.gather(*sent)
        assert await producer.partitions_for("orders") == set(range(PARTITIONS))
    async with AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest") as consumer:
        consumer.assign([TopicPartition("orders", partition) for partition in range(PARTITIONS)])
        got: dict[bytes, bytes] = {}
        while len(got) < 200:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                got |= {record.key: record.value for record in records if record.headers == (("h", b"v"),)}
    assert got == {b"c%d" % i: b"%d" % i for i in range(200)}


async def test_a_transaction_fails_when_a_watched_key_has_changed(redis_address: str) -> None:
    async with redis.from_url(redis_address) as ours, redis.from_url(redis_address) as theirs:
        async with ours.pipeline(transaction=True) as transaction:
            await transaction.watch("fence")
            await theirs.set("fence", b"changed")
            transaction.multi()
            transaction.set("fence", b"ours")
            with pytest.raises(redis.WatchError):
                await transaction.execute()
        assert await ours.get("fence") == b"changed"


async def test_replies_larger_than_a_socket_buffer_arrive_at_a_slow_reader(redis_address: str) -> None:
    # fakeredis alone fails here with BlockingIOError: see embedded.py
    value = os.urandom(10_000_000)
    async with redis.from_url(redis_address) as client:
        await client.set("large", value)
    host, port = redis_address.removeprefix("redis://").removesuffix("/0").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
    writer.write(b"*2\r\n$3\r\nGET\r\n$5\r\nlarge\r\n")
    got = await asyncio.wait_for(reader.readexactly(len(value)), timeout=20)
    assert len(got) == len(value)
    writer.close()
    await writer.wait_closed()
