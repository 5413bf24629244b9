"""The Redis store on a cluster of three: where partitions lie, and a slot that moves under a running writer."""

import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from churnwatch.child import ServiceError, free_port
from features.redis_client import Client, RedisOptions, connect
from features.redis_store import RedisStore
from features.store import Commit
from streams.errors import FenceLost, StoreUnavailable
from tests.integration.redis_servers import cli, real_redis
from tests.unit.features.store_suite import StoreSuite

SECONDS_MAX = 20
BUS_PORTS = range(30_000, 32_500, 100)
NODES = 3
START_TRIES = 6


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[int]]:
    """Three primaries. Left to itself a node's bus takes its port and 10,000, where some client's connection may be."""
    options = ["--cluster-enabled", "yes", "--appendonly", "no"]
    with contextlib.ExitStack() as stack:
        ports: list[int] = []
        buses: list[int] = []
        for _ in range(START_TRIES):
            # A node listens before the next one chooses; who comes too late, for somebody else took the port just found free, tries again.
            bus = free_port(BUS_PORTS[(os.getpid() + len(buses)) % len(BUS_PORTS)])
            with contextlib.suppress(ServiceError):
                ports.append(stack.enter_context(real_redis(*options, "--cluster-port", str(bus))))
                buses.append(bus)
            if len(ports) == NODES:
                break
        addresses = [f"127.0.0.1:{port}@{bus}" for port, bus in zip(ports, buses, strict=True)]
        cli(ports[0], "--cluster", "create", *addresses, "--cluster-yes")
        for port in ports:
            eventually("cluster_state:ok", port, "CLUSTER", "INFO")
        yield ports


def eventually(part: str, port: int, *words: str) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while part not in cli(port, *words):
        assert time.monotonic() < deadline, f"never {part}"
        time.sleep(0.05)


@pytest.fixture
async def client(nodes: list[int]) -> AsyncIterator[Client]:
    client = connect(RedisOptions(f"redis://127.0.0.1:{nodes[0]}", cluster=True))
    yield client
    await client.aclose()


@pytest.fixture
async def make(client: Client) -> AsyncIterator[Callable[[], RedisStore]]:
    made: list[RedisStore] = []

    def maker() -> RedisStore:
        made.append(RedisStore(client, "test", 7))
        return made[-1]

    await maker().wipe()
    yield maker
    for store in made:
        await store.close()


class TestRedisStoreOnACluster(StoreSuite):
    """The suite of all stores."""


async def test_partitions_spread_over_the_nodes_and_each_lies_on_one(nodes: list[int], client: Client) -> None:
    for partition in range(12):
        store = RedisStore(client, "spread", partition)
        await store.open()
        await store.commit(Commit(b"1", {f"{i}": b"x" for i in range(50)}, timers={"0": 1}, append=[b"x"]))
        assert await store.size() == 50
        assert await store.due(1, 9) == [("0", 1)]
        await store.close()
    keys = [int(cli(port, "DBSIZE")) for port in nodes]
    assert all(keys)
    assert sum(keys) >= 12 * 53


class MovingSlot:
    """Moves the slot of one key to another node, in the steps of the cluster specification."""

    def __init__(self, nodes: list[int], key: str) -> None:
        self.nodes = nodes
        self.slot = cli(nodes[0], "CLUSTER", "KEYSLOT", key)
        names = {port: cli(port, "CLUSTER", "MYID") for port in nodes}
        self.source = next(port for port in nodes if "MOVED" not in cli(port, "EXISTS", key))
        self.target = next(port for port in nodes if port != self.source)
        self.source_name, self.target_name = names[self.source], names[self.target]

    def begin(self) -> None:
        cli(self.target, "CLUSTER", "SETSLOT", self.slot, "IMPORTING", self.source_name)
        cli(self.source, "CLUSTER", "SETSLOT", self.slot, "MIGRATING", self.target_name)
        for key in cli(self.source, "CLUSTER", "GETKEYSINSLOT", self.slot, "1000").split():
            cli(self.source, "MIGRATE", "127.0.0.1", str(self.target), key, "0", "5000")

    def end(self) -> None:
        for port in (self.target, self.source, *self.nodes):
            cli(port, "CLUSTER", "SETSLOT", self.slot, "NODE", self.target_name)


async def test_a_writer_waits_while_its_slot_moves_and_follows_it(
    nodes: list[int], make: Callable[[], RedisStore]
) -> None:
    store, idle = make(), make()
    await store.open()
    await store.commit(Commit(b"1", {"a": b"A"}, append=[b"x"]))
    await idle.open()
    moving = MovingSlot(nodes, "test:{7}:meta")
    moving.begin()
    with pytest.raises(StoreUnavailable, match="refuses"):
        await store.commit(Commit(b"2", {"b": b"B"}, append=[b"y"]))
    moving.end()
    await store.commit(Commit(b"2", {"b": b"B"}, append=[b"y"]))
    assert await store.load(["a", "b"]) == [b"A", b"B"]
    assert await store.outbox() == [b"x", b"y"]
    assert {key async for key in store.ids()} == {"a", "b"}
    with pytest.raises(FenceLost):
        await idle.commit(Commit(b"3"))


async def test_a_client_that_was_not_told_of_the_cluster_says_so(nodes: list[int]) -> None:
    failures = []
    for port in nodes:
        client = connect(RedisOptions(f"redis://127.0.0.1:{port}"))
        store = RedisStore(client, "test", 7)
        try:
            await store.open()
        except StoreUnavailable as error:
            failures.append(str(error))
        await store.close()
        await client.aclose()
    assert len(failures) == 2
    assert all("Redis Cluster setting" in failure for failure in failures)
