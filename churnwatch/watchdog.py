"""Watchdogs: a worker that can no longer do its work ends, loudly and within a bound, so that whoever started it starts it anew.

| stuck | noticed by | what it does |
| --- | --- | --- |
| a part has work, waits for nobody, does not move | `Watch`, on the loop | fails /healthz after CHURNWATCH_STALLED, ends the worker after twice that |
| the loop does not turn (a call that blocks, a lock) | `LoopWatch`, a thread | says so, the stacks of all threads, exit code 1 |
| a call that never returns and keeps the interpreter's lock | the kernel's timer for processor time | the stacks of all threads, ended by SIGPROF |
| a stop that does not come to its end | `LoopWatch.end_within` | as for the loop |

Nothing here goes by the wall: a process that was stopped (SIGSTOP), or a machine that was suspended, has not been stuck. The
thread counts its own ticks, the timer counts processor time, and `AwakeClock` takes no more than a moment from any pause.
Before `Watch` ends a worker it asks Kafka, for a worker that waits for Kafka is to wait (docs/guarantees.md, G7).
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from agents.health import Progress
from agents.parts import KAFKA, Parts
from streams.errors import ChurnwatchError

log = logging.getLogger("churnwatch.watchdog")

TICK_SECONDS: Final = 0.5
PAUSE_MS_MAX: Final = 2_000
TASKS_SAID_MAX: Final = 100
PARTS_SAID_MAX: Final = 20
EXIT_STUCK: Final = 1


class Stuck(ChurnwatchError):
    """A worker cannot go on, and a restart may mend it."""


class AwakeClock:
    """Milliseconds for which the loop has turned: of any pause between two beats it counts no more than `PAUSE_MS_MAX`.

    >>> seen = iter([1_000, 1_500, 600_000, 600_100])
    >>> clock = AwakeClock(lambda: next(seen))
    >>> clock.beat(), clock.beat(), clock.ms()
    (500, 2500, 2600)
    """

    def __init__(self, monotonic_ms: Callable[[], int]) -> None:
        self._monotonic_ms = monotonic_ms
        self._beaten_ms = monotonic_ms()
        self._awake_ms = 0
        self.asleep_ms = 0
        """For how long the process stood still between the last two beats; 0 where it did not."""

    def beat(self) -> int:
        """Be called twice a second, from the loop."""
        now_ms = self._monotonic_ms()
        passed_ms = max(0, now_ms - self._beaten_ms)
        self._awake_ms += min(passed_ms, PAUSE_MS_MAX)
        self.asleep_ms = passed_ms if passed_ms > PAUSE_MS_MAX else 0
        self._beaten_ms = now_ms
        return self._awake_ms

    def ms(self) -> int:
        """Return the time by this clock."""
        return self._awake_ms + min(max(0, self._monotonic_ms() - self._beaten_ms), PAUSE_MS_MAX)


class Watch:
    """Looks at all parts again and again; `run` ends only by raising `Stuck`.

    Args:
        clock: what the parts' spans are measured by.
        parts, look: what is known of them, and how they fare now.
        ask_kafka: raises a `ChurnwatchError` where Kafka does not answer for what this worker needs of it.
        stalled_ms: half of how long a part may be stuck.
    """

    def __init__(
        self,
        clock: AwakeClock,
        parts: Parts,
        look: Callable[[], Sequence[Progress]],
        ask_kafka: Callable[[], Awaitable[None]],
        stalled_ms: int,
    ) -> None:
        self._clock = clock
        self._parts = parts
        self._look = look
        self._ask_kafka = ask_kafka
        self._stalled_ms = stalled_ms

    async def run(self) -> None:
        """Beat and look until something is stuck for good; raises `Stuck`, which names it."""
        judging: asyncio.Task[None] | None = None
        try:
            while True:
                self._clock.beat()
                if self._clock.asleep_ms:
                    log.warning(
                        "This process has stood still for %d s (stopped, or the machine was): its partitions may be another's now",
                        self._clock.asleep_ms // 1000,
                    )
                looked = self._look()
                if judging is not None and judging.done():
                    judging.result()
                    judging = None
                if judging is None and self._suspect(looked):
                    judging = asyncio.create_task(self._judge())
                await asyncio.sleep(TICK_SECONDS)
        finally:
            if judging is not None:
                judging.cancel()

    def _suspect(self, looked: Sequence[Progress]) -> bool:
        """Whether anything has stood still for so long that Kafka is worth a question."""
        now_ms = self._clock.ms()
        suspect = any(
            part.waits_for in {None, KAFKA} and part.stalled_ms(now_ms) > self._stalled_ms // 2 for part in looked
        )
        if not suspect:
            self._kafka(away=False)
        return suspect

    async def _judge(self) -> None:
        try:
            await self._ask_kafka()
        except ChurnwatchError as error:
            self._kafka(away=True, why=str(error))
            return
        self._kafka(away=False)
        now_ms = self._clock.ms()
        stuck = [part for part in self._look() if part.stuck_ms(now_ms) > self._stalled_ms]
        if any(part.stuck_ms(now_ms) > 2 * self._stalled_ms for part in stuck):
            say_where_tasks_stand()
            names = ", ".join(f"{part.name} for {part.stuck_ms(now_ms) // 1000} s" for part in stuck[:PARTS_SAID_MAX])
            stuck_now = Stuck(
                f"the worker is stuck and ends, so that it is started anew: has work and does not move: {names}. "
                "Kafka answers. Nothing stored is lost; where its tasks stood is in the log (docs/runbook/ChurnwatchWorkerRestarts.md)"
            )
            log.error(
                "%s", stuck_now
            )  # also here: what is stuck may keep the stop from its end, and then nobody says it
            raise stuck_now

    def _kafka(self, *, away: bool, why: str = "") -> None:
        if away and not self._parts.kafka_away:
            log.warning("Kafka does not answer, the worker waits for it: %s", why)
        elif self._parts.kafka_away and not away:
            log.info("Kafka answers again")
        self._parts.kafka_away = away


class LoopWatch:
    """A thread that ends the process where its event loop does not turn for `stalled_seconds`, or a stop does not end.

    `signs` gives anything that changes while a long computation on the loop comes along: the loop does not turn meanwhile, but it
    is at work. `end` is called with the line to say; the default ends the process.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        stalled_seconds: float,
        end: Callable[[str], None] | None = None,
        tick_seconds: float = TICK_SECONDS,
    ) -> None:
        self._loop = loop
        self._stalled_seconds = stalled_seconds
        self._end = end_process if end is None else end
        self._tick_seconds = tick_seconds
        self._left_seconds: float | None = None
        self._turned = True
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="churnwatch-watchdog", daemon=True)
        self.signs: Callable[[], object] = lambda: None

    def start(self) -> None:
        """Watch from now on, and have the kernel watch the watcher."""
        faulthandler.enable()
        faulthandler.register(signal.SIGPROF, all_threads=True, chain=True)
        self._thread.start()

    def end_within(self, seconds: float) -> None:
        """From now on the process has so long to end, whatever its loop does."""
        self._left_seconds = seconds

    def close(self) -> None:
        """Watch no longer."""
        self._closed.set()
        self._thread.join()
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _run(self) -> None:
        silent_seconds, sign = 0.0, None
        while not self._closed.wait(self._tick_seconds):
            # Of no use unless something keeps this thread from coming here: it is set anew each time.
            signal.setitimer(signal.ITIMER_PROF, self._stalled_seconds)
            previous, sign = sign, self.signs()
            if self._turned or sign != previous:
                silent_seconds = 0.0
                self._ask()
            else:
                silent_seconds += self._tick_seconds
            if silent_seconds > self._stalled_seconds:
                self._end(f"The event loop has not turned for {silent_seconds:g} s (CHURNWATCH_STALLED)")
            if self._left_seconds is not None:
                self._left_seconds -= self._tick_seconds
                if self._left_seconds <= 0:
                    self._end("The worker has not come to its end in time")

    def _ask(self) -> None:
        if self._turned:
            self._turned = False
            with suppress(RuntimeError):  # the loop is closed: whoever closed it ends the process
                self._loop.call_soon_threadsafe(self._turn)

    def _turn(self) -> None:
        self._turned = True


