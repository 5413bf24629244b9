"""Values forged in Redis, and a real worker: it runs no code, ends with 1 within a bound, and says in one line what is wrong and what to do.

| forged | what the worker does | what mends it |
| --- | --- | --- |
| a partition's meta | ends before it has taken anything | the partition's keys deleted: it is built again from Kafka |
| a customer | ends when the customer is next read; nothing is stored, the others' state stays as it was | the customer's key deleted |
| the learner's state | ends before it learns | the key deleted: it learns anew |
| a guide | ends when it would score with it | the guide's key deleted: the one before it scores |
| an example message | nothing: the message is passed over, with a line | |
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.meta import Meta, encode_meta
from agents.record import decode_customer, encode_customer
from chaos.installation import PARTITIONS, Installation, installation
from chaos.logs import QUICK
from churnwatch import compose
from churnwatch.services import Services
from models.guide import encode_guide
from models.store import Head, encode_head
from streams.time import DAY_MS
from streams.topics import partition_for
from tests.integration.worker_logs import order, write

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

ENDS_SECONDS_MAX = 150.0
OK = 200
PICKLE = b"cos\nsystem\n(S'touch /tmp/never'\ntR."
"""What a store that unpickled would run."""

BOMB = b"\x01" + b"\x91" * 200_000


@pytest.fixture
def lab(services: Services, topic_prefix: str, namespace: str, tmp_path: Path) -> Iterator[Installation]:
    with installation(services, topic_prefix, namespace, tmp_path, **QUICK) as made:
        yield made


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def orders(first: int, count: int) -> list[dict[str, Any]]:
    return [order(f"c{n % 4}", now_ms() - DAY_MS + n, first + n) for n in range(count)]


def forge(lab: Installation, key: str, value: bytes) -> None:
    with lab.redis() as client:
        client.set(f"{lab.settings.redis_namespace}:{key}", value)


def delete(lab: Installation, key: str) -> None:
    with lab.redis() as client:
        assert client.delete(f"{lab.settings.redis_namespace}:{key}") == 1


def ended(lab: Installation) -> str:
    """The last words of a worker that is started now and must end with 1, in one line."""
    worker = lab.start()
    assert worker.wait(ENDS_SECONDS_MAX) == 1
    said = worker.log.strip().splitlines()[-1]
    assert said.startswith("churnwatch: ")
    assert "Traceback" not in worker.log
    return said


def taken_in(lab: Installation, count: int) -> None:
    """A worker takes everything in and stops."""
    worker = lab.start()
    lab.wait_for(lambda: lab.taken() == count)
    assert worker.terminate() == 0


def test_a_customer(lab: Installation, tmp_path: Path) -> None:
    lab.publish(write(tmp_path / "a.jsonl", orders(0, 20)))
    taken_in(lab, 20)
    before = lab.held().customers
    partition = partition_for(b"c1", PARTITIONS)
    key = f"{{{partition}}}:c:c1"
    forged = decode_customer(before["c1"])
    forged.activity.order_tiles[0].amount = (1 << 64) - 1
    forge(lab, key, encode_customer(forged))
    lab.publish(write(tmp_path / "b.jsonl", orders(20, 8)))
    said = ended(lab)
    assert f"partition {partition}" in said
    assert "`c:c1`" in said
    assert "delete the key" in said
    delete(lab, key)
    taken_in(lab, 28)
    assert sorted(lab.held().customers) == ["c0", "c1", "c2", "c3"]


@pytest.mark.parametrize(("value", "remedy"), [(PICKLE, "upgrade"), (BOMB, "doctor")])
def test_a_meta(lab: Installation, value: bytes, remedy: str) -> None:
    forge(lab, "{0}:meta", value)
    said = ended(lab)
    assert "partition 0" in said
    assert remedy in said


def test_a_clock_of_the_future(lab: Installation) -> None:
    forge(lab, "{0}:meta", encode_meta(Meta(clock_ms=now_ms() + 4_000 * DAY_MS, commits=10_000, life=now_ms())))
    assert "years ahead of the wall clock" in ended(lab)


def test_a_guide(lab: Installation) -> None:
    forge(lab, "{learn}:head", encode_head(Head(3, 0, now_ms(), 1, ((1, 1),))))
    nan = msgspec.structs.replace(compose.first_guide(), base_rate=float("nan"))
    forge(lab, "{learn}:guide:1", encode_guide(nan))
    said = ended(lab)
    assert "guide:1" in said
    assert "delete it" in said


def test_the_learner(lab: Installation) -> None:
    forge(lab, "{learn}:head", encode_head(Head(3, 0, now_ms())))
    forge(lab, "{learn}:state", b"\x02" + b"\x93\xc4\x00" + b"\x91" * 100_000)
    said = ended(lab)
    assert "the learner's state" in said
    assert "delete it" in said
