"""Kafka and Redis without installing either: librdkafka's in-process broker and fakeredis, each in a process of its own.

For the demo and for tests with one worker. The broker's limits, which come with librdkafka: it keeps about 5 MB and
100,000 messages a partition and drops the rest without a word, makes a topic of 4 partitions when it is first asked for
(there is no admin API), forgets everything at the end, and refuses a second member of a consumer group. The Redis speaks
the commands that fakeredis knows and is some ten times slower than a real one.

    python -m churnwatch.embedded kafka|redis      # prints its address; ends when its standard input closes
"""

import io
import os
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

from churnwatch.child import LOOPBACK, Child

PARTITIONS = 4
START_TIMEOUT_S = 30.0
SEND_TIMEOUT_S = 60.0
READ_BYTES_MAX = 1 << 16


class EmbeddedKafka:
    """librdkafka's in-process broker in a child process; `bootstrap` is its address."""

    name = "librdkafka's in-process broker"

    def __init__(self) -> None:
        self._child = Child([sys.executable, "-m", "churnwatch.embedded", "kafka"], self.name)
        self.bootstrap = self._child.read_line(START_TIMEOUT_S)

    def stop(self) -> None:
        """End it, and with it all that it kept."""
        self._child.stop()


class EmbeddedRedis:
    """fakeredis behind a TCP port in a child process; `url` is its address."""

    name = "fakeredis"

    def __init__(self) -> None:
        self._child = Child([sys.executable, "-m", "churnwatch.embedded", "redis"], self.name)
        self.url = f"redis://{self._child.read_line(START_TIMEOUT_S)}/0"

    def stop(self) -> None:
        """End it, and with it all that it kept."""
        self._child.stop()


def _serve_kafka() -> None:
    from confluent_kafka import Producer

    # The broker lives on threads of librdkafka's, so it goes on while this thread waits.
    producer = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "unused", "log_level": 0})
    brokers = producer.list_topics(timeout=START_TIMEOUT_S).brokers.values()
    _announce(",".join(f"{broker.host}:{broker.port}" for broker in brokers))
    _wait_for_end_of_input()


def _serve_redis() -> None:
    from fakeredis import TcpFakeServer
    from fakeredis._clients._tcp_server import TCPFakeRequestHandler

    class Handler(TCPFakeRequestHandler):
        """fakeredis's handler with streams that suit values of many kilobytes."""

        def setup(self) -> None:
            super().setup()
            self.rfile = self.wfile = self.writer.writer = _Stream(self.request)

    server = TcpFakeServer((LOOPBACK, 0))
    server.RequestHandlerClass = Handler
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _announce(f"{LOOPBACK}:{server.server_address[1]}")
    _wait_for_end_of_input()


class _Stream(io.BufferedIOBase):
    """Both directions of a fakeredis connection, which fakeredis has put in non-blocking mode for its reads.

    Its own streams fail in two ways. A reply larger than the socket's buffer (an MGET of a few hundred customers) ends in
    BlockingIOError: a second socket object on the same connection has a time-out, so that Python waits for room. And it
    reads by lines, which cuts a binary value into pieces of 256 bytes on average and parses anew after each: a value of
    10 MB took longer than the client's patience of 5 s. Here a read takes what has come.
    """

    def __init__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._receiving = connection
        self._sending = connection.dup()
        self._sending.settimeout(SEND_TIMEOUT_S)

    def readline(self, _size: int | None = -1, /) -> bytes:
        try:
            return self._receiving.recv(READ_BYTES_MAX)
        except BlockingIOError:
            return b""  # nothing has come yet; fakeredis asks select whether this is the end

    def write(self, data: Any, /) -> int:
        self._sending.sendall(data)
        return len(data)

    def close(self) -> None:
        self._sending.close()
        super().close()


def _announce(address: str) -> None:
    """Print the address, then nothing more: nobody reads the pipe from here on, and a full pipe would block us."""
    print(address, flush=True)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)


def _wait_for_end_of_input() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)  # threads that still serve a client must not keep us


SERVERS: dict[str, Callable[[], None]] = {"kafka": _serve_kafka, "redis": _serve_redis}

if __name__ == "__main__":
    SERVERS[sys.argv[1]]()
