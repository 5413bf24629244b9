"""What it takes to start, to hand partitions over and to come back after a death, by the size of the state. All under a steady load.

The state lies in Redis, so a worker that takes a partition over reads nothing but its bookkeeping: none of this should grow with the state.
What does grow is Redis's own start, and a rebuilding from Kafka, which goes at the pace of a backlog.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bench.children import ROOT, environment, stop, worker
from bench.growth_events import Plan, as_json
from bench.growth_run import Timeline, Watched, claimed, longest_pause
from bench.measures import WrongAnswer
from churnwatch.child import free_port
from churnwatch.settings import Settings

PER_SECOND: Final = 400.0
SECONDS: Final = 60.0
"""Longer than everything that happens meanwhile; what is left of it is not waited for."""

STEADY_SECONDS: Final = 1.5
MOVE_SECONDS_MAX: Final = 60.0


@dataclass(frozen=True, slots=True)
class Moves:
    """Seconds, with so many customers in Redis.

    Attributes:
        start: from starting a worker's process to its first partition claimed.
        join: the longest time that any partition stood still when a second worker came.
        leave: when it went, being told to.
        death: from killing the only worker, a successor being there, to the first event taken in again.
    """

    customers: int
    start: float
    join: float
    leave: float
    death: float

    def told(self) -> dict[str, float]:
        """Give them as they stand in the result file."""
        return {name: round(value, 2) for name, value in asdict(self).items()}


def moves(watched: Watched, scratch: Path, customers: int) -> Moves:
    """Measure all of them on an installation that has taken in everything so far."""
    settings = watched.settings
    with ExitStack() as stack:

        def start(name: str) -> subprocess.Popen[bytes]:
            own = settings.model_copy(update={"web_port": free_port()})
            return stack.enter_context(worker(own, scratch / f"{settings.redis_namespace}-{name}.log"))

        before = watched.claims()
        first = start("first")
        started = claimed(watched, before, first)
        stack.enter_context(_load(settings, customers))
        _settle(watched, [first])
        before = watched.claims()
        second = start("second")
        _, joined = _handed_over(watched, [first, second], before)
        before = watched.claims()
        second.terminate()
        _, left = _handed_over(watched, [first], before)
        if second.wait(MOVE_SECONDS_MAX):
            raise WrongAnswer(f"the worker that was to leave has ended with code {second.returncode}")
        before = watched.claims()
        third = start("third")
        _handed_over(watched, [first, third], before)
        before, killed = watched.claims(), time.perf_counter()
        first.kill()
        taken_over, _ = _handed_over(watched, [third], before)
        stop(third)
    return Moves(customers, started, longest_pause(joined), longest_pause(left), taken_over - killed)


def _settle(watched: Watched, alive: Sequence[subprocess.Popen[bytes]]) -> None:
    begun, started = watched.taken(), time.perf_counter()
    watched.follow(lambda taken: taken > begun and time.perf_counter() - started > STEADY_SECONDS, alive)


def _handed_over(
    watched: Watched, alive: Sequence[subprocess.Popen[bytes]], before: Sequence[int]
) -> tuple[float, Timeline]:
    """Wait until every partition has been claimed anew, and a little longer; returns when that was, and what was taken in meanwhile."""
    at: float | None = None

    def settled(_: int) -> bool:
        nonlocal at
        now = time.perf_counter()
        if at is None and all(one != other for one, other in zip(before, watched.claims(), strict=True)):
            at = now
        return at is not None and now - at > STEADY_SECONDS

    timeline = watched.follow(settled, alive, MOVE_SECONDS_MAX)
    assert at is not None
    return at, timeline


@contextmanager
def _load(settings: Settings, customers: int) -> Iterator[None]:
    plan = Plan(f"m{customers}-", customers, PER_SECOND, SECONDS)
    source = subprocess.Popen(
        [sys.executable, "-m", "bench.pace"],
        cwd=ROOT,
        env=environment(settings),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    assert source.stdin is not None
    source.stdin.write(as_json(plan).encode())
    source.stdin.close()
    try:
        yield
    finally:
        source.kill()
        source.wait()
