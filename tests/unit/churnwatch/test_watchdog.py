"""What the watchdogs take for stuck, and what they must not."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from agents.parts import PARTITION, Parts
from churnwatch.vitals import GuardedAssignments
from churnwatch.watchdog import PAUSE_MS_MAX, AwakeClock, LoopWatch, Stuck, Watch, waiting_in
from streams.errors import TransportError

STALLED_MS = 4_000
TICK_SECONDS = 0.005
PATIENCE_SECONDS = 5.0


# -- the clock ---------------------------------------------------------------------------------------------------------


def test_the_clock_counts_what_is_awake() -> None:
    now_ms = [0]
    clock = AwakeClock(lambda: now_ms[0])
    for _ in range(10):
        now_ms[0] += 500
        clock.beat()
    assert clock.ms() == 5_000
    now_ms[0] += 3_600_000  # SIGSTOP, or the lid is closed
    assert clock.ms() == 5_000 + PAUSE_MS_MAX
    clock.beat()
    assert clock.ms() == 5_000 + PAUSE_MS_MAX
    assert clock.asleep_ms == 3_600_000
    now_ms[0] -= 50  # no clock goes back here, but if one does
    assert clock.beat() == 5_000 + PAUSE_MS_MAX


# -- parts -------------------------------------------------------------------------------------------------------------


class Yard:
    """One partition that has work, a Kafka that may be asked, and a clock of which each look takes half a second."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_ms = 0
        self.kafka: TransportError | None = None
        self.asked = 0
        self.said = ""
        self.clock = AwakeClock(lambda: self.now_ms)
        self.parts = Parts(self.clock.ms)
        self.at: dict[int, Callable[[], object]] = {}
        sleep = asyncio.sleep

        async def tick(_: float) -> None:
            await sleep(0)
            await sleep(0)
            self.now_ms += 500
            for due_ms in [due_ms for due_ms in self.at if due_ms <= self.now_ms]:
                self.at.pop(due_ms)()

        monkeypatch.setattr(asyncio, "sleep", tick)

    async def ask(self) -> None:
        self.asked += 1
        if self.kafka is not None:
            raise self.kafka

    async def run(self, until_ms: int) -> int:
        """Watch until it is that late, or until something is stuck; returns when that was."""
        watch = Watch(
            self.clock, self.parts, lambda: [self.parts.look(PARTITION, 7, pending=True)], self.ask, STALLED_MS
        )
        self.at[until_ms] = asyncio.current_task().cancel  # type: ignore[union-attr]
        try:
            await watch.run()
        except asyncio.CancelledError:
            return until_ms
        except Stuck as error:
            self.said = str(error)
            return self.now_ms
        raise AssertionError("a watch does not end by itself")


@pytest.fixture
def yard(monkeypatch: pytest.MonkeyPatch) -> Yard:
    return Yard(monkeypatch)


def run(running: Coroutine[Any, Any, int]) -> int:
    return asyncio.run(running)


def test_what_is_stuck_ends_the_worker_after_twice_the_bound(yard: Yard) -> None:
    assert 2 * STALLED_MS < run(yard.run(60_000)) <= 2 * STALLED_MS + 1_500
    assert yard.asked, "Kafka was asked before"
    assert "partition 7 for 8 s" in yard.said


def test_what_moves_does_not(yard: Yard) -> None:
    for second in range(60):
        yard.at[1_000 * second] = lambda: yard.parts.moved(PARTITION, 7)
    assert run(yard.run(60_000)) == 60_000
    assert yard.asked == 0, "nor is anybody asked"


def test_while_kafka_does_not_answer_nothing_is_stuck(yard: Yard, caplog: pytest.LogCaptureFixture) -> None:
    yard.kafka = TransportError("no connection")
    yard.at[40_000] = lambda: setattr(yard, "kafka", None)
    with caplog.at_level(logging.INFO, "churnwatch.watchdog"):
        ended_ms = run(yard.run(60_000))
    assert 40_000 + 2 * STALLED_MS < ended_ms <= 40_000 + 2 * STALLED_MS + 2_000, "and then it has its time anew"
    said = [record.getMessage() for record in caplog.records if record.getMessage().startswith("Kafka")]
    assert said == ["Kafka does not answer, the worker waits for it: no connection", "Kafka answers again"]


