"""`make bench`: run the scenarios, print their tables, keep the figures in bench/results/latest.json and docs/benchmarks.md.

`--only id,id` runs some and leaves the others' figures in the file; `--check` writes nothing and compares with the file instead.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table as Drawn

from bench import page, report
from bench.contest import QUIX_LIBRARIES, flush
from bench.scenario import Outcome, Say, Scenario, Skipped, Table, chosen
from churnwatch.services import Services, start_services
from streams.errors import ChurnwatchError

WIDTH_MIN: Final = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit code: 1 where an answer was wrong, or with `--check` a ratio has fallen."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", default="", metavar="ID,ID", help="run these scenarios only")
    parser.add_argument(
        "--check", action="store_true", help="compare with the kept result instead of keeping a new one"
    )
    asked = parser.parse_args(arguments)
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH_MIN)
    try:
        kept = report.read() if asked.check else None
        document = _measure(chosen(asked.only), console, keep=kept is None)
    except ChurnwatchError as error:
        Console(stderr=True).print(f"bench: {escape(str(error))}", style="red", highlight=False, soft_wrap=True)
        return 1
    return _verdict(console, document, kept)


def _verdict(console: Console, document: report.Document, kept: report.Document | None) -> int:
    failed = [f"{name}: {said['failed']}" for name, said in document["scenarios"].items() if "failed" in said]
    if kept is not None:
        fallen = report.regressions(kept["ratios"], document["ratios"])
        if not fallen:
            compared = kept["ratios"].keys() & document["ratios"].keys()
            console.print(
                f"{len(compared)} ratios compared with those of {kept['date']}: none has fallen by more than 15 %"
            )
        failed += fallen
    for line in failed:
        console.print(f"[red]{escape(line)}", highlight=False, soft_wrap=True)
    return 1 if failed else 0


def _measure(scenarios: Sequence[Scenario], console: Console, *, keep: bool) -> report.Document:
    """Run the scenarios one after the other on one Kafka and one Redis; what has been measured is kept after each of them."""
    began, on = time.monotonic(), report.machine()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("starting Kafka and Redis", total=len(scenarios))

        def say(text: str) -> None:
            console.print(f"[dim]{time.monotonic() - began:5.0f} s  {escape(text)}", highlight=False, soft_wrap=True)

        with start_services("auto", prefer_real_kafka=True, say=say) as services:
            say(f"{services.description} {services.why_embedded}".strip())
            document = _document(services, on, keep=keep)
            for scenario in scenarios:
                bar.update(task, description=f"{scenario.id}: {scenario.question}")
                say(f"{scenario.id}: {scenario.question}")
                _run(scenario, services, document, say, console.print)
                if keep:
                    report.save(document)
                    page.update()
                bar.advance(task)
    return document


def _document(services: Services, on: dict[str, Any], *, keep: bool) -> report.Document:
    """Give the document to add to: the kept one where it is of this machine and these services, else an empty one."""
    fresh = report.empty(services, on, report.versions(QUIX_LIBRARIES))
    if not keep:
        return fresh
    try:
        kept = report.read()
    except ChurnwatchError:
        return fresh
    same = all(kept["machine"].get(name) == fresh["machine"][name] for name in ("cpus", "processor", "kafka", "redis"))
    return {**fresh, **{part: kept[part] for part in ("ratios", "latency", "memory", "scenarios")}} if same else fresh


def _run(
    scenario: Scenario, services: Services, document: report.Document, say: Say, show: Callable[[Any], None]
) -> None:
    """Run one scenario and add what it has found to the document; what fails is told there, and does not stop the others."""
    started = time.monotonic()
    try:
        flush(services.redis_url)
        with tempfile.TemporaryDirectory(prefix=f"churnwatch-bench-{scenario.id}-") as folder:
            found = scenario.load()(services, Path(folder), say)
    except Skipped as why:
        say(f"{scenario.id} is skipped: {why}")
        return
    except Exception as error:  # noqa: BLE001 - whatever it was, the other scenarios' minutes must not be lost
        reason = str(error) if isinstance(error, ChurnwatchError) else f"{type(error).__name__}: {error}"
        say(f"{scenario.id} has failed: {reason}")
        report.forget(document, scenario)
        document["scenarios"][scenario.id] = {"question": scenario.question, "date": report.now(), "failed": reason}
        return
    seconds = time.monotonic() - started
    report.add(document, scenario, found, seconds)
    for table in found.tables:
        if table.rows:
            show(_drawn(table))
    show(_ratios(found))
    for check in found.checks:
        say(f"checked: {check}")
    if seconds > scenario.seconds_max:
        say(f"{scenario.id} took {seconds:.0f} s and is meant to take {scenario.seconds_max} at most")


def _ratios(found: Outcome) -> Drawn:
    rows = [
        (name, f"{value:.2f}", f"{found.goals[name]:g}" if name in found.goals else "")
        for name, value in found.ratios.items()
    ]
    return _drawn(Table("Ratios (more is better)", ("", "found", "at least"), rows))


def _drawn(table: Table) -> Drawn:
    drawn = Drawn(title=escape(table.title), title_justify="left")
    for place, column in enumerate(table.columns):
        drawn.add_column(escape(column), justify="right" if place else "left", overflow="fold")
    for row in table.rows:
        drawn.add_row(*map(escape, row))
    return drawn


if __name__ == "__main__":
    sys.exit(main())
