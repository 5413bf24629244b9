"""Servers end with whoever started them, on every way of dying, and take their data with them."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from churnwatch.child import LOOPBACK, PORTS, Child, ServiceError, free_port

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
STARTER = """
import sys, tempfile, pathlib, time
from churnwatch.child import Child
directory = pathlib.Path(sys.argv[1])
server = Child.guarded([sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(60)"], directory, "x")
server.wait_until(lambda: (directory / "server.log").exists() and (directory / "server.log").read_text(), 10)
print((directory / "server.log").read_text(), flush=True)
time.sleep(60)
"""


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def _wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + 10
    while not _gone(pid):
        assert time.monotonic() < deadline, f"process {pid} still runs"
        time.sleep(0.01)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_server_ends_and_its_data_goes_when_its_starter_dies(tmp_path: Path, how: signal.Signals) -> None:
    directory = tmp_path / "data"
    directory.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, directory], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        starter.send_signal(how)
        starter.wait(10)
        _wait_for_end(pid)
    deadline = time.monotonic() + 10
    while directory.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_stop_ends_the_server_and_removes_its_data(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    directory.mkdir()
    server = Child.guarded(SLEEPER, directory, "sleeper")
    assert server.alive()
    server.stop()
    assert not server.alive()
    assert not directory.exists()
    server.stop()


def test_a_server_that_ends_while_starting_is_reported_with_its_last_words(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    directory.mkdir()
    server = Child.guarded([sys.executable, "-c", "print('port taken'); raise SystemExit(3)"], directory, "Kafka")
    with pytest.raises(ServiceError, match=r"Kafka ended while starting[^$]*port taken"):
        server.wait_until(lambda: False, 10)


def test_a_server_that_is_never_ready_is_stopped(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    directory.mkdir()
    server = Child.guarded(SLEEPER, directory, "Kafka")
    with pytest.raises(ServiceError, match=r"Kafka was not ready after 0\.1 s"):
        server.wait_until(lambda: False, 0.1)
    assert not server.alive()


def test_the_first_line_is_read_and_a_silent_end_is_an_error() -> None:
    talker = Child([sys.executable, "-c", "print('127.0.0.1:1', flush=True); input()"], "talker")
    assert talker.read_line(10) == "127.0.0.1:1"
    talker.stop()
    with pytest.raises(ServiceError, match="mute ended while starting"):
        Child([sys.executable, "-c", ""], "mute").read_line(10)


def test_a_free_port_is_the_first_choice_or_the_next_above_it() -> None:
    with socket.create_server((LOOPBACK, free_port())) as taken:
        port = taken.getsockname()[1]
        assert port in PORTS
        assert port < free_port(port) <= port + 100
