"""Faults that a restart may mend, planted in real workers: each one says what is stuck, and ends with a code that is not 0, within a bound.

Workers with different faults run side by side: each in a group and a namespace of its own, over the same topics.
"""

import os
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from chaos.installation import Installation, installation
from chaos.logs import QUICK
from chaos.workers import WorkerProcess
from churnwatch.services import Services
from tests.integration.worker_faults import FAULTS, Fault
from tests.integration.worker_logs import order, write

pytestmark = pytest.mark.slow

OK, UNAVAILABLE = 200, 503
STALLED_SECONDS = 5.0
DRAIN_SECONDS = 2.0
GRACE_SECONDS = 10.0
END_SECONDS = 10.0
START_SECONDS_MAX = 180.0
BUSY_SECONDS = 30.0
"""What a busy machine may add to any bound."""

BLOCKED_BUSY_SECONDS = 120.0
"""The kernel's timer counts processor time, of which a busy machine gives little."""

STUCK_SECONDS = 2 * STALLED_SECONDS + DRAIN_SECONDS + GRACE_SECONDS

STANDING_STILL = {
    "a step never comes back": "partition 2",
    "an outbox never hears from Kafka": "the outbox of partition",
    "the learner never comes back": "the learner",
    "fetching ends without a word": "fetching from Kafka",
    "the consumer's thread stands still": "staying in the consumer group",
}
DYING = {
    "a partition's runner is cancelled": "runner-2 has ended though nobody told it to",
    "a partition's runner dies": "planted",
    "the agent raises": "planted",
    "fetching raises": "planted",
    "the consumer's thread dies": "planted",
    "the group refuses the worker": "GroupAuthorizationFailedError",
}
UNASSIGNED = {
    "being given partitions raises": "planted",
    "being given partitions never ends": "joining the consumer group",
}
BLOCKING = {
    "a callback blocks": (1, "The event loop has not turned for"),
    "a call keeps the interpreter's lock": (-27, "most recent call first"),
}
UNSTOPPABLE = {
    "Faust never stops": (0, "without taking leave of its consumer group"),
    "Faust crashes while it stops": (1, "planted"),
    "Faust waits for its thread on the loop": (1, "ending, so that it is started anew. All threads:"),
}
LONG_WORK = "the learner takes long"
LONG_UNASKED = "nobody polls for as long as a group allows"


