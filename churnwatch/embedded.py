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
        """Waits where the client reads slower than we write.

        fakeredis puts the connection in non-blocking mode for its reads, so that a reply larger than the socket's buffer
        (an MGET of a few hundred customers) fails with BlockingIOError. A second socket object on the same connection
        has a time-out of its own, and Python waits for room where there is one.
        """

        def setup(self) -> None:
            super().setup()
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            patient = self.request.dup()
            patient.settimeout(SEND_TIMEOUT_S)
            self.wfile = self.writer.writer = _SocketWriter(patient)

    server = TcpFakeServer((LOOPBACK, 0))
    server.RequestHandlerClass = Handler
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _announce(f"{LOOPBACK}:{server.server_address[1]}")
    _wait_for_end_of_input()


class _SocketWriter(io.BufferedIOBase):
    """An unbuffered stream onto a socket, with the socket's own time-out."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._connection.sendall(data)
        return len(data)

    def close(self) -> None:
        self._connection.close()
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
