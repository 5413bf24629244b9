"""A real Kafka and Redis in the background, for development: `make services-up`, `make services-down`.

    python -m tools.services up        # starts them where they do not run; prints where they are
    python -m tools.services down      # stops them and removes their data
    python -m tools.services fetch     # fetches what the tests need, says what they will use

One process in the background holds the servers, just as a test run does; .services/ keeps its number and its words.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from churnwatch.child import ServiceError
from churnwatch.kafka_jars import kafka_home
from churnwatch.services import Services, start_services

STATE = Path(".services")
KAFKA_PORT = 9092
REDIS_PORT = 6379
START_S_MAX = 240.0
STOP_S_MAX = 15.0


def up() -> int:
    """Start the holder unless it runs; print its services as lines for a shell."""
    services = _running()
    if services is None:
        STATE.mkdir(exist_ok=True)
        (STATE / "state.json").unlink(missing_ok=True)
        with (STATE / "holder.log").open("wb") as log:
            holder = subprocess.Popen(
                [sys.executable, "-m", "tools.services", "hold"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_S_MAX
        while (services := _running()) is None:
            if holder.poll() is not None or time.monotonic() > deadline:
                print((STATE / "holder.log").read_text().strip(), file=sys.stderr)
                return 1
            time.sleep(0.1)
    silent = [address for address in (services.bootstrap, services.redis_url) if not _answers(address)]
    if silent:
        print(
            f"services: nobody answers at {', '.join(silent)} any more; `make services-down`, then again",
            file=sys.stderr,
        )
        return 1
    print(f"# {services.description}; make services-down stops them")
    print(f"export CHURNWATCH_KAFKA_BOOTSTRAP={services.bootstrap}")
    print(f"export CHURNWATCH_REDIS_URL={services.redis_url}")
    return 0


def down() -> int:
    """Stop the holder, and with it the servers."""
    pid = _pid()
    if pid is None:
        print("no services are running")
        return 0
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_S_MAX
    while _pid() is not None:
        if time.monotonic() > deadline:
            print(f"process {pid} does not end; see .services/holder.log", file=sys.stderr)
            return 1
        time.sleep(0.05)
    print("services stopped")
    return 0


def hold() -> int:
    """Hold the servers until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with start_services("real", kafka_port=KAFKA_PORT, redis_port=REDIS_PORT) as services:
            state = STATE / "state.json"
            draft = state.with_suffix(".draft")
            draft.write_text(json.dumps({"pid": os.getpid(), "services": asdict(services)}))
            draft.rename(state)
            try:
                signal.pause()
            finally:
                state.unlink(missing_ok=True)
    except ServiceError as error:
        print(f"services: {error}", file=sys.stderr)
        return 1
    return 0


def fetch() -> int:
    """Fetch Kafka into the cache if it can be had; that it cannot is no failure: the tests then use the embedded one."""
    if os.environ.get("SERVICES", "auto") == "embedded":
        return 0
    try:
        kafka_home(lambda text: print(f"services: {text}", flush=True))
    except ServiceError as error:
        print(f"services: {error}. The tests use the embedded broker.")
    return 0


def _answers(address: str) -> bool:
    """Tell whether somebody listens there; `address` is host:port, or a URL of it."""
    host, _, port = address.removeprefix("redis://").partition("/")[0].rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=2).close()
    except OSError:
        return False
    return True


def _pid() -> int | None:
    """Give the holder's process id while it runs."""
    try:
        pid = int(json.loads((STATE / "state.json").read_text())["pid"])
        os.kill(pid, 0)
    except (OSError, ValueError, KeyError):
        return None
    return pid


def _running() -> Services | None:
    if _pid() is None:
        return None
    return Services(**json.loads((STATE / "state.json").read_text())["services"])


if __name__ == "__main__":
    sys.exit({"up": up, "down": down, "hold": hold, "fetch": fetch}[sys.argv[1]]())
