"""Scenario `backtest`: the offline replay, per core against the live path, and on two cores against one.

1. With a frozen model, in turns, each in a process of its own: the live path without Kafka and Redis (`backtest_live`), and the same
   log replayed by one process. Compared is processor time per event; that of the replay has the reading of the file in it, the other not.
2. Learning, in turns: the replay of a longer log by one process and by two (and the one that reads and learns), by the clock.
3. Every run must come to the same: states, wake-ups, scores; the replays of one log to the same alerts and the same last model, byte for byte.
"""

from __future__ import annotations

import os
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench import synthetic
from bench.children import run_module
from bench.measures import Run, WrongAnswer, check, told
from bench.one_worker import learnt
from bench.scenario import Outcome, Say, Table
from churnwatch.services import Services
from churnwatch.settings import Settings

ROUNDS: Final = 4
JOBS: Final = 2
CUSTOMERS: Final = 4_000
DAYS: Final = 10
LONG_CUSTOMERS: Final = 1_500
LONG_DAYS: Final = 90
LONG_ROUNDS: Final = 2
SEED: Final = 11

LIVE: Final = "live path without Kafka and Redis"
ONE: Final = "replay"
LONG: Final = "replay that learns, one process"
SHARED: Final = f"replay that learns, {JOBS} processes"
PER_CORE: Final = "backtest_live_path_per_core"
SPEED_UP: Final = "backtest_two_jobs_one_job"


def run(services: Services, scratch: Path, say: Say) -> Outcome:  # noqa: ARG001 - the registry's
    """Run the scenario. Raises WrongAnswer where two runs of one log differ."""
    log = synthetic.shop(CUSTOMERS, DAYS, SEED)
    path, customers = synthetic.write(scratch / "log.jsonl", log), synthetic.customers_of(log)
    long = synthetic.shop(LONG_CUSTOMERS, LONG_DAYS, SEED + 2)
    long_path = synthetic.write(scratch / "long.jsonl", long)
    say(f"made up {len(log):,} events to be scored and {len(long):,} to be learnt from")
    model = scratch / "model"
    model.write_bytes(_model(scratch))
    frozen = Settings(clock="replay", learning_enabled=False, model_file=model)
    learning = Settings(clock="replay", **synthetic.LEARN_QUESTION)
    runs: dict[str, list[Run]] = {LIVE: [], ONE: [], LONG: [], SHARED: []}

    def note(name: str, taken: Run) -> None:
        runs[name].append(taken)
        say(f"run {len(runs[name])} of {name}: {_cpu_us(taken):.1f} µs of processor, {taken.per_second:,.0f} events/s")

    for _ in range(ROUNDS):
        note(LIVE, run_module("bench.backtest_live", frozen, str(path), len(log)))
        note(ONE, _replayed(frozen, 1, path, len(log)))
    for _ in range(LONG_ROUNDS):
        note(LONG, _replayed(learning, 1, long_path, len(long)))
        note(SHARED, _replayed(learning, JOBS, long_path, len(long)))
    written = {ONE: [_replayed(frozen, JOBS, path, len(log), "checked")], LIVE: runs[LIVE]}
    for name, taken in written.items():
        for one in taken:
            check(name, one, len(log), customers)
    same = [
        _agree(written, (ONE, LIVE), "customers", "timers", "states"),
        _agree(runs, (LIVE, ONE), "alerts"),
        _agree(runs, (LONG, SHARED), "alerts", "said"),
    ]
    # The least, for whatever else the machine does can only add to it.
    cpu = {name: min(map(_cpu_us, taken)) for name, taken in runs.items()}
    ratios = {PER_CORE: cpu[LIVE] / cpu[ONE], SPEED_UP: _seconds(runs[LONG]) / _seconds(runs[SHARED])}
    return Outcome(
        ratios=ratios,
        goals={PER_CORE: 1.2},
        tables=[_table(runs, cpu)],
        checks=same,
        details={"runs": {name: told(taken) for name, taken in runs.items()}, "cores": os.cpu_count()},
    )


def _model(scratch: Path) -> bytes:
    path = synthetic.write(
        scratch / "learn.jsonl", synthetic.shop(synthetic.LEARN_CUSTOMERS, synthetic.LEARN_DAYS, SEED + 1)
    )
    return learnt(Settings(**synthetic.LEARN_QUESTION), path)


def _replayed(settings: Settings, jobs: int, path: Path, events: int, what: str = "timed") -> Run:
    return run_module("bench.backtest_replay", settings, f"{jobs}:{what}:{path}", events)


def _cpu_us(run: Run) -> float:
    assert run.cpu_seconds is not None
    return 1e6 * run.cpu_seconds / run.events


def _seconds(runs: list[Run]) -> float:
    return median(run.seconds for run in runs)


def _agree(runs: dict[str, list[Run]], names: tuple[str, str], *what: str) -> str:
    """Say in what the named agree; raises WrongAnswer where they do not."""
    always = ("scorings", "outcomes")
    found = {name: [_facts(run, (*always, *what)) for run in runs[name]] for name in names}
    first = found[names[0]][0]
    for name, taken in found.items():
        if any(facts != first for facts in taken):
            raise WrongAnswer(f"{name}: {taken}, but the first run of {names[0]} has {first}")
    return f"{names[0]}, {names[1]}: the same {', '.join((*always, *what))} of {runs[names[0]][0].events:,} events"


def _facts(run: Run, what: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(run, name) for name in what}


def _table(runs: dict[str, list[Run]], cpu: dict[str, float]) -> Table:
    rows = [
        (
            name,
            f"{taken[0].events:,}",
            f"{taken[0].scorings_per_event:.2f}",
            f"{cpu[name]:.1f}",
            f"{1e6 / cpu[name]:,.0f}",
            f"{taken[0].events / _seconds(taken):,.0f}",
        )
        for name, taken in runs.items()
    ]
    columns = ("what", "events", "scores per event", "µs of processor per event", "events/s per core", "events/s")
    return Table("The offline replay", columns, rows)
