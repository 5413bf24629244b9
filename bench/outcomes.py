"""What a contest comes to: ratios, and tables for people. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bench.contest import HANDWRITTEN, QUIX, STOCK, WORKER
from bench.measures import Run, costs_per_event_us, cpu_us, middle, ratio, told
from bench.scenario import Outcome, Table

RATIOS: Final = {"worker_to_handwritten": HANDWRITTEN, "worker_to_stock": STOCK, "worker_to_quix": QUIX}
GOALS: Final = {"worker_to_handwritten": 0.85, "worker_to_stock": 10.0, "worker_to_quix": 2.0}
BY_CPU: Final = "_by_cpu"

Runs = Mapping[str, Sequence[Run]]


def ratios(runs: Runs) -> dict[str, float]:
    """Give how many times as much the worker does as each rival that is there: events a second, and events per processor second."""
    found: dict[str, float] = {}
    for name, rival in RATIOS.items():
        if rival in runs:
            found[name] = ratio(runs, WORKER, rival)
            mine, theirs = cpu_us(runs[WORKER]), cpu_us(runs[rival])
            if mine and theirs:
                found[name + BY_CPU] = theirs / mine
    return found


def outcome(title: str, runs: Runs, checks: Sequence[str], details: Mapping[str, Any]) -> Outcome:
    """Put a contest's outcome together."""
    found = ratios(runs)
    return Outcome(
        ratios=found,
        tables=[speeds(title, runs, STOCK), costs(runs)],
        goals={name: goal for name, goal in GOALS.items() if name in found},
        checks=["every contestant: every event read and applied once, every customer in its store", *checks],
        details={**details, "contestants": {name: told(taken) for name, taken in runs.items()}},
    )


def speeds(title: str, runs: Runs, base: str) -> Table:
    """Give a row for each contestant; the ratio is to `base`."""
    columns = ("", "events", "events/s", "slowest", "fastest", "ratio", "CPU µs an event", "scores an event", "alerts")
    rows = []
    for name, taken in runs.items():
        cpu, each = cpu_us(taken), [run.per_second for run in taken]
        rows.append(
            (
                name,
                f"{taken[0].events:,}",
                f"{middle(taken):,.0f}",
                f"{min(each):,.0f}",
                f"{max(each):,.0f}",
                f"{middle(taken) / middle(runs[base]):.2f}",
                "" if cpu is None else f"{cpu:,.0f}",
                f"{taken[0].scorings_per_event:.2f}",
                f"{taken[0].alerts:,}",
            )
        )
    return Table(title, columns, rows)


def costs(runs: Runs) -> Table:
    """Give where the time goes; stages of several partitions overlap while they wait, so a row may exceed the whole."""
    stages = sorted({stage for taken in runs.values() for stage in taken[0].costs})
    rows = []
    for name, taken in runs.items():
        if spent := costs_per_event_us(taken):
            cells = [f"{spent[stage]:,.0f}" if stage in spent else "" for stage in stages]
            rows.append((name, f"{1e6 / middle(taken):,.0f}", *cells))
    return Table("Where it goes, µs an event (stages overlap while they wait)", ("", "in all", *stages), rows)