class Ward:
    """Workers that bear a fault each."""

    def __init__(self, lab: Installation, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lab = lab
        self.workers: dict[str, WorkerProcess] = {}
        self._scratch = scratch
        self._monkeypatch = monkeypatch
        self._faults: list[Fault] = []

    def start(self, names: Iterable[str]) -> None:
        for number, name in enumerate(names):
            folder = self._scratch / str(number)
            folder.mkdir()
            fault = Fault(name, folder)
            self._faults.append(fault)
            with self._monkeypatch.context() as patched:
                patched.setenv("FAULT", fault.environ["FAULT"])
                patched.setenv("PYTHONPATH", fault.environ["PYTHONPATH"], prepend=os.pathsep)
                self.workers[name] = self.lab.start(
                    KAFKA_GROUP_ID=f"{self.lab.settings.kafka_group_id}{number}",
                    REDIS_NAMESPACE=f"{self.lab.settings.redis_namespace}.{number}",
                )

    def ready(self) -> bool:
        return all(worker.get("/readyz")[0] == OK for worker in self.workers.values())

    def wait_until_ready(self) -> None:
        self.lab.wait_for(self.ready, START_SECONDS_MAX)

    def strike(self) -> float:
        """Let all faults happen; returns when."""
        for fault in self._faults:
            fault.strike()
        return time.monotonic()

    def ended(self, name: str, until: float) -> tuple[int, str]:
        """Code and last words of a worker that must have ended by then."""
        worker = self.workers[name]
        return worker.wait(max(0.1, until - time.monotonic())), worker.log


@pytest.fixture
def lab(services: Services, topic_prefix: str, namespace: str, tmp_path: Path) -> Iterator[Installation]:
    settings = QUICK | {
        "redis_timeout_ms": "1s",
        "stalled_ms": f"{STALLED_SECONDS:g}s",
        "drain_ms": f"{DRAIN_SECONDS:g}s",
    }
    with installation(services, topic_prefix, namespace, tmp_path, **settings) as made:
        yield made


@pytest.fixture
def ward(lab: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ward:
    return Ward(lab, tmp_path, monkeypatch)


def publish(lab: Installation, path: Path, first: int = 0, count: int = 400) -> None:
    """Orders for every partition."""
    began_ms = time.time_ns() // 1_000_000 - count
    lab.publish(write(path, [order(f"c{n % 20}", began_ms + n, first + n) for n in range(count)]))


def unhealthy(workers: dict[str, WorkerProcess], told: dict[str, str], until: float) -> dict[str, int]:
    """For how many seconds what it names had stood still when /healthz of each worker first failed."""
    found: dict[str, int] = {}
    while len(found) < len(told) and time.monotonic() < until and any(worker.running for worker in workers.values()):
        for name, words in told.items():
            status, body = workers[name].get("/healthz", 1.0)
            spans = re.findall(rf"{words}[ 0-9]* has had work for (\d+) s", body)
            if status == UNAVAILABLE and spans:
                found.setdefault(name, int(max(spans, key=int)))
    return found


def test_what_stands_still_fails_health_by_its_name_and_then_ends(ward: Ward, tmp_path: Path) -> None:
    ward.start(STANDING_STILL)
    ward.wait_until_ready()
    began = ward.strike()
    publish(ward.lab, tmp_path / "work.jsonl")
    until = began + STUCK_SECONDS + BUSY_SECONDS
    found = unhealthy(ward.workers, STANDING_STILL, until)
    assert found.keys() == STANDING_STILL.keys()
    assert min(found.values()) >= STALLED_SECONDS
    for name, words in STANDING_STILL.items():
        code, log = ward.ended(name, until)
        assert code == 1
        assert "the worker is stuck and ends" in log.splitlines()[-1], name
        assert words in log.splitlines()[-1], name
        assert "runner-2: PartitionRunner.run > " in log, "where every task stood"


def test_what_dies_ends_the_worker_at_once(ward: Ward, tmp_path: Path) -> None:
    ward.start(DYING)
    ward.wait_until_ready()
    began = ward.strike()
    publish(ward.lab, tmp_path / "work.jsonl")
    until = began + DRAIN_SECONDS + GRACE_SECONDS + BUSY_SECONDS
    for name, words in DYING.items():
        code, log = ward.ended(name, until)
        assert code == 1
        assert words in log.splitlines()[-1], name


@pytest.mark.usefixtures("real_kafka")  # the embedded broker cannot be asked about groups
def test_without_an_assignment_though_kafka_answers(ward: Ward) -> None:
    ward.start(UNASSIGNED)
    until = time.monotonic() + START_SECONDS_MAX
    for name, words in UNASSIGNED.items():
        code, log = ward.ended(name, until)
        assert code == 1
        assert words in log.splitlines()[-1], name


def test_a_loop_that_does_not_turn(ward: Ward) -> None:
    ward.start(BLOCKING)
    ward.wait_until_ready()
    began = ward.strike()
    time.sleep(1)
    for worker in ward.workers.values():
        assert worker.get("/healthz", 1.0)[0] == 0, "a probe hears nothing, which counts as a failure"
    for name, (expected, words) in BLOCKING.items():
        code, log = ward.ended(name, began + STALLED_SECONDS + BLOCKED_BUSY_SECONDS)
        assert (code, words in log) == (expected, True), name
        assert "in block" in log, "the stacks say where it stood"
    assert time.monotonic() - began >= STALLED_SECONDS


def test_a_faust_that_does_not_stop(ward: Ward) -> None:
    ward.start(UNSTOPPABLE)
    ward.wait_until_ready()
    for worker in ward.workers.values():
        worker.leave(0.0)
    until = time.monotonic() + DRAIN_SECONDS + GRACE_SECONDS + END_SECONDS + BUSY_SECONDS
    for name, (expected, words) in UNSTOPPABLE.items():
        code, log = ward.ended(name, until)
        assert (code, words in log) == (expected, True), name


def test_a_member_that_reads_elsewhere_is_not_taken_for_one_that_does_not_read(ward: Ward, tmp_path: Path) -> None:
    """By aiokafka, which has a group left by those who do not ask it for records, and lets them in no more."""
    ward.start([LONG_UNASKED])
    ward.wait_until_ready()
    worker = ward.workers[LONG_UNASKED]
    time.sleep(ward.lab.settings.kafka_session_ms / 1000)  # four heartbeats, with each of which it would be found out
    publish(ward.lab, tmp_path / "work.jsonl")
    ward.lab.wait_for(lambda: worker.total("churnwatch_events_total") > 0)
    assert worker.log.count("Partitions held") == 1


def test_a_frozen_worker_has_not_been_stuck(lab: Installation, tmp_path: Path) -> None:
    worker = lab.start(KAFKA_SESSION="60s")
    lab.wait_for(lambda: worker.get("/readyz")[0] == OK)
    publish(lab, tmp_path / "before.jsonl")
    worker.freeze()
    publish(lab, tmp_path / "meanwhile.jsonl", 400)
    time.sleep(3 * STALLED_SECONDS)
    worker.thaw()
    lab.wait_for(lambda: worker.get("/healthz")[0] == OK)
    lab.wait_for(lambda: lab.taken() == 800)
    assert worker.terminate() == 0


def test_long_work_is_no_fault(ward: Ward, tmp_path: Path) -> None:
    ward.start([LONG_WORK])
    ward.wait_until_ready()
    began = ward.strike()
    publish(ward.lab, tmp_path / "work.jsonl")
    while time.monotonic() - began < 4 * STALLED_SECONDS:
        assert ward.workers[LONG_WORK].running
        time.sleep(0.5)
    assert ward.workers[LONG_WORK].terminate() == 0


def test_the_faults_are_all_planted() -> None:
    assert {*STANDING_STILL, *DYING, *UNASSIGNED, *BLOCKING, *UNSTOPPABLE, LONG_WORK, LONG_UNASKED} == FAULTS.keys()
