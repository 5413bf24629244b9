"""The answer: a table for people, and a file for comparing runs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from bench.measures import Run, costs_per_event_us, cpu_us, middle, told
from churnwatch.services import Services

PACKAGES: Final = ("aiokafka", "churnwatch", "faust-streaming", "pydantic", "redis", "river")


def table(runs: Mapping[str, Sequence[Run]], base: str) -> Table:
    """Give a row for each contestant; the ratio is to `base`."""
    found = Table(title="One worker, events a second (median, and the slowest and the fastest run)")
    found.add_column("")
    for column in ("events", "events/s", "from", "to", "ratio", "CPU µs per event", "scores per event"):
        found.add_column(column, justify="right")
    for name, taken in runs.items():
        cpu = cpu_us(taken)
        speeds = [run.per_second for run in taken]
        found.add_row(
            name,
            f"{taken[0].events:,}",
            f"{middle(taken):,.0f}",
            f"{min(speeds):,.0f}",
            f"{max(speeds):,.0f}",
            f"{middle(taken) / middle(runs[base]):.1f}",
            "" if cpu is None else f"{cpu:,.0f}",
            f"{taken[0].scorings_per_event:.2f}",
        )
    return found


def costs(runs: Mapping[str, Sequence[Run]]) -> Table:
    """Give where the time goes; stages of several partitions overlap while they wait, so a row may exceed the whole."""
    found = Table(title="Where it goes, microseconds per event (stages overlap while they wait)")
    found.add_column("")
    found.add_column("in all", justify="right")
    stages = sorted({stage for taken in runs.values() for stage in taken[0].costs})
    for stage in stages:
        found.add_column(stage, justify="right")
    for name, taken in runs.items():
        spent = costs_per_event_us(taken)
        if spent:
            cells = [f"{spent[stage]:,.0f}" if stage in spent else "" for stage in stages]
            found.add_row(name, f"{1e6 / middle(taken):,.0f}", *cells)
    return found


def machine() -> dict[str, Any]:
    """Give what the figures depend on: processors, system, Python."""
    return {
        "cpus": os.cpu_count(),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "load_before": [round(load, 2) for load in os.getloadavg()],
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def save(
    path: Path,
    scenario: str,
    runs: Mapping[str, Sequence[Run]],
    ratios: Mapping[str, float],
    services: Services,
    on: Mapping[str, Any],
) -> None:
    """Write the result file."""
    document = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "scenario": scenario,
        "ratios": {name: round(value, 2) for name, value in ratios.items()},
        "services": {"kafka": services.kafka_name, "redis": services.redis_name},
        "machine": on,
        "versions": {package: version(package) for package in PACKAGES},
        "contestants": {name: told(taken) for name, taken in runs.items()},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
