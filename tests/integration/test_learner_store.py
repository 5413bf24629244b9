"""The learner's store on a real Redis and on fakeredis: the suite of all stores, and what can go wrong on the way."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import pytest

from features.redis_client import Command, RedisOptions, Wire, WireBroken, connect
from models.redis_store import RedisLearnerStore, head_key
from models.store import Head
from streams.errors import Corrupt, FenceLost, StoreUnavailable
from tests.integration.redis_servers import Proxy, fake_redis, real_redis
from tests.unit.models.store_suite import LearnerStoreSuite, commit

Make = Callable[[], RedisLearnerStore]


@pytest.fixture(scope="module", params=["redis", "fakeredis"])
def server(request: pytest.FixtureRequest) -> Iterator[int]:
    with real_redis() if request.param == "redis" else fake_redis() as port:
        yield port


@pytest.fixture(scope="module")
def real_server() -> Iterator[int]:
    with real_redis() as port:
        yield port


@contextlib.asynccontextmanager
async def stores(port: int, timeout_ms: int = 5_000) -> AsyncIterator[Make]:
    """Give a function that makes stores on emptied keys; all are closed in the end."""
    client = connect(RedisOptions(f"redis://127.0.0.1:{port}", timeout_ms=timeout_ms))
    made: list[RedisLearnerStore] = []

    def make() -> RedisLearnerStore:
        made.append(RedisLearnerStore(Wire(client, head_key("test")), "test", WireBroken))
        return made[-1]

    try:
        await make().wipe()
        yield make
    finally:
        for store in made:
            await store.close()
        await client.aclose()


@pytest.fixture
async def make(server: int) -> AsyncIterator[Make]:
    async with stores(server) as maker:
        yield maker


class TestRedisLearnerStore(LearnerStoreSuite):
    """The suite of all stores."""


@pytest.fixture
async def proxy(real_server: int) -> AsyncIterator[Proxy]:
    between = Proxy(real_server)
    async with between.running():
        yield between


async def test_a_dead_connection_is_replaced(proxy: Proxy) -> None:
    async with stores(proxy.port) as make:
        store = make()
        await store.open()
        proxy.cut()
        await store.commit(commit(1, 1))
        proxy.cut()
        assert (await store.head()).version == 1


class Forgetful(Wire):
    """Loses the reply to the next transaction: it is applied, and nobody hears of it."""

    lose = False

    async def exchange(self, commands: Sequence[Command]) -> list[Any]:
        replies = await super().exchange(commands)
        if self.lose and commands[0] == (b"MULTI",):
            self.lose = False
            await self.drop()
            raise WireBroken("the reply was lost")
        return replies


async def test_a_commit_whose_reply_is_lost_is_made_once(real_server: int) -> None:
    async with stores(real_server) as make:
        client = connect(RedisOptions(f"redis://127.0.0.1:{real_server}"))
        wire = Forgetful(client, head_key("test"))
        store = RedisLearnerStore(wire, "test", WireBroken)
        await store.open()
        await store.commit(commit(1, 1))
        wire.lose = True
        head = await store.commit(commit(2, 2))
        assert (head.commits, head.version) == (2, 2)
        assert [record.version for record in await make().history()] == [1, 2]
        await store.commit(commit(3, 3))
        await store.close()
        await client.aclose()


async def test_a_server_that_does_not_answer_is_named_and_the_call_can_be_made_again(proxy: Proxy) -> None:
    async with stores(proxy.port, timeout_ms=50) as make:
        store = make()
        await store.open()
        await store.commit(commit(1, 1))
        proxy.swallow_replies = True
        with pytest.raises(StoreUnavailable, match="cannot be worked with"):
            await store.commit(commit(2, 2))
        proxy.swallow_replies = False
        proxy.cut()
        head = await store.commit(commit(2, 2))
        assert (head.commits, head.version) == (2, 2)
        assert [record.version for record in await store.history()] == [1, 2]


async def test_a_doubtful_commit_does_not_hide_a_successor(proxy: Proxy, real_server: int) -> None:
    async with stores(proxy.port, timeout_ms=50) as make, stores(real_server) as straight:
        store = make()
        await store.open()
        await store.commit(commit(1, 1))
        proxy.swallow_requests = True
        with pytest.raises(StoreUnavailable):
            await store.commit(commit(2, 2))
        successor = straight()
        await successor.open()
        await successor.commit(commit(5, 2))
        proxy.swallow_requests = False
        proxy.cut()
        with pytest.raises(FenceLost):
            await store.commit(commit(2, 2))


async def test_a_pin_set_meanwhile_does_not_refuse_the_writer(real_server: int) -> None:
    async with stores(real_server) as make:
        store, other = make(), make()
        await store.open()
        await store.commit(commit(1, 1))

        async def pin() -> None:
            for _ in range(3):
                await other.set_pinned(1)

        pinning = asyncio.create_task(pin())
        for number in range(2, 12):
            await store.commit(commit(number))
        await pinning
        assert (await store.head()).pinned == 1


async def test_a_key_of_another_type_is_named(real_server: int) -> None:
    async with stores(real_server) as make:
        store = make()
        await store.open()
        client = connect(RedisOptions(f"redis://127.0.0.1:{real_server}"))
        await client.set("test:{learn}:history", b"not a list")
        with pytest.raises(Corrupt, match="another program"):
            await store.history()
        await client.delete("test:{learn}:history")
        await client.aclose()
        assert await store.head() == Head()


@pytest.mark.parametrize("namespace", ["", "a{b}", "a b", "x" * 65])
def test_a_namespace_that_could_move_the_keys_is_refused(namespace: str) -> None:
    with pytest.raises(ValueError, match="namespace"):
        head_key(namespace)


def test_all_keys_share_a_slot() -> None:
    assert head_key("cw") == b"cw:{learn}:head"
