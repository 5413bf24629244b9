"""A worker on the wall's clock: events applied as they come, a wake-up in real time, a Redis that dies and comes back, a clean end."""

import contextlib
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.record import decode_customer
from alerts.alert import decode
from chaos.installation import Installation, installation
from chaos.logs import QUICK
from churnwatch.child import free_port
from churnwatch.services import Services
from streams.time import DAY_MS, iso
from tests.integration.worker_logs import order, write

CUSTOMERS = [f"c{number}" for number in range(20)]
DRAIN_SECONDS = 20
UNREADY_SECONDS_MAX = 30.0
WAKE_MS = 30_000  # long enough for a slow machine to start a worker and feed it
SOURCE_SILENT_MS = 5_000
STILL_MS = 2_000
OK, UNAVAILABLE = 200, 503

pytestmark = pytest.mark.slow


class OwnRedis:
    """A redis-server that keeps all it has acknowledged, and can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder)]
        self._command += ["--save", "", "--appendonly", "yes", "--appendfsync", "always", "--loglevel", "warning"]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not self._accepts():
            assert time.monotonic() < deadline, "redis-server did not start"
            time.sleep(0.05)

    def _accepts(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest.fixture
def own_redis(real_redis: str, tmp_path: Path) -> Iterator[OwnRedis]:
    folder = tmp_path / "redis"
    folder.mkdir()
    server = OwnRedis(folder)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def lab(
    services: Services, topic_prefix: str, namespace: str, tmp_path: Path, own_redis: OwnRedis
) -> Iterator[Installation]:
    settings = QUICK | {"redis_timeout_ms": "1s", "drain_ms": f"{DRAIN_SECONDS}s"}
    with installation(services, topic_prefix, namespace, tmp_path, **settings) as made:
        made.settings = made.settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{own_redis.port}/0"})
        yield made


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def orders(first: int, count: int) -> list[dict[str, Any]]:
    """Orders of all customers until now, numbered from `first`."""
    began_ms = now_ms() - count
    return [order(CUSTOMERS[n % len(CUSTOMERS)], began_ms + n, first + n) for n in range(count)]


def silent(due_ms: int) -> list[dict[str, Any]]:
    """One who has ordered every day, until seven days before `due_ms`."""
    last_ms = due_ms - 7 * DAY_MS
    return [order("silent", last_ms - day * DAY_MS, 10_000 + day) for day in range(20, -1, -1)]


def ready(lab: Installation) -> bool:
    return lab.workers[-1].get("/readyz")[0] == OK


def counted(lab: Installation) -> Counter[str]:
    """Orders by customer, as the state has them."""
    held = lab.held().customers
    return Counter({customer: decode_customer(value).activity.orders for customer, value in held.items()})


def test_events_as_they_come_and_a_wake_up_without_any(lab: Installation, tmp_path: Path) -> None:
    due_ms = now_ms() + WAKE_MS
    expected = Counter({"silent": 21})
    lab.publish(write(tmp_path / "silent.jsonl", silent(due_ms)))
    worker = lab.start(SOURCE_SILENT=f"{SOURCE_SILENT_MS}ms")
    assert not ready(lab)
    lab.wait_for(lambda: ready(lab))
    assert worker.get("/healthz") == (OK, '{"ok": true, "reasons": []}')
    for part in range(3):
        log = orders(part * 100, 100)
        lab.publish(write(tmp_path / f"{part}.jsonl", log))
        expected += Counter(fields["customer_id"] for fields in log)
    lab.wait_for(lambda: counted(lab) == expected)
    assert now_ms() < due_ms

    # No order of anybody comes any more: the shop may be down, so nobody is taken for silent. A line and a metric say so.
    down = ("churnwatch_source_silent", (("topic", lab.settings.topics().inputs["orders"]),))
    lab.wait_for(lambda: now_ms() > due_ms + STILL_MS and worker.metrics()[down] == 1)
    lab.wait_for(lambda: "its source counts as down" in worker.log)
    assert lab.alerts() == []
    assert worker.get("/healthz")[0] == OK

    # It is back: seven days after the last order, to the millisecond, whenever somebody looked. Nobody has sent an event for it.
    log = orders(300, 100)
    lab.publish(write(tmp_path / "back.jsonl", log))
    expected += Counter(fields["customer_id"] for fields in log)
    lab.wait_for(lambda: lab.alerts() != [])
    lab.wait_for(lambda: counted(lab) == expected and "is heard again" in worker.log)
    assert worker.metrics()[down] == 0
    (alert,) = [decode(record.value) for record in lab.alerts()]
    assert (alert.customer_id, alert.kind, alert.raised_at) == ("silent", "opened", iso(due_ms))
    assert alert.trigger.kind == "silence"
    began = time.monotonic()
    assert worker.terminate() == 0
    assert time.monotonic() - began < DRAIN_SECONDS
    assert lab.held().outbox == []
    assert counted(lab) == expected


def test_redis_dies_and_comes_back(lab: Installation, own_redis: OwnRedis, tmp_path: Path) -> None:
    worker = lab.start()
    lab.wait_for(lambda: ready(lab))
    log = orders(0, 3000)
    expected = Counter(fields["customer_id"] for fields in log)
    path = write(tmp_path / "log.jsonl", log)
    lab.publish(path)
    lab.wait_for(lambda: lab.taken() > 0)
    own_redis.kill()
    late = orders(3000, 60)  # these come while it is away
    expected += Counter(fields["customer_id"] for fields in late)
    lab.publish(write(tmp_path / "late.jsonl", late))

    # The worker says that it is not ready, and why; it goes on waiting, for a restart would not help.
    lab.wait_for(lambda: not ready(lab), UNREADY_SECONDS_MAX)
    status, said = worker.get("/readyz")
    assert status == UNAVAILABLE
    assert "Redis" in said
    assert worker.get("/healthz")[0] == OK

    # Back with all that it had acknowledged: every event is applied, and applied once.
    own_redis.start()
    lab.wait_for(lambda: counted(lab) == expected)
    lab.wait_for(lambda: ready(lab))
    lab.publish(path)
    lab.wait_for(lambda: lab.taken() == 6060)
    assert counted(lab) == expected
    counts = worker.events()[lab.settings.topics().inputs["orders"]]
    assert counts["read"] == counts["applied"] + counts["duplicate"]
    assert counts["duplicate"] == 3000
    assert worker.terminate() == 0
    assert lab.held().outbox == []


def test_told_to_stop_while_redis_is_away(lab: Installation, own_redis: OwnRedis) -> None:
    worker = lab.start(DRAIN="3s")
    lab.wait_for(lambda: ready(lab))
    own_redis.kill()
    time.sleep(1)
    assert worker.terminate() == 0
