"""A TCP proxy that stands between workers and a server, and lets through what it is told to.

| mode | requests | replies |
| --- | --- | --- |
| pass | at once | at once |
| slow | in their order, each `SLOW_SECONDS` late | the same |
| stall | held back | held back |
| mute | at once | held back; lost when the mode ends: what was asked is done, and nobody hears of it |
| cut | every connection is reset, and every new one | |

It runs on a thread and an event loop of its own.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from typing import Any, Final, Literal

from churnwatch.child import LOOPBACK

Mode = Literal["pass", "slow", "stall", "mute", "cut"]
SLOW_SECONDS: Final = 0.1
READ_BYTES: Final = 65_536
RESET: Final = struct.pack("ii", 1, 0)
"""Linger for no time: the peer is sent a reset instead of a farewell."""


class Proxy:
    """See the module's text; `port` is where it listens, `target` the port of the server on loopback."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.mode: Mode = "pass"
        self._loop = asyncio.new_event_loop()
        self._requests, self._replies = asyncio.Event(), asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()

    def switch(self, mode: Mode) -> None:
        """Let through what `mode` says, from now on; returns when it does."""
        asyncio.run_coroutine_threadsafe(self._switch(mode), self._loop).result()

    @contextlib.contextmanager
    def running(self) -> Iterator["Proxy"]:
        """Serve for as long as the block lasts."""
        server = self._loop.run_until_complete(asyncio.start_server(self._accept, LOOPBACK, 0))
        self.port = server.sockets[0].getsockname()[1]
        self._loop.run_until_complete(self._switch("pass"))
        thread = threading.Thread(target=self._loop.run_forever, name=f"proxy-{self.port}", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.switch("cut")
            self._loop.call_soon_threadsafe(server.close)
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()

    async def _switch(self, mode: Mode) -> None:
        lost, self.mode = self.mode in {"mute", "cut"} or mode == "cut", mode
        if lost:
            await self._reset()
        for gate, opened in ((self._requests, mode != "stall"), (self._replies, mode not in {"stall", "mute"})):
            if opened:
                gate.set()
            else:
                gate.clear()

    async def _reset(self) -> None:
        going = list(self._connections)
        for connection in going:
            connection.cancel()
        await asyncio.gather(*going, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        ends = [writer]
        with contextlib.suppress(OSError, asyncio.CancelledError):
            if self.mode != "cut":
                up_reader, up_writer = await asyncio.open_connection(LOOPBACK, self.target)
                ends.append(up_writer)
                await self._both(
                    self._pump(reader, up_writer, self._requests), self._pump(up_reader, writer, self._replies)
                )
        for end in ends:
            own = end.get_extra_info("socket")
            with contextlib.suppress(OSError):
                own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            end.transport.abort()
        self._connections.discard(task)

    async def _both(self, *pumps: Coroutine[Any, Any, None]) -> None:
        """Run until one end has closed or failed."""
        tasks = [asyncio.ensure_future(pump) for pump in pumps]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: asyncio.Event) -> None:
        while data := await reader.read(READ_BYTES):
            if self.mode == "slow":
                await asyncio.sleep(SLOW_SECONDS)
            await gate.wait()
            writer.write(data)
            await writer.drain()
