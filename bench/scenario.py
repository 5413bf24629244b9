"""The registry of scenarios: what `make bench` measures, under ids that never change, and what a scenario gives back.

A scenario is a module with `run(services, scratch, say) -> Outcome`. It makes its own topics (a prefix of its own), finds Redis empty,
keeps its files in `scratch`, says now and then how far it is, and ends within the seconds that the registry allows it. One that finds that
something is missing on this machine raises `Skipped` with one sentence; one whose answers are wrong raises `WrongAnswer`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from churnwatch.services import Services
from streams.errors import ChurnwatchError

Say = Callable[[str], None]


class Skipped(ChurnwatchError):
    """The scenario cannot run here; the message says in a sentence what it needs."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows for people: `rows` as wide as `columns`, the first cell names the row."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a scenario has found.

    Attributes:
        ratios: id (snake_case, never renamed) to a ratio of two things measured in this run, of which MORE IS BETTER: invert what
            is better when smaller. Only these are compared by `make bench-check`.
        latency: id to milliseconds, or to a mapping of such.
        memory: id to bytes (the id says of what), or to a mapping of such.
        tables: what is printed, and shown on the page.
        goals: id of a ratio to the least that it is meant to be; shown beside it.
        checks: the answers that were verified, a sentence each; a check that fails raises `WrongAnswer` instead.
        details: anything else that is worth keeping, as JSON has it: the runs, the sizes, what was spared whom.
    """

    ratios: Mapping[str, float] = field(default_factory=dict)
    latency: Mapping[str, Any] = field(default_factory=dict)
    memory: Mapping[str, Any] = field(default_factory=dict)
    tables: Sequence[Table] = ()
    goals: Mapping[str, float] = field(default_factory=dict)
    checks: Sequence[str] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


Run = Callable[[Services, Path, Say], Outcome]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A line of the registry: the question that it answers, the module, and how long it may take on a quiet machine."""

    id: str
    question: str
    module: str
    seconds_max: int

    def load(self) -> Run:
        """Import the module and give its `run`; only now, for a scenario may need a rival's library."""
        run: Run = import_module(self.module).run
        return run


SCENARIOS: Final = {
    scenario.id: scenario
    for scenario in (
        Scenario("one_worker", "four streams: one worker against everyone", "bench.one_worker", 180),
        Scenario("rivals", "a shop's orders, a million: one worker against everyone", "bench.rivals", 290),
        Scenario("two_workers", "two workers against one, and what bounds them", "bench.two_workers", 160),
        Scenario("latency", "from event to alert, at shares of the throughput", "bench.latency", 180),
        Scenario("growth", "throughput against customers and partitions", "bench.growth", 180),
        Scenario("memory", "bytes per customer in Redis, a million of a real shop", "bench.memory", 60),
        Scenario("silence", "a million silent customers, a year of them", "bench.silence", 60),
        Scenario("backtest", "the offline replay on all cores", "bench.backtest", 90),
    )
}


def chosen(only: str) -> list[Scenario]:
    """Give the scenarios named (ids, comma between them), or all for an empty text, in the registry's order.

    >>> [scenario.id for scenario in chosen("silence,rivals")]
    ['rivals', 'silence']

    Raises ChurnwatchError for an id that there is not.
    """
    wanted = {name.strip() for name in only.split(",")} - {""}
    if unknown := wanted - SCENARIOS.keys():
        raise ChurnwatchError(f"there is no scenario {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    return [scenario for scenario in SCENARIOS.values() if not wanted or scenario.id in wanted]