def end_process(why: str) -> None:
    """End at once: one line, the stacks of all threads, exit code 1. Nothing that may wait for the loop is asked to tidy up."""
    # Not through `logging`: a thread that hangs may hold its lock.
    os.write(2, f"churnwatch: {why}; ending, so that it is started anew. All threads:\n".encode())
    faulthandler.dump_traceback(all_threads=True)
    os._exit(EXIT_STUCK)


def standing(loop: asyncio.AbstractEventLoop) -> list[str]:
    """Say for the loop's tasks which calls each of them is in, outermost first; those with names of ours come first."""
    names = {task: task.get_name() for task in asyncio.all_tasks(loop)}
    tasks = sorted(names, key=lambda task: (names[task].startswith(("<", "Task-")), names[task]))
    return [f"{task.get_name()}: {waiting_in(task)}" for task in tasks[:TASKS_SAID_MAX]]


def waiting_in(task: asyncio.Task[Any]) -> str:
    """Name the calls that a task is in, outermost first: whoever looks into it needs nothing else."""
    names: list[str] = []
    awaited: Any = task.get_coro()
    while awaited is not None:
        names.append(getattr(awaited, "__qualname__", type(awaited).__name__))
        awaited = getattr(awaited, "cr_await", None)
    return " > ".join(names)


def say_where_tasks_stand() -> None:
    """Write to the log where every task waits."""
    for line in standing(asyncio.get_running_loop()):
        log.error("%s", line)
    sys.stderr.flush()
