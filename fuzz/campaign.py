"""A campaign: so many inputs, seeded, by several processes, with somebody who sees where one of them dies or stands still.

Input `index` of a target is a function of the seed, the target's name and the index alone. The processes share the indices between
them, and write down where they are before each input; so a process that is gone or stuck (in C, where no alarm is heard) tells which
input it was, and another one goes on behind it.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import RawArray
from random import Random
from typing import Any, Final

from fuzz.mutate import mutate
from fuzz.oracle import Parts, Target, Verdict, attack, bounded_memory, peak_bytes
from fuzz.targets import chosen, shares

STUCK_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 0.2
PEAK_EVERY: Final = 4_096
"""One of so many inputs is run again with its memory traced, which takes five times as long."""

CRASHES_KEPT: Final = 200
AS_IT_IS: Final = 0.01
"""Share of the samples that are given unchanged: they must come to a value."""


@dataclass(slots=True)
class Tally:
    """What came of a target's inputs."""

    inputs: int = 0
    values: int = 0
    refused: int = 0
    crashes: int = 0
    slowest_seconds: float = 0.0
    peak_bytes: int = 0

    def add(self, verdict: Verdict) -> None:
        """Count one."""
        self.inputs += 1
        self.values += verdict.outcome == "value"
        self.refused += verdict.outcome == "refused"
        self.crashes += verdict.outcome == "crash"
        self.slowest_seconds = max(self.slowest_seconds, verdict.seconds)

    def merge(self, other: Tally) -> None:
        """Add another process's."""
        self.inputs += other.inputs
        self.values += other.values
        self.refused += other.refused
        self.crashes += other.crashes
        self.slowest_seconds = max(self.slowest_seconds, other.slowest_seconds)
        self.peak_bytes = max(self.peak_bytes, other.peak_bytes)


@dataclass(frozen=True, slots=True)
class Crash:
    """An input that ended as none may, and how often its like was seen."""

    target: str
    seed: int
    index: int
    parts: Parts
    problem: str
    place: str
    trace: str = ""


@dataclass(slots=True)
class Result:
    """What a campaign found: tallies by target, the first crash of each place, and how many there were of it."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    crashes: dict[tuple[str, str], Crash] = field(default_factory=dict)
    seen: dict[tuple[str, str], int] = field(default_factory=dict)

    def add_crash(self, crash: Crash) -> None:
        """Keep the first of each place."""
        key = crash.target, crash.place
        if key in self.seen or len(self.crashes) < CRASHES_KEPT:
            self.crashes.setdefault(key, crash)
            self.seen[key] = self.seen.get(key, 0) + 1

    def merge(self, other: Result) -> None:
        """Add another process's."""
        for name, tally in other.tallies.items():
            self.tallies.setdefault(name, Tally()).merge(tally)
        for key, crash in other.crashes.items():
            self.crashes.setdefault(key, crash)
            self.seen[key] = self.seen.get(key, 0) + other.seen[key]


def input_of(target: Target, seed: int, index: int) -> Parts:
    """Return the input of this number."""
    random = Random(f"{seed} {target.name} {index}")
    sample = random.choice(target.samples)
    if target.name == "bombs" or random.random() < AS_IT_IS:
        return sample  # changing a bomb would only defuse it
    return mutate(random, sample, target.samples)


def attack_all(
    target: Target, seed: int, indices: Sequence[int], note: Callable[[int], None] = lambda _: None
) -> Result:
    """Give a target its inputs; `note` hears the index of each before it begins."""
    result = Result()
    tally = result.tallies[target.name] = Tally()
    for index in indices:
        note(index)
        parts = input_of(target, seed, index)
        verdict = attack(target, parts)
        tally.add(verdict)
        if verdict.outcome == "crash":
            result.add_crash(Crash(target.name, seed, index, parts, verdict.problem, verdict.place, verdict.trace))
        elif index % PEAK_EVERY == 0:
            tally.peak_bytes = max(tally.peak_bytes, peak_bytes(target, parts))
    return result


def quiet() -> None:
    """Say nothing of what is refused: a million lines would take longer than the inputs."""
    logging.disable(logging.CRITICAL)


# -- several processes -------------------------------------------------------------------------------------------------


def _work(
    name: str | None,
    inputs: int,
    seed: int,
    lane: int,
    lanes: int,
    start: tuple[int, int],
    place: Any,
    answer: Connection,
) -> None:
    """Attack, from the target and index of `start` on; sends a result after each target."""
    quiet()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this one
    os.nice(5)
    targets = chosen(name)
    counts = shares(targets, inputs)
    for number, (target, count) in enumerate(zip(targets, counts, strict=True)):
        if number < start[0]:
            continue
        first = lane if number > start[0] else max(start[1], lane)
        place[0] = number

        def note(index: int) -> None:
            place[1] = index
            place[2] += 1

        # Each target has it anew: what others have left of the address space is not its fault.
        with bounded_memory():
            answer.send(attack_all(target, seed, range(first, count, lanes), note))
    answer.send(None)


class _Lane:
    """One process, and what it was at."""

    def __init__(self, name: str | None, inputs: int, seed: int, lane: int, lanes: int) -> None:
        self._arguments = name, inputs, seed, lane, lanes
        self._place = RawArray("q", 3)
        self.done = False
        self.begin((0, 0))

    def begin(self, start: tuple[int, int]) -> None:
        self._answers, theirs = multiprocessing.Pipe(duplex=False)
        self._place[0], self._place[1] = start
        self._process = multiprocessing.Process(
            target=_work, args=(*self._arguments, start, self._place, theirs), daemon=True
        )
        self._process.start()
        theirs.close()
        self._moved, self._at = time.monotonic(), -1

    @property
    def inputs(self) -> int:
        return int(self._place[2])

    def look(self, result: Result) -> None:
        """Take in what it has found; where it has died or stands still, say at which input, and go on behind that."""
        with contextlib.suppress(EOFError, OSError):
            while self._answers.poll():
                found = self._answers.recv()
                if found is None:
                    self.done = True
                    self._process.join()
                    return
                result.merge(found)
        if self.inputs != self._at:
            self._moved, self._at = time.monotonic(), self.inputs
        stuck = time.monotonic() - self._moved > STUCK_SECONDS
        if self._process.is_alive() and not stuck:
            return
        self._process.kill()
        self._process.join()
        name, _, seed, _, lanes = self._arguments
        number, index = int(self._place[0]), int(self._place[1])
        target = chosen(name)[number]
        problem = (
            f"no end after {STUCK_SECONDS:.0f} s" if stuck else f"the process died of it ({self._process.exitcode})"
        )
        result.tallies.setdefault(target.name, Tally()).crashes += 1
        result.add_crash(Crash(target.name, seed, index, input_of(target, seed, index), problem, problem))
        self.begin((number, index + lanes))


def campaign(name: str | None, inputs: int, seed: int, processes: int, moved: Callable[[int, Result], None]) -> Result:
    """Attack with so many inputs; `moved` hears now and then how many are done, and what was found.

    Where a process died, the inputs of that target that it had not told of are missing from the tally, not from the attack.
    """
    all_lanes = [_Lane(name, inputs, seed, lane, processes) for lane in range(processes)]
    result = Result()
    while not all(lane.done for lane in all_lanes):
        for lane in all_lanes:
            if not lane.done:
                lane.look(result)
        moved(sum(lane.inputs for lane in all_lanes), result)
        time.sleep(LOOK_SECONDS)
    return result
