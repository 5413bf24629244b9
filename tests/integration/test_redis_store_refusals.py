"""What a real Redis may refuse, and what becomes of the store then."""

from collections.abc import Iterator

import pytest

from churnwatch.child import free_port
from features.redis_client import RedisOptions, connect
from features.redis_store import RedisStore
from features.store import Commit
from streams.errors import Corrupt, FenceLost, StoreUnavailable
from tests.integration.redis_servers import cli, real_redis, stores


@pytest.fixture(scope="module")
def real_server() -> Iterator[int]:
    with real_redis() as port:
        yield port


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    client = connect(RedisOptions(f"redis://127.0.0.1:{free_port()}", retries=0))
    store = RedisStore(client, "test", 7)
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        await store.open()
    await client.aclose()


async def test_a_key_of_another_type_is_corrupt(real_server: int) -> None:
    async with stores(real_server) as make:
        cli(real_server, "SET", "test:{7}:outbox", "not a list")
        with pytest.raises(Corrupt, match="another program"):
            await make().open()


async def test_a_full_server_refuses_and_the_same_commit_goes_through_later(real_server: int) -> None:
    async with stores(real_server) as make:
        store = make()
        await store.open()
        cli(real_server, "CONFIG", "SET", "maxmemory", "1")
        with pytest.raises(StoreUnavailable, match="memory"):
            await store.commit(Commit(b"1", {"a": b"A"}))
        cli(real_server, "CONFIG", "SET", "maxmemory", "0")
        await store.commit(Commit(b"1", {"a": b"A"}))
        assert await store.load(["a"]) == [b"A"]


async def test_a_server_that_lost_everything_fences_its_writers() -> None:
    with real_redis() as port:
        async with stores(port) as make:
            store, idle = make(), make()
            await store.open()
            await store.commit(Commit(b"1", {"a": b"A"}))
            await idle.open()
            cli(port, "FLUSHALL")
            for writer in (store, idle):
                with pytest.raises(FenceLost):
                    await writer.commit(Commit(b"2"))
            assert await store.open() is None


async def test_access_lists_decide_who_may_write() -> None:
    with real_redis() as port:
        cli(port, "ACL", "SETUSER", "worker", "on", ">geheim", "~cw:*", "+@all", "-@admin")
        address = f"redis://127.0.0.1:{port}"
        client = connect(RedisOptions(address, "worker", "geheim"))
        store = RedisStore(client, "cw", 0)
        await store.open()
        await store.commit(Commit(b"1"))
        await store.close()
        for options, namespace, word in (
            (RedisOptions(address, "worker", "falsch", retries=0), "cw", "password"),
            (RedisOptions(address, "worker", "geheim"), "other", "permission"),
        ):
            stranger = connect(options)
            barred = RedisStore(stranger, namespace, 0)
            with pytest.raises(StoreUnavailable, match=word):
                await barred.open()
            await barred.close()
            await stranger.aclose()
        await client.aclose()
