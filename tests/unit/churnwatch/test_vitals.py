"""The parts of a worker that nobody reports on, looked at from outside."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agents.outbox import Outbox
from agents.parts import Parts
from agents.runner import PartitionRunner
from churnwatch.vitals import REBALANCE_MS, GuardedAssignments, Vitals
from streams.outgoing import Outgoing
from tests.unit.agents.samples import START_MS
from tests.unit.agents.world import World

STALLED_MS = 60_000
MESSAGE = Outgoing("churn.alerts", b"c1", b"{}", [])


class Silent:
    """A Kafka that takes messages when it is told to."""

    def __init__(self) -> None:
        self.takes = asyncio.Event()

    async def publish(self, messages: Any) -> None:
        await self.takes.wait()
        self.takes.clear()


class Accepting:
    """Assignments that have nothing to do."""

    async def on_revoked(self, partitions: set[Any]) -> None:
        pass

    async def on_assigned(self, partitions: set[Any]) -> None:
        pass


class Worker:
    """As much of a worker as is looked at: one partition, its outbox, a consumer."""

    def __init__(self) -> None:
        self.now_ms = 1_000
        self.stopping = False
        self.kafka = Silent()
        self.outbox = Outbox(self.kafka)
        self.runner: PartitionRunner = World([], START_MS).lanes[0].runner
        self.runner._outbox = self.outbox
        self.assignments: Any = SimpleNamespace(runners={(False, 0): self.runner})
        self.consumer = SimpleNamespace(turns=0, beats=0)
        self.guard = GuardedAssignments(Accepting(), lambda error: None, lambda: self.now_ms)
        self.vitals = Vitals(
            Parts(lambda: self.now_ms),
            cast(Any, self.assignments),
            self.guard,
            lambda: cast(Any, self.consumer),
            "churn.examples",
            now_ms=lambda: self.now_ms,
            stopping=lambda: self.stopping,
        )

    def stuck(self, seconds: int, turning: bool = True, beating: bool = True) -> set[str]:
        """What has stood still for a minute, after looking once a second for so long."""
        for _ in range(seconds):
            self.now_ms += 1_000
            self.consumer.turns += turning
            self.consumer.beats += beating
            looked = self.vitals.look()
        return {part.name for part in looked if part.stuck_ms(self.now_ms) > STALLED_MS}


@pytest.fixture
def worker() -> Worker:
    made = Worker()
    asyncio.run(made.guard.on_assigned(set()))
    return made


def test_all_is_well(worker: Worker) -> None:
    assert worker.stuck(300) == set()


def test_a_fetch_loop_that_no_longer_turns(worker: Worker) -> None:
    assert worker.stuck(300) == set()
    assert worker.stuck(60, turning=False) == set()
    assert worker.stuck(2, turning=False) == {"fetching from Kafka"}


def test_a_thread_from_which_the_group_hears_nothing_any_more(worker: Worker) -> None:
    assert worker.stuck(300) == set()
    assert worker.stuck(60, beating=False) == set()
    assert worker.stuck(2, beating=False) == {"staying in the consumer group"}


def test_without_partitions_or_while_it_stops_nobody_need_fetch(worker: Worker) -> None:
    worker.stopping = True
    assert worker.stuck(300, turning=False) == set()
    worker.stopping = False
    worker.assignments.runners.clear()
    assert worker.stuck(300, turning=False) == set()


def test_an_outbox_that_is_only_filled(worker: Worker) -> None:
    for _ in range(61):
        worker.outbox.add([MESSAGE])
        assert worker.stuck(1) == set()
    worker.outbox.add([MESSAGE])
    assert worker.stuck(1) == {"the outbox of partition 0"}


def test_an_outbox_that_is_emptied_now_and_then(worker: Worker) -> None:
    async def taken() -> None:
        flushing = asyncio.create_task(worker.outbox.flush())
        worker.kafka.takes.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        flushing.cancel()

    worker.outbox.add([MESSAGE])
    for _ in range(4):
        assert worker.stuck(50) == set()
        asyncio.run(taken())
        for _ in range(2):
            worker.outbox.add([MESSAGE])
    assert worker.outbox.pending == 2


def test_partitions_that_never_come(worker: Worker) -> None:
    asyncio.run(worker.guard.on_revoked(set()))
    worker.assignments.runners.clear()
    wait_s = (REBALANCE_MS + STALLED_MS) // 1000
    assert worker.stuck(wait_s) == set()
    assert worker.stuck(3) == {"joining the consumer group"}
    asyncio.run(worker.guard.on_assigned(set()))
    assert worker.stuck(300) == set(), "none for this worker is an answer as well"
