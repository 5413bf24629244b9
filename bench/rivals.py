"""Scenario `rivals`: a real shop's log blown up to a million events of 200,000 customers, and one worker against everyone.

1. The log is made (`bench.retail`), a model is learnt from some of the original's customers and frozen.
2. The first events are published, and everyone takes turns over them, for the slow ones would take minutes over all; the median counts.
3. More is published to the same topics, and the worker and the hand-written loop take in all that is there.

Most of what an event costs here is silence: customers of such a shop order a few times in a year, and for every order there are weeks in which
somebody has to be looked at. A million events would take minutes for each run, so that 3. ends with `LONG_EVENTS` of them;
CHURNWATCH_BENCH_EVENTS=1000000 has all taken in.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Final

from bench import contest, retail
from bench.contest import HANDWRITTEN, NO_PIPELINE, NO_REDIS, QUIX, STOCK, WORKER, Log
from bench.measures import agree, ratio, told
from bench.one_worker import learnt
from bench.outcomes import GOALS, outcome, speeds
from bench.scenario import Outcome, Say
from churnwatch.services import Services
from churnwatch.settings import Settings

EVENTS: Final = 1_000_000
CUSTOMERS: Final = 200_000
LEARN_CUSTOMERS: Final = 1_000
FIRST_EVENTS: Final = 20_000
ROUNDS: Final = 3
LONG_EVENTS: Final = 120_000
LONG_VARIABLE: Final = "CHURNWATCH_BENCH_EVENTS"
LONG_ROUNDS: Final = 1
EVERYONE: Final = (WORKER, HANDWRITTEN, STOCK, QUIX, NO_REDIS, NO_PIPELINE)


def run(services: Services, scratch: Path, say: Say) -> Outcome:
    """Run the scenario; raises WrongAnswer where a contestant has not done the work."""
    sizes = Sizes(EVENTS, CUSTOMERS, FIRST_EVENTS, int(os.environ.get(LONG_VARIABLE, LONG_EVENTS)))
    return contend(services, scratch, say, sizes)


@dataclass(frozen=True, slots=True)
class Sizes:
    """Events and customers of the log; how many events everyone takes in, and how many the two fast ones do."""

    events: int
    customers: int
    first: int
    long: int


def contend(services: Services, scratch: Path, say: Say, sizes: Sizes) -> Outcome:
    """Run it with a log of this size."""
    original = retail.source()
    say(f"learning a model from some customers of {original.name}, to be frozen")
    model = scratch / "model"
    retail.draw(original, scratch / "sample.jsonl", LEARN_CUSTOMERS)
    model.write_bytes(learnt(Settings(), scratch / "sample.jsonl"))
    settings = contest.settings_for(services, "rivals.", model)
    filling = Filling(
        services, settings, scratch, retail.blown_up(retail.lives(original), sizes.events, sizes.customers)
    )
    start = filling.fill(sizes.first)
    say(f"published the first {start.events:,} events, of {start.customers:,} customers")
    runs = contest.contest(start, contest.contestants(EVERYONE, say), ROUNDS, scratch, say)
    checks = [agree(runs, contest.exact(start))]
    whole = filling.fill(sizes.long - sizes.first)
    say(f"published more: {whole.events:,} events of {whole.customers:,} customers")
    long = contest.contest(whole, (WORKER, HANDWRITTEN), LONG_ROUNDS, scratch, say)
    checks.append(agree(long, contest.exact(whole)))
    details = {
        "source": original.name,
        "blown_up_to": {"events": sizes.events, "customers": sizes.customers},
        "first": contest.told(start),
        "long": contest.told(whole),
    }
    found = outcome("A shop's orders, blown up: the first of them", runs, checks, details)
    table = speeds(f"The same topics, {whole.events:,} events of {whole.customers:,} customers", long, HANDWRITTEN)
    return replace(
        found,
        ratios={**found.ratios, "long_worker_to_handwritten": ratio(long, WORKER, HANDWRITTEN)},
        goals={**found.goals, "long_worker_to_handwritten": GOALS["worker_to_handwritten"]},
        tables=[*found.tables, table],
        details={**found.details, "long_contestants": {name: told(taken) for name, taken in long.items()}},
    )


@dataclass(slots=True)
class Filling:
    """Publishes a log by and by, and keeps count of what is in the topics."""

    services: Services
    settings: Settings
    scratch: Path
    lines: Iterator[retail.Line]
    events: int = 0
    customers: set[str] = field(default_factory=set)
    streams: set[str] = field(default_factory=set)

    def fill(self, count: int | None) -> Log:
        """Publish so many events more (None: all that are left); returns what the topics hold now."""
        path, written = self.scratch / "part.jsonl", 0
        with path.open("w", encoding="utf-8") as file:
            for line in islice(self.lines, count):
                file.write(line.text)
                self.customers.add(line.customer)
                self.streams.add(line.stream)
                written += 1
        contest.publish(self.services, self.settings, path, written)
        self.events += written
        return Log(self.settings, tuple(sorted(self.streams)), self.events, len(self.customers))
