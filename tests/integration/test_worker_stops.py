"""SIGTERM at the worst of moments: the worker ends in time, cleanly where it can and loudly where it cannot, and nothing is doubled."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.record import decode_customer
from chaos.installation import Installation, installation
from chaos.logs import QUICK
from chaos.topics import read
from churnwatch.embedded import EmbeddedKafka
from churnwatch.services import Services
from tests.integration.worker_logs import order, write

pytestmark = pytest.mark.slow

OK = 200
DRAIN_SECONDS = 5.0
GRACE_SECONDS = 10.0
END_SECONDS = 10.0
BUSY_SECONDS = 10.0
CUSTOMERS = 40
EVENTS = 6_000
INTERRUPTED = 130
"""As a command that is stopped before it is a worker: SIGTERM goes the way of Ctrl-C then."""

TERMINATED = -15
SETTINGS = QUICK | {"chunk_events_max": 40, "drain_ms": f"{DRAIN_SECONDS:g}s", "redis_timeout_ms": "1s"}


@pytest.fixture
def lab(services: Services, topic_prefix: str, namespace: str, tmp_path: Path) -> Iterator[Installation]:
    with installation(services, topic_prefix, namespace, tmp_path, **SETTINGS) as made:
        yield made


def ready(lab: Installation) -> bool:
    return lab.workers[-1].get("/readyz")[0] == OK


def publish(lab: Installation, path: Path, count: int = EVENTS) -> Counter[str]:
    """Orders of forty customers until now; returns how many each has."""
    began_ms = time.time_ns() // 1_000_000 - count
    log = [order(f"c{n % CUSTOMERS}", began_ms + n, n) for n in range(count)]
    assert lab.publish(write(path, log)) == count
    return Counter(fields["customer_id"] for fields in log)


def counted(lab: Installation) -> Counter[str]:
    held = lab.held().customers
    return Counter({customer: decode_customer(value).activity.orders for customer, value in held.items()})


def ended(lab: Installation, seconds: float, *codes: int) -> str:
    """The last worker ends within so many seconds with one of the codes; returns what it said."""
    worker = lab.workers[-1]
    began = time.monotonic()
    assert worker.wait(seconds + BUSY_SECONDS) in codes
    assert time.monotonic() - began < seconds + BUSY_SECONDS
    return worker.log


def repeated(lab: Installation, topic: str) -> list[Any]:
    """Records that are there more than once."""
    counts = Counter((record.key, record.value) for record in read(lab.settings, topic))
    return [record for record, count in counts.items() if count > 1]


def test_under_load(lab: Installation, tmp_path: Path) -> None:
    expected = publish(lab, tmp_path / "log.jsonl")
    worker = lab.start()
    lab.wait_for(lambda: 0 < lab.taken() < EVENTS)
    worker.leave(0.0)
    log = ended(lab, DRAIN_SECONDS, 0)
    taken = lab.taken()
    assert 0 < taken < EVENTS, "in the middle"
    assert "Worker stopped" in log.splitlines()[-1]
    assert lab.held().outbox == [], "all that was decided is said, and known to be"

    successor = lab.start()
    lab.wait_for(lambda: lab.taken() == EVENTS)
    lab.wait_for(lambda: sum(found["read"] for found in successor.events().values()) == EVENTS - taken)
    assert sum(found["duplicate"] for found in successor.events().values()) == 0
    assert counted(lab) == expected
    successor.leave(0.0)
    ended(lab, DRAIN_SECONDS, 0)
    names = lab.settings.topics()
    assert [repeated(lab, topic) for topic in (names.alerts, names.scores, names.examples)] == [[], [], []]


def test_twice_in_a_row(lab: Installation, tmp_path: Path) -> None:
    publish(lab, tmp_path / "log.jsonl")
    worker = lab.start()
    lab.wait_for(lambda: lab.taken() > 0)
    worker.leave(0.0)
    time.sleep(0.05)
    worker.leave(0.0)
    ended(lab, DRAIN_SECONDS, 0)


@pytest.mark.parametrize("seconds", [0.1, 1.0, 2.0, 3.0, 4.0])
def test_while_it_starts(lab: Installation, seconds: float) -> None:
    worker = lab.start()
    time.sleep(seconds)
    worker.leave(0.0)
    ended(lab, DRAIN_SECONDS + GRACE_SECONDS, 0, INTERRUPTED, TERMINATED)


@pytest.mark.parametrize("line", ["Partitions held", "Worker started"])
def test_as_soon_as_it_has_started(lab: Installation, tmp_path: Path, line: str) -> None:
    publish(lab, tmp_path / "log.jsonl", 400)
    worker = lab.start()
    lab.wait_for(lambda: line in worker.log)
    worker.leave(0.0)
    ended(lab, DRAIN_SECONDS + GRACE_SECONDS, 0)


@pytest.mark.usefixtures("real_kafka")
def test_while_the_partitions_are_dealt_out(lab: Installation, tmp_path: Path) -> None:
    expected = publish(lab, tmp_path / "log.jsonl")
    first = lab.start()
    lab.wait_for(lambda: lab.taken() > 0)
    second = lab.start()
    lab.wait_for(lambda: second.get("/healthz")[0] == OK)
    first.leave(0.0)
    assert first.wait(DRAIN_SECONDS + GRACE_SECONDS + BUSY_SECONDS) == 0
    lab.wait_for(lambda: lab.taken() == EVENTS)
    assert counted(lab) == expected
    second.leave(0.0)
    ended(lab, DRAIN_SECONDS, 0)


def test_while_kafka_is_away(services: Services, topic_prefix: str, namespace: str, tmp_path: Path) -> None:
    kafka = EmbeddedKafka()
    try:
        with installation(services, topic_prefix, namespace, tmp_path, create_all=False, **SETTINGS) as lab:
            lab.settings = lab.settings.model_copy(update={"kafka_bootstrap": kafka.bootstrap})
            publish(lab, tmp_path / "log.jsonl")
            worker = lab.start(
                STALLED="2s",
                KAFKA_TIMEOUT="1s",
                BUFFER_BYTES_MAX="8000",
                CHUNK_BYTES_MAX="4000",
                VALUE_BYTES_MAX="2000",
            )
            lab.wait_for(lambda: 0 < lab.taken() < EVENTS)
            kafka.stop()
            # Away for longer than anything may be stuck: the worker waits, for a restart would not help.
            lab.wait_for(lambda: "Kafka does not answer" in worker.log or "waits for Kafka" in worker.log)
            time.sleep(6)
            assert worker.get("/healthz")[0] == OK
            worker.leave(0.0)
            log = ended(lab, DRAIN_SECONDS + GRACE_SECONDS + END_SECONDS, 0, 1)
            assert "without taking leave" in log or "Not stopped after" in log, "loudly"
            assert worker.log.count("Unable connect to node") < 100, "nor does it fill the disk with it"
    finally:
        kafka.stop()


def test_before_kafka_has_ever_answered(lab: Installation) -> None:
    worker = lab.start(KAFKA_BOOTSTRAP="127.0.0.1:9", KAFKA_TIMEOUT="1s")
    lab.wait_for(lambda: "Waiting for Kafka" in worker.log)
    worker.leave(0.0)
    ended(lab, GRACE_SECONDS, 0)
