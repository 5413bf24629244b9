"""A webhook receiver on loopback that can be as bad as receivers are: away, failing, hanging, cutting connections, slow.

It runs in threads of the process that starts it, so that tests and the study see at once what has arrived.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Self

HANG_SECONDS_MAX: Final = 60.0
LOOPBACK: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Arrived:
    """One request that was answered with 2xx: headers by lower-case name."""

    headers: dict[str, str]
    body: bytes

    @property
    def alert_id(self) -> str:
        """The id it was sent under."""
        return self.headers["webhook-id"]


class BadReceiver:
    """`mode` says how requests are met: `up`, `hang`, `cut`, `slow` (taken after `slow_seconds`), or a status such as `500`.

    `away` closes the port and every connection, `come_back` opens it again. `accepted` holds what was answered with 2xx, in that
    order; `attempts` counts requests by id, however they were met. `refuse` lists ids that are met with 422.
    """

    def __init__(self, port: int = 0) -> None:
        self.mode = "up"
        self.slow_seconds = 0.0
        self.retry_after: str | None = None
        self.refuse: frozenset[str] = frozenset()
        self.accepted: list[Arrived] = []
        self.attempts: Counter[str] = Counter()
        self.modes_met: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._woken = threading.Event()
        self._server: ThreadingHTTPServer | None = None
        self.port = port
        self.come_back()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{LOOPBACK}:{self.port}/alerts"

    def ids(self) -> list[str]:
        """The ids that were taken, in order, repetitions included."""
        with self._lock:
            return [arrived.alert_id for arrived in self.accepted]

    def come_back(self) -> None:
        """Listen, on the same port as before."""
        if self._server is not None:
            return
        self._woken.clear()
        server = _Server((LOOPBACK, self.port), _handler(self))
        self.port = server.server_address[1]
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def away(self) -> None:
        """Close the port and every connection."""
        server, self._server = self._server, None
        if server is None:
            return
        self._woken.set()
        server.shutdown()
        server.server_close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def meet(self, headers: dict[str, str], body: bytes) -> int | None:
        """Return the status that a request is answered with; None where the connection is cut instead."""
        alert_id, mode = headers.get("webhook-id", ""), self.mode
        with self._lock:
            self.attempts[alert_id] += 1
            self.modes_met[mode] += 1
        if alert_id in self.refuse:
            return 422
        if mode == "hang":
            self._woken.wait(HANG_SECONDS_MAX)
            return None
        if mode == "cut":
            return None
        if mode == "slow":
            time.sleep(self.slow_seconds)
        if mode not in {"up", "slow"}:
            return int(mode)
        with self._lock:
            self.accepted.append(Arrived(headers, body))
        return 200

    def undo(self, alert_id: str) -> None:
        """Forget the latest request of that id: its answer was cut off, so whoever sent it does not know that it was taken."""
        with self._lock:
            place = next(
                (n for n in reversed(range(len(self.accepted))) if self.accepted[n].alert_id == alert_id), None
            )
            if place is not None:
                del self.accepted[place]

    def connected(self, connection: socket.socket, *, lasts: bool) -> None:
        """Hear of a connection that begins or has ended."""
        with self._lock:
            (self._open.add if lasts else self._open.discard)(connection)

    def __enter__(self) -> Self:
        """Give the receiver, which listens already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.away()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of connections that were cut: that is what this server is for."""


def _handler(receiver: BadReceiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            receiver.connected(self.connection, lasts=True)

        def finish(self) -> None:
            receiver.connected(self.connection, lasts=False)
            super().finish()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            status = receiver.meet({name.lower(): value for name, value in self.headers.items()}, body)
            if status is None:
                self.close_connection = True
                return
            try:
                self.send_response(status)
                for name, value in _more(receiver, status):
                    self.send_header(name, value)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"ok")
            except OSError:
                receiver.undo(self.headers.get("webhook-id", ""))
                raise

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    return Handler


def _more(receiver: BadReceiver, status: int) -> Iterator[tuple[str, str]]:
    if receiver.retry_after is not None and status >= 400:
        yield "retry-after", receiver.retry_after
    if 300 <= status < 400:
        yield "location", receiver.url
