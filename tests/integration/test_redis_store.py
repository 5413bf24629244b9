"""The Redis store on a real server and on fakeredis: the suite of all stores, and what can go wrong on the way."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import pytest

from features.redis_client import Command, RedisOptions, Wire, connect
from features.redis_store import RedisStore
from features.store import Commit, MemoryStore, PartitionStore
from streams.errors import CommitUnknown, FenceLost
from tests.integration.redis_servers import Proxy, fake_redis, real_redis, stores
from tests.unit.features.store_suite import StoreSuite


@pytest.fixture(scope="module", params=["redis", "fakeredis"])
def server(request: pytest.FixtureRequest) -> Iterator[int]:
    with real_redis() if request.param == "redis" else fake_redis() as port:
        yield port


@pytest.fixture
async def make(server: int) -> AsyncIterator[Callable[[], RedisStore]]:
    async with stores(server) as maker:
        yield maker


class TestRedisStore(StoreSuite):
    """The suite of all stores."""


@pytest.fixture
async def proxy(server: int) -> AsyncIterator[Proxy]:
    async with Proxy(server).running() as running:
        yield running


@pytest.fixture
async def shaky(proxy: Proxy) -> AsyncIterator[Callable[[], RedisStore]]:
    """Stores behind the proxy that wait 150 ms at most."""
    async with stores(proxy.port, timeout_ms=150) as maker:
        yield maker


@pytest.fixture
def exchanges(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of commands in each round trip."""
    seen: list[int] = []
    plain = Wire.exchange

    async def counted(wire: Wire, commands: Sequence[Command]) -> list[Any]:
        seen.append(len(commands))
        return await plain(wire, commands)

    monkeypatch.setattr(Wire, "exchange", counted)
    return seen


async def test_a_step_costs_two_round_trips(make: Callable[[], RedisStore], exchanges: list[int]) -> None:
    store = make()
    await store.open()
    exchanges.clear()
    for number in range(3):
        ids = [f"{number}-{i}" for i in range(500)]
        await store.read(ids, 2**50, 100)
        await store.commit(Commit(b"%d" % number, dict.fromkeys(ids, b"x"), timers=dict.fromkeys(ids, 5)))
    assert len(exchanges) == 6


async def test_any_sequence_of_commits_leaves_what_memory_holds(make: Callable[[], RedisStore]) -> None:
    draw = random.Random(7)
    customers = [f"c{i}" for i in range(12)]
    redis, memory = make(), MemoryStore()
    both: tuple[PartitionStore, PartitionStore] = (redis, memory)
    for store in both:
        await store.open()
    for number in range(60):
        written = draw.sample(customers, draw.randrange(5))
        commit = Commit(
            b"%d" % number,
            {key: draw.randbytes(draw.randrange(40)) for key in written},
            [key for key in draw.sample(customers, 3) if key not in written],
            {key: draw.choice([None, draw.randrange(9)]) for key in draw.sample(customers, 3)},
            [draw.randbytes(4) for _ in range(draw.randrange(4))],
            draw.randrange(4),
        )
        for store in both:
            await store.commit(commit)
        assert await redis.read(customers, 6, 8) == await memory.read(customers, 6, 8)
        assert await redis.outbox() == await memory.outbox()
        assert {key async for key in redis.ids()} == {key async for key in memory.ids()}


async def test_partitions_and_namespaces_do_not_meet(server: int, make: Callable[[], RedisStore]) -> None:
    client = connect(RedisOptions(f"redis://127.0.0.1:{server}"))
    others = [RedisStore(client, "test", 77), RedisStore(client, "test2", 7)]
    store = make()
    await store.open()
    await store.commit(Commit(b"1", {"a": b"A"}))
    for other in others:
        assert await other.open() is None
        assert await other.size() == 0
        await other.close()
    await client.aclose()


async def test_a_commit_whose_reply_is_lost_is_unknown_and_reopening_tells(
    proxy: Proxy, shaky: Callable[[], RedisStore]
) -> None:
    store = shaky()
    await store.open()
    proxy.swallow_replies = True
    with pytest.raises(CommitUnknown):
        await store.commit(Commit(b"1", append=[b"x"]))
    proxy.swallow_replies = False
    with pytest.raises(FenceLost):  # not before it was opened again
        await store.commit(Commit(b"2", append=[b"y"]))
    assert await store.open() == b"1"
    assert await store.outbox() == [b"x"]
    await store.commit(Commit(b"2", append=[b"y"]))
    assert await store.outbox() == [b"x", b"y"]


