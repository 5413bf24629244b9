"""Workers over a filled Redis, watched from outside: how many events a second they take in, and what memory that takes.

The clock of a stretch starts some thousands of events after a worker's start, when it has warmed up, and stops with the last event. Both
ends are read from the offsets in Redis, so every event that counts has been fetched, worked on and stored.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

import redis

from agents.meta import Meta, decode_meta
from bench.children import cpu_seconds, stop, worker
from bench.measures import WrongAnswer
from churnwatch.child import free_port
from churnwatch.scrape import Scrape
from churnwatch.settings import Settings

LOOK_SECONDS: Final = 0.01
SECONDS_MAX: Final = 120.0

Timeline = list[tuple[float, int]]
"""Seconds of a monotonic clock, and the events taken in by then, as often as that has changed."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What workers did with the events of one start.

    Attributes:
        events, seconds: taken in, after the warm-up.
        cpu_us: processor time of all workers per event; None where the system does not tell.
        start_seconds: from starting the process to the first partition claimed.
        resident_bytes: of all workers, at the end.
    """

    events: int
    seconds: float
    cpu_us: float | None
    start_seconds: float
    resident_bytes: int | None

    @property
    def per_second(self) -> float:
        """Events a second."""
        return self.events / self.seconds


class Watched:
    """One installation's bookkeeping in Redis, as it stands there."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.client = redis.Redis.from_url(settings.redis_url)
        self._keys = [f"{settings.redis_namespace}:{{{number}}}:meta" for number in range(settings.topic_partitions)]

    def metas(self) -> list[Meta]:
        """Give the bookkeeping of every partition that has one."""
        return [decode_meta(value) for value in self.client.mget(self._keys) if isinstance(value, bytes)]

    def taken(self) -> int:
        """Count the events taken in so far, by the offsets."""
        return sum(sum(meta.offsets.values()) for meta in self.metas())

    def claims(self) -> list[int]:
        """Tell who holds each partition: a number that changes with every claim."""
        return [meta.claim for meta in self.metas()]

    def memory(self) -> int:
        """Give the bytes that Redis has in use."""
        found: dict[str, Any] = self.client.info("memory")
        return int(found["used_memory"])

    def follow(
        self,
        until: Callable[[int], bool],
        alive: Sequence[subprocess.Popen[bytes]],
        seconds_max: float = SECONDS_MAX,
        on_taken: Callable[[int], None] = lambda _: None,
    ) -> Timeline:
        """Note what is taken in, and when, until the count satisfies `until`; `on_taken` hears every new count.

        Raises WrongAnswer where that takes too long, or where one of `alive` has ended.
        """
        found: Timeline = [(time.perf_counter(), self.taken())]
        while not until(found[-1][1]):
            time.sleep(LOOK_SECONDS)
            now, taken = time.perf_counter(), self.taken()
            if taken != found[-1][1]:
                found.append((now, taken))
                on_taken(taken)
            ended = [process.returncode for process in alive if process.poll() is not None]
            if ended:
                raise WrongAnswer(f"a worker has ended with code {ended[0]} after {taken} events")
            if now - found[0][0] > seconds_max:
                raise WrongAnswer(f"only {taken} events were taken in within {seconds_max:g} s")
        return found


@contextmanager
def running(settings: Settings, scratch: Path, name: str, count: int = 1) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run workers; at the end of the block those that still run are killed."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                worker(
                    settings.model_copy(update={"web_port": free_port()}),
                    scratch / f"{settings.redis_namespace}-{name}-{number}.log",
                )
            )
            for number in range(count)
        ]


def claimed(watched: Watched, before: Sequence[int], process: subprocess.Popen[bytes]) -> float:
    """Wait until some partition has another owner than before; returns the seconds of that."""
    started = time.perf_counter()
    while watched.claims() == list(before):
        if process.poll() is not None:
            raise WrongAnswer(f"the worker has ended with code {process.returncode} before it had claimed a partition")
        if time.perf_counter() - started > SECONDS_MAX:
            raise WrongAnswer(f"no partition was claimed within {SECONDS_MAX:g} s")
        time.sleep(LOOK_SECONDS)
    return time.perf_counter() - started


def stretch(watched: Watched, scratch: Path, name: str, upto: int, warm: int, workers: int = 1) -> Stretch:
    """Let fresh workers take in what is in the topics, up to `upto` events in all; the first `warm` are not timed."""
    before, begun = watched.claims(), watched.taken()
    with running(watched.settings, scratch, name, workers) as processes:
        start_seconds = claimed(watched, before, processes[0])
        cpu: dict[bool, float] = {}

        def note(taken: int) -> None:
            if taken >= begun + warm and True not in cpu:
                cpu[True] = _cpu(processes)

        timeline = watched.follow(lambda taken: taken >= upto, processes, on_taken=note)
        cpu_after, resident = _cpu(processes), sum(filter(None, map(resident_bytes, processes)))
        for process in processes:
            stop(process)
    first, last = next(at for at in timeline if at[1] >= begun + warm), timeline[-1]
    events = last[1] - first[1]
    if events <= 0:
        raise WrongAnswer(f"nothing is left to be timed after a warm-up of {warm} events")
    cpu_us = 1e6 * (cpu_after - cpu[True]) / events if cpu_after else None
    return Stretch(events, last[0] - first[0], cpu_us, start_seconds, resident or None)


def scrape(settings: Settings) -> Scrape:
    """Give what the worker's /metrics says now."""
    with urlopen(f"http://127.0.0.1:{settings.web_port}/metrics", timeout=10) as answer:
        return Scrape(answer.read().decode())


def _cpu(processes: Sequence[subprocess.Popen[bytes]]) -> float:
    return sum(cpu_seconds(process) or 0.0 for process in processes)


def resident_bytes(process: subprocess.Popen[bytes]) -> int | None:
    """Give the memory that a process holds; None where the system does not tell (it is Linux that does)."""
    try:
        pages = int(Path(f"/proc/{process.pid}/statm").read_text(encoding="utf-8").split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def longest_pause(timeline: Timeline) -> float:
    """Give the longest time in seconds without any progress.

    >>> longest_pause([(0.0, 0), (1.0, 5), (4.0, 9), (4.5, 12)])
    3.0
    """
    return max((later - sooner for (sooner, _), (later, _) in pairwise(timeline)), default=0.0)
