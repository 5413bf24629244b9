"""Server processes that cannot outlive the process that started them, and the free ports they listen on."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from churnwatch import guard
from streams.errors import ChurnwatchError

LOOPBACK = "127.0.0.1"
POLL_S = 0.02
# Below the ports from which Linux (32768) and macOS (49152) serve outgoing connections: a client that connects
# between our look and the server's bind cannot take the port away.
PORTS = range(20_000, 30_000)
PORTS_ABOVE_FIRST_CHOICE = 100


class ServiceError(ChurnwatchError):
    """A Kafka or Redis that was asked for could not be started; the message says why and what to do."""


class Child:
    """A process of ours that ends when its standard input closes: when we stop it, or when we are gone."""

    def __init__(self, argv: Sequence[str | Path], name: str) -> None:
        self.name = name
        self._output = ""
        self._closed = False
        self._process = subprocess.Popen(
            [str(word) for word in argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C on the terminal stops us; we stop the server, last of all
        )

    @classmethod
    def guarded(cls, command: Sequence[str | Path], directory: Path, name: str) -> "Child":
        """Run a foreign server in its scratch `directory`; see guard.py."""
        # -I -S: the guard needs the standard library only, and starts twice as fast without site-packages
        return cls([sys.executable, "-I", "-S", guard.__file__, directory, *command], name)

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def wait_until(self, ready: Callable[[], bool], timeout_s: float) -> None:
        """Wait until `ready` says yes; else stop the process and raise ServiceError with the end of its output."""
        deadline = time.monotonic() + timeout_s
        while not ready():
            alive = self.alive()
            if not alive or time.monotonic() > deadline:
                output = self.stop()
                state = f"was not ready after {timeout_s:g} s" if alive else "ended while starting"
                raise ServiceError(f"{self.name} {state}. It said last:\n{output.strip() or '(nothing)'}")
            time.sleep(POLL_S)

    def read_line(self, timeout_s: float) -> str:
        """Give the first line that the process prints; raises as `wait_until` does."""
        pipe = self._process.stdout
        assert pipe is not None
        os.set_blocking(pipe.fileno(), False)
        text = b""

        def complete() -> bool:
            nonlocal text
            text += pipe.read() or b""
            self._output = text.decode(errors="replace")
            return text.endswith(b"\n")

        self.wait_until(complete, timeout_s)
        return self._output.strip()

    def stop(self, timeout_s: float = 10) -> str:
        """Close the process's input, wait for its end, give the rest of its output. Safe to call again."""
        if not self._closed:
            self._closed = True
            try:
                rest, _ = self._process.communicate(timeout=timeout_s)
            except subprocess.TimeoutExpired:
                self._process.kill()
                rest, _ = self._process.communicate()
            self._output += rest.decode(errors="replace")
        return self._output


def free_port(first_choice: int | None = None) -> int:
    """Give a port on which nothing listens on loopback: `first_choice` or the next free one above, else one of PORTS."""
    if first_choice is None:
        offset = os.getpid() * 37 + time.monotonic_ns() // 1_000_000  # two runs side by side start their search apart
        candidates = [PORTS[(offset + step) % len(PORTS)] for step in range(len(PORTS))]
    else:
        candidates = list(range(first_choice, first_choice + PORTS_ABOVE_FIRST_CHOICE))
    for port in candidates:
        if _is_free(port):
            return port
    raise ServiceError(f"no free port from {candidates[0]} on; stop something that listens on {LOOPBACK}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: a port just closed is free
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