async def test_a_commit_that_never_arrived_is_unknown_and_reopening_tells(
    proxy: Proxy, shaky: Callable[[], RedisStore]
) -> None:
    store = shaky()
    await store.open()
    await store.commit(Commit(b"1"))
    proxy.swallow_requests = True
    with pytest.raises(CommitUnknown):
        await store.commit(Commit(b"2", append=[b"x"]))
    proxy.swallow_requests = False
    with pytest.raises(FenceLost):  # for it might yet arrive
        await store.commit(Commit(b"2", append=[b"x"]))
    assert await store.open() == b"1"
    await store.commit(Commit(b"2", append=[b"x"]))
    assert await store.outbox() == [b"x"]


async def test_a_connection_cut_while_idle_does_not_disturb_a_read(
    proxy: Proxy, shaky: Callable[[], RedisStore]
) -> None:
    store = shaky()
    await store.open()
    await store.commit(Commit(b"1", {"a": b"A"}))
    proxy.cut()
    assert await store.load(["a"]) == [b"A"]
    await store.commit(Commit(b"2"))  # the fence is armed anew


async def test_the_fence_holds_across_connections(proxy: Proxy, shaky: Callable[[], RedisStore]) -> None:
    store = shaky()
    await store.open()
    await store.commit(Commit(b"1"))
    proxy.cut()
    assert await store.outbox() == []
    other = shaky()
    await other.open()
    await other.commit(Commit(b"2"))
    with pytest.raises(FenceLost):
        await store.commit(Commit(b"3"))


async def test_the_fence_holds_after_a_cancelled_read(proxy: Proxy, shaky: Callable[[], RedisStore]) -> None:
    store, other = shaky(), shaky()
    await store.open()
    await store.commit(Commit(b"1"))
    await other.open()
    proxy.swallow_replies = True
    reading = asyncio.ensure_future(store.load(["a"]))
    await asyncio.sleep(0.05)
    reading.cancel()
    await asyncio.wait([reading])
    proxy.swallow_replies = False
    await other.commit(Commit(b"2"))
    with pytest.raises(FenceLost):
        await store.commit(Commit(b"3"))


async def test_ids_are_complete_and_each_comes_once_though_the_connection_breaks(
    proxy: Proxy, shaky: Callable[[], RedisStore]
) -> None:
    store = shaky()
    await store.open()
    many = [f"customer-{i}" for i in range(2_500)]
    await store.commit(Commit(b"1", dict.fromkeys(many, b"x")))
    found = []
    async for key in store.ids():
        found.append(key)
        if len(found) in (1, 1_500):
            proxy.cut()
    assert len(found) == len(many)
    assert set(found) == set(many)


async def test_a_cancelled_read_never_gives_its_reply_to_the_next(
    proxy: Proxy, shaky: Callable[[], RedisStore]
) -> None:
    store = shaky()
    await store.open()
    await store.commit(Commit(b"1", {"a": b"A", "b": b"B"}))
    for pause_s in (0, 0, 0.0005, 0.001, 0.002):
        reading = asyncio.ensure_future(store.load(["a"]))
        await asyncio.sleep(pause_s)
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading
        assert await store.load(["b"]) == [b"B"]
    await store.commit(Commit(b"2"))


async def test_a_cancelled_commit_closes_the_store_until_it_is_opened_again(
    proxy: Proxy, shaky: Callable[[], RedisStore]
) -> None:
    store = shaky()
    await store.open()
    proxy.swallow_replies = True
    committing = asyncio.ensure_future(store.commit(Commit(b"1", append=[b"x"])))
    await asyncio.sleep(0.05)
    committing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await committing
    proxy.swallow_replies = False
    with pytest.raises(FenceLost):
        await store.commit(Commit(b"2"))
    assert await store.open() == b"1"
    await store.commit(Commit(b"2"))


async def test_overlapping_calls_get_their_own_replies(make: Callable[[], RedisStore]) -> None:
    store = make()
    await store.open()
    await store.commit(Commit(b"1", {str(i): b"%d" % i for i in range(20)}))
    commits = store.commit(Commit(b"2", {"20": b"20"}))
    *loads, _ = await asyncio.gather(*(store.load([str(i)]) for i in range(20)), commits)
    assert loads == [[b"%d" % i] for i in range(20)]


async def test_erasing_under_a_busy_writer(make: Callable[[], RedisStore]) -> None:
    running, other = make(), make()
    await running.open()
    await running.commit(Commit(b"0", {"a": b"A"}, append=[b"a", b"b"]))
    moves = iter(range(1, 4))

    def next_meta(meta: bytes) -> bytes:
        return meta + b"e"

    def drop(entry: bytes) -> bool:
        return entry == b"a"

    plain = other._arm

    async def interrupted() -> bytes | None:
        meta = await plain()
        number = next(moves, None)
        if number is not None:
            await running.commit(Commit(b"%d" % number))
        return meta

    other._arm = interrupted  # type: ignore[method-assign]
    assert await other.erase("a", drop, next_meta)
    assert await running.open() == b"3e"
    assert await running.outbox() == [b"b"]
