"""Scenario `two_workers`: what a second worker brings on the same machine, and what bounds it.

One worker and two take turns over the same topics. Both clocks start when every worker holds its share of the partitions, so that neither
starting nor rebalancing is in the figures, and stop when the offsets in Redis reflect the last event. Meanwhile the processor time of workers,
broker and Redis is taken: where together they come to what the processors can give, it is the processors that bound two workers.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench import contest, one_worker
from bench.children import cpu_seconds, in_store, seconds_max, stop, worker
from bench.contest import Log
from bench.growth_run import SECONDS_MAX, Watched, scrape
from bench.measures import Run, WrongAnswer, agree, check
from bench.processes import services_cpu_seconds
from bench.product import OUTCOMES, still
from bench.scenario import Outcome, Say, Table
from churnwatch.child import free_port
from churnwatch.services import Services
from churnwatch.settings import Settings

CUSTOMERS: Final = 28_000
ROUNDS: Final = 3
GOAL: Final = 1.4
LOOK_SECONDS: Final = 0.05
TIMED_SHARE_MIN: Final = 0.3
"""Less than this of the log left when the clock starts, and the figure says little."""

NAMES: Final = {1: "one worker", 2: "two workers"}


@dataclass(frozen=True, slots=True)
class Turn:
    """A run over the log: the whole as a `Run`, what was timed of it, and the processor seconds of each party meanwhile."""

    run: Run
    events: int
    seconds: float
    cpu: dict[str, float]

    @property
    def per_second(self) -> float:
        """Events a second while all workers held their partitions."""
        return self.events / self.seconds

    @property
    def busy(self) -> float:
        """Processors kept busy by workers, broker and Redis together."""
        return sum(self.cpu.values()) / self.seconds


def run(services: Services, scratch: Path, say: Say) -> Outcome:
    """Run the scenario; raises WrongAnswer where the workers have not done the work."""
    return compare(one_worker.prepare(services, scratch, "two-workers.", CUSTOMERS, say), scratch, say)


def compare(log: Log, scratch: Path, say: Say) -> Outcome:
    """Let one worker and two take turns over the log."""
    turns: dict[int, list[Turn]] = {1: [], 2: []}
    for number in range(1, ROUNDS + 1):
        for count, found in turns.items():
            contest.flush(log.settings.redis_url)
            slug = f"workers{count}round{number}"
            fresh = log.settings.model_copy(update={"redis_namespace": slug, "kafka_group_id": slug})
            found.append(_turn(fresh, log, scratch, count))
            say(f"round {number} of {ROUNDS}, {NAMES[count]}: {found[-1].per_second:,.0f} events/s")
    same = agree({NAMES[count]: [turn.run for turn in found] for count, found in turns.items()}, list(NAMES.values()))
    middle = {count: sorted(found, key=lambda turn: turn.per_second)[len(found) // 2] for count, found in turns.items()}
    two_to_one = median(turn.per_second for turn in turns[2]) / median(turn.per_second for turn in turns[1])
    return Outcome(
        ratios={"two_to_one": two_to_one},
        goals={"two_to_one": GOAL},
        tables=[_table(middle)],
        checks=[same],
        details={
            "log": contest.told(log),
            "bound": bound(middle[2], os.cpu_count() or 1),
            "turns": {NAMES[count]: [_told(turn) for turn in found] for count, found in turns.items()},
        },
    )


def bound(two: Turn, processors: int) -> str:
    """Say what keeps two workers from being twice as fast. Pure."""
    busy = f"workers, broker and Redis together keep {two.busy:.2f} of {processors} processors busy"
    if two.busy > 0.85 * processors:
        return f"the processors: {busy}"
    return f"not the processors alone: {busy}; the rest is waiting, or what else the machine does"


def _turn(settings: Settings, log: Log, scratch: Path, count: int) -> Turn:
    own = [settings.model_copy(update={"web_port": free_port()}) for _ in range(count)]
    watched = Watched(settings)
    with ExitStack() as stack:
        processes = [
            stack.enter_context(worker(each, scratch / f"{settings.redis_namespace}-{number}.log"))
            for number, each in enumerate(own)
        ]
        _all_hold(own, processes)
        started, cpu_before, taken = time.perf_counter(), _cpu(processes), watched.taken()
        watched.follow(lambda now: now >= log.events, processes, seconds_max(log.events))
        seconds, cpu_after = time.perf_counter() - started, _cpu(processes)
        if log.events - taken < TIMED_SHARE_MIN * log.events:
            raise WrongAnswer(
                f"{taken} of {log.events} events were taken in before {count} workers held their partitions"
            )
        quiet = still(watched.metas)
        while not quiet():
            time.sleep(LOOK_SECONDS)
        said = [scrape(each) for each in own]
        for process in processes:
            stop(process)
    watched.client.close()
    outcomes = {name: int(sum(one.sum("churnwatch_events_total", outcome=name) for one in said)) for name in OUTCOMES}
    scorings = int(sum(one.sum("churnwatch_scorings_total") for one in said))
    whole = Run(log.events, seconds, outcomes, scorings=scorings, **in_store(settings))
    check(NAMES[count], whole, log.events, log.customers)
    cpu = {party: cpu_after[party] - cpu_before[party] for party in cpu_after.keys() & cpu_before.keys()}
    return Turn(whole, log.events - taken, seconds, cpu)


def _all_hold(settings: Sequence[Settings], processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Wait until every worker holds its share of the partitions."""
    share = contest.PARTITIONS / len(settings)
    deadline = time.monotonic() + SECONDS_MAX
    while not all(_held(each) == share for each in settings):
        if any(process.poll() is not None for process in processes) or time.monotonic() > deadline:
            raise WrongAnswer(f"{len(settings)} workers have not come to {share:g} partitions each")
        time.sleep(LOOK_SECONDS)


def _held(settings: Settings) -> float:
    try:
        return scrape(settings).sum("churnwatch_partitions_assigned")
    except OSError:
        return 0.0  # it does not serve yet


def _cpu(processes: Sequence[subprocess.Popen[bytes]]) -> dict[str, float]:
    return {"workers": sum(cpu_seconds(process) or 0.0 for process in processes)} | services_cpu_seconds()


def _table(turns: dict[int, Turn]) -> Table:
    parties = sorted({party for turn in turns.values() for party in turn.cpu})
    rows = [
        (
            NAMES[count],
            f"{turn.per_second:,.0f}",
            *(f"{1e6 * turn.cpu.get(party, 0.0) / turn.events:,.0f}" for party in parties),
            f"{turn.busy:.2f}",
        )
        for count, turn in turns.items()
    ]
    columns = ("", "events/s", *(f"{party}, CPU µs an event" for party in parties), "processors busy")
    return Table("Two workers against one, the run in the middle", columns, rows)


def _told(turn: Turn) -> dict[str, Any]:
    return {"events_timed": turn.events, "seconds": turn.seconds, "cpu_seconds": turn.cpu}