def test_a_suspended_machine_is_nobodys_stall(yard: Yard) -> None:
    yard.at[3_000] = lambda: setattr(yard, "now_ms", yard.now_ms + 3_600_000)
    yard.at[3_601_000] = lambda: yard.parts.moved(PARTITION, 7)
    assert run(yard.run(3_605_000)) == 3_605_000


def test_a_question_that_fails_otherwise_is_not_swallowed(yard: Yard) -> None:
    yard.kafka = RuntimeError("planted")  # type: ignore[assignment]
    with pytest.raises(RuntimeError, match="planted"):
        run(yard.run(60_000))


# -- the loop ----------------------------------------------------------------------------------------------------------


class Watched:
    """A loop in a thread of its own, and what the watch would have ended the process with."""

    def __init__(self, stalled_seconds: float) -> None:
        self.loop = asyncio.new_event_loop()
        self.said: list[str] = []
        self.ended = threading.Event()
        self.watch = LoopWatch(self.loop, stalled_seconds, self._end, TICK_SECONDS)
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.watch.start()

    def _end(self, why: str) -> None:
        self.said.append(why)
        self.ended.set()

    def close(self) -> None:
        self.watch.close()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@pytest.fixture
def watched() -> Iterator[Callable[[float], Watched]]:
    made: list[Watched] = []

    def watching(stalled_seconds: float) -> Watched:
        made.append(Watched(stalled_seconds))
        return made[-1]

    yield watching
    for one in made:
        one.close()


def test_a_loop_that_blocks_is_noticed(watched: Callable[[float], Watched]) -> None:
    one, let_go = watched(10 * TICK_SECONDS), threading.Event()
    one.loop.call_soon_threadsafe(let_go.wait)
    assert one.ended.wait(PATIENCE_SECONDS)
    let_go.set()
    assert one.said[0].startswith("The event loop has not turned for ")


def test_a_loop_that_turns_is_left_alone(watched: Callable[[float], Watched]) -> None:
    one = watched(1.0)
    assert not one.ended.wait(40 * TICK_SECONDS)


def test_signs_of_work_on_a_loop_that_does_not_turn(watched: Callable[[float], Watched]) -> None:
    one, let_go, signs = watched(10 * TICK_SECONDS), threading.Event(), iter(range(1_000_000))
    one.watch.signs = lambda: next(signs)
    one.loop.call_soon_threadsafe(let_go.wait)
    assert not one.ended.wait(40 * TICK_SECONDS)
    one.watch.signs = lambda: 0
    assert one.ended.wait(PATIENCE_SECONDS)
    let_go.set()


def test_an_end_that_does_not_come(watched: Callable[[float], Watched]) -> None:
    one = watched(PATIENCE_SECONDS)
    assert not one.ended.is_set()
    one.watch.end_within(3 * TICK_SECONDS)
    assert one.ended.wait(PATIENCE_SECONDS)
    assert one.said[0] == "The worker has not come to its end in time"


# -- the rest ----------------------------------------------------------------------------------------------------------


def test_where_a_task_stands() -> None:
    async def inner() -> None:
        await asyncio.Event().wait()

    async def outer() -> None:
        await inner()

    async def look() -> str:
        task = asyncio.create_task(outer())
        await asyncio.sleep(0)
        told = waiting_in(task)
        task.cancel()
        return told

    names = [name.rpartition(".")[2] for name in asyncio.run(look()).split(" > ")]
    assert names[:3] == ["outer", "inner", "wait"]


class Refusing:
    """Assignments that fail."""

    async def on_revoked(self, partitions: set[Any]) -> None:
        raise RuntimeError("revoked")

    async def on_assigned(self, partitions: set[Any]) -> None:
        raise RuntimeError("assigned")


def test_an_error_while_partitions_change_hands_reaches_the_worker() -> None:
    failures: list[BaseException] = []
    guard = GuardedAssignments(Refusing(), failures.append, lambda: 5)
    for change in (guard.on_revoked, guard.on_assigned):
        with pytest.raises(RuntimeError):
            asyncio.run(change(set()))
    assert [str(error) for error in failures] == ["revoked", "assigned"]
    assert guard.joining_ms == 5, "still without partitions"


def test_the_watchdogs_own_thread_does_not_keep_the_process_from_ending() -> None:
    loop = asyncio.new_event_loop()
    watch = LoopWatch(loop, 60.0)
    watch.start()
    began = time.monotonic()
    watch.close()
    loop.close()
    assert time.monotonic() - began < PATIENCE_SECONDS
