"""Are planted bugs caught, and after how many seeds? Each one is planted in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from churnwatch.terminal import progress, say, say_table
from simulation import bugs_of_state, bugs_of_words
from simulation.bugs import BUGS
from simulation.many import workers
from simulation.seed import play

TABLES = (bugs_of_state, bugs_of_words)
"""Importing them enters their bugs."""


@dataclass(frozen=True, slots=True)
class Catch:
    """How a bug fared: `seeds` played until it was caught, None where it never was; what was seen first."""

    name: str
    promise: str
    seeds: int | None
    seen: str


def catch(number: int, seeds_max: int, first: int = 1) -> Catch:
    """Plant bug `number` of the table and play seeds until one fails."""
    bug = BUGS[number]
    with bug.planted():
        for played, seed in enumerate(range(first, first + seeds_max), 1):
            result = play(seed)
            if result.wrong:
                return Catch(bug.name, bug.promise, played, result.wrong[0])
    return Catch(bug.name, bug.promise, None, "")


def catch_all(seeds_max: int, processes: int) -> Iterator[Catch]:
    """Plant them all, one after another."""
    with (
        workers(processes) as pool,
        progress("planted bugs", len(BUGS)) as update,
    ):
        jobs = [pool.submit(catch, number, seeds_max) for number in range(len(BUGS))]
        for done, job in enumerate(jobs, 1):
            caught = job.result()
            update(done, caught.name)
            yield caught


def tell_caught(caught: Iterator[Catch]) -> int:
    """Say what was caught; returns the exit code."""
    found = list(caught)
    rows = [(bug.name, bug.promise, bug.seeds if bug.seeds is not None else "never", bug.seen[:100]) for bug in found]
    say_table("Planted bugs", ("bug", "promise", "seeds", "seen as"), rows)
    missed = [bug.name for bug in found if bug.seeds is None]
    say(f"{len(found) - len(missed)} of {len(found)} caught")
    return 1 if missed else 0
