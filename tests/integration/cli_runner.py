"""Runs commands in this process against the session's services, with topics and keys of one test's own."""

import asyncio
import logging
import os
from collections.abc import Callable, Iterator

import pytest

from agents.meta import Meta, encode_meta
from agents.record import Customer, encode_customer
from churnwatch import cli
from churnwatch.kafka import describe
from churnwatch.redis_client import open_redis
from churnwatch.settings import Settings
from churnwatch.settings_load import load_settings
from churnwatch.topic_layout import known_to_brokers
from features.redis_store import RedisStore
from features.state import Activity, apply
from features.store import Commit
from streams.events import Order
from streams.topics import partition_for

Run = Callable[..., str]


def pointed(
    patch: pytest.MonkeyPatch, bootstrap: str, redis_url: str, prefix: str, namespace: str
) -> Iterator[Settings]:
    """Point the commands' environment at the services, and give the settings that it makes."""
    for name in [name for name in os.environ if name.startswith("CHURNWATCH_")]:
        patch.delenv(name)
    environ = {
        "KAFKA_BOOTSTRAP": bootstrap,
        "REDIS_URL": redis_url,
        "TOPIC_PREFIX": prefix,
        "REDIS_NAMESPACE": namespace,
    }
    for name, value in (environ | {"TOPIC_PARTITIONS": "4", "DEBUG": "off"}).items():
        patch.setenv(f"CHURNWATCH_{name}", value)
    yield load_settings()
    logging.disable(logging.NOTSET)


def runner(capsys: pytest.CaptureFixture[str]) -> Run:
    """Give `run(*arguments, code=0)`, which runs a command and gives what it wrote to standard output."""

    def run(*arguments: str, code: int = 0) -> str:
        capsys.readouterr()
        ended = cli.run(list(arguments))
        said = capsys.readouterr()
        assert ended == code, said.err
        return said.out

    return run


def create_all(create_topics: Callable[..., None], settings: Settings) -> None:
    """Create inputs, alerts, scores and dead letters, with 4 partitions each."""
    topics = settings.topics()
    names = [*topics.inputs.values(), topics.alerts, topics.scores, *map(topics.dlq, topics.inputs.values())]
    create_topics(names)
    asyncio.run(known_to_brokers(settings, names))


def store_customer(settings: Settings, customer_id: str, outbox: list[bytes]) -> int:
    """Write a customer as a worker would, and give the partition."""

    async def write() -> int:
        activity = Activity.empty()
        event = Order(event_id="e", customer_id=customer_id, occurred_at=900_072_000_000, order_id="o", amount=5.0)
        apply(activity, "orders", event)
        known = Customer(activity, first_ms=900_072_000_000, as_of_ms=900_072_000_000, wake_ms=900_158_400_000)
        topics = settings.topics()
        partition = partition_for(customer_id.encode(), (await describe(settings)).count(topics.inputs["orders"]))
        async with open_redis(settings) as client:
            store = RedisStore(client, settings.redis_namespace, partition)
            await store.open()
            meta = encode_meta(Meta({topics.inputs["profiles"]: 1}, commits=1))
            writes = {customer_id: encode_customer(known)}
            await store.commit(Commit(meta, writes, timers={customer_id: known.wake_ms}, append=outbox))
            await store.close()
        return partition

    return asyncio.run(write())
