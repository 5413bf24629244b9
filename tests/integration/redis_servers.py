"""Redis servers for the tests of the store: real ones with options, fakeredis's, and a proxy that fails when told to."""

import asyncio
import contextlib
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from churnwatch.child import Child, free_port
from churnwatch.embedded import EmbeddedRedis
from features.redis_client import RedisOptions, connect
from features.redis_store import RedisStore

START_SECONDS_MAX = 10


def cli(port: int, *words: str) -> str:
    """Return what `redis-cli` prints."""
    done = subprocess.run(["redis-cli", "-p", str(port), *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@contextlib.contextmanager
def real_redis(*options: str) -> Iterator[int]:
    """Give the port of a `redis-server` of our own; without one the test is skipped."""
    if shutil.which("redis-server") is None or shutil.which("redis-cli") is None:
        pytest.skip("needs redis-server and redis-cli on the PATH")
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", *options]
    child = Child.guarded(command, Path(tempfile.mkdtemp(prefix="churnwatch-redis-")), "redis-server")

    def listens() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    try:
        child.wait_until(listens, START_SECONDS_MAX)
        yield port
    finally:
        child.stop()


@contextlib.contextmanager
def fake_redis() -> Iterator[int]:
    """Give the port of fakeredis's TCP server, as the demo runs it."""
    server = EmbeddedRedis()
    try:
        yield int(server.url.rsplit(":")[-1].removesuffix("/0"))
    finally:
        server.stop()


@contextlib.asynccontextmanager
async def stores(port: int, timeout_ms: int = 5_000) -> AsyncIterator[Callable[[], RedisStore]]:
    """Give a function that makes stores on one emptied partition; all are closed in the end."""
    client = connect(RedisOptions(f"redis://127.0.0.1:{port}", timeout_ms=timeout_ms))
    made: list[RedisStore] = []

    def make() -> RedisStore:
        made.append(RedisStore(client, "test", 7))
        return made[-1]

    try:
        await make().wipe()
        yield make
    finally:
        for store in made:
            await store.close()
        await client.aclose()


class Proxy:
    """Stands between a client and a server, and fails when told to."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.swallow_requests = False
        self.swallow_replies = False

    def cut(self) -> None:
        """Close every connection."""
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Proxy"]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            self.cut()
            server.close()
            await asyncio.gather(*self._tasks)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers += [writer, up_writer]
        for pump in (self._pump(reader, up_writer, requests=True), self._pump(up_reader, writer, requests=False)):
            self._tasks.add(asyncio.ensure_future(pump))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, requests: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                if not (self.swallow_requests if requests else self.swallow_replies):
                    writer.write(data)
                    await writer.drain()
        writer.close()
