"""A consumer ends in good order, whatever aiokafka lets out of its own end."""

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.errors import KafkaConnectionError

from streams.reader import Consumer


class Client:
    """One whose broker is away."""

    _loop = None
    _metadata_max_age_ms = 1_000
    closed = False

    async def send(self, node: int, request: object) -> None:
        raise KafkaConnectionError

    async def close(self) -> None:
        self.closed = True


async def resting(kind: type[AIOKafkaConsumer]) -> tuple[AIOKafkaConsumer, Client]:
    """A consumer with a fetch that has failed and rests before it is tried again."""
    consumer, client = kind(group_id=None), Client()
    fetcher = Fetcher(client, SubscriptionState())
    fetcher._fetch_task.cancel()  # what it would do with no partition assigned
    await asyncio.wait([fetcher._fetch_task])
    fetch = asyncio.create_task(fetcher._proc_fetch_request(None, 0, SimpleNamespace(topics=[])))
    fetcher._pending_tasks.add(fetch)
    await asyncio.sleep(0)
    consumer._fetcher, consumer._client = fetcher, client
    return consumer, client


async def test_it_is_aiokafka_that_needs_this() -> None:
    """Should this fail after an upgrade, `Consumer` has done its time."""
    consumer, client = await resting(AIOKafkaConsumer)
    with pytest.raises(asyncio.CancelledError):
        await consumer.stop()
    assert not client.closed


async def test_the_end_of_a_fetch_is_not_taken_for_a_word_to_end() -> None:
    consumer, client = await resting(Consumer)
    await consumer.stop()
    assert client.closed


async def test_whoever_is_told_to_end_ends() -> None:
    consumer, client = await resting(Consumer)
    went_on = False

    async def read() -> None:
        nonlocal went_on
        try:
            await asyncio.sleep(60)
        finally:
            await consumer.stop()
            went_on = True

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait([reading])
    assert (reading.cancelled(), went_on, client.closed) == (True, False, True)
