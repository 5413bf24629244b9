"""One scenario by itself, with sizes of one's own: for looking closer than `make bench` does. Nothing is kept."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.scenario import Outcome, Say
from churnwatch.services import Services, start_services
from streams.errors import ChurnwatchError


def alone(run: Callable[[Services, Path, Say], Outcome], *, as_json: bool) -> int:
    """Run it on a Kafka and a Redis of its own and print what it has found; returns the exit code."""
    told = Console(stderr=True, highlight=False)
    started = time.monotonic()

    def say(text: str) -> None:
        told.print(f"[dim]{time.monotonic() - started:5.0f} s  {text}")

    try:
        with (
            tempfile.TemporaryDirectory(prefix="churnwatch-bench-") as folder,
            start_services("auto", prefer_real_kafka=True, say=say) as services,
        ):
            found = run(services, Path(folder), say)
    except ChurnwatchError as error:
        told.print(f"bench: {error}", style="red")
        return 1
    if as_json:
        print(
            json.dumps(
                {
                    "ratios": found.ratios,
                    "latency": found.latency,
                    "memory": found.memory,
                    "checks": found.checks,
                    "details": found.details,
                },
                indent=2,
            )
        )
        return 0
    console = Console(width=None if told.is_terminal else 140)
    for table in found.tables:
        shown = Table(*table.columns, title=table.title)
        for row in table.rows:
            shown.add_row(*row)
        console.print(shown)
    for name, ratio in found.ratios.items():
        console.print(f"{name}: {ratio:.2f}")
    return 0
