"""`make bench`: run the scenario, print the tables, keep the figures in bench/results/latest.json."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from rich.console import Console

from bench import one_worker, report
from bench.measures import ratio
from churnwatch.services import start_services
from streams.errors import ChurnwatchError

RESULT: Final = Path(__file__).resolve().parent / "results" / "latest.json"
WIDTH_MIN: Final = 110


def main() -> int:
    """Run the benchmark; returns the exit code: 1 where a contestant gave a wrong answer."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH_MIN)
    started, on = time.monotonic(), report.machine()

    def say(text: str) -> None:
        console.print(f"[dim]{time.monotonic() - started:5.0f} s  {text}", highlight=False)

    try:
        with (
            tempfile.TemporaryDirectory(prefix="churnwatch-bench-") as folder,
            start_services("auto", prefer_real_kafka=True, say=say) as services,
        ):
            say(f"{services.description} {services.why_embedded}".strip())
            runs = one_worker.run(services, Path(folder), say)
    except ChurnwatchError as error:
        Console(stderr=True).print(f"bench: {error}", style="red", highlight=False)
        return 1
    ratios = {
        f"{of} / {one_worker.STOCK}": ratio(runs, of, one_worker.STOCK)
        for of in (one_worker.WORKER, one_worker.OFFLINE)
    }
    console.print(report.table(runs, one_worker.STOCK))
    console.print(report.costs(runs))
    report.save(RESULT, "one_worker", runs, ratios, services, on)
    console.print(f"{one_worker.WORKER}: {ratios[f'{one_worker.WORKER} / {one_worker.STOCK}']:.1f} times stock Faust")
    console.print(f"Every event applied once, every customer in the store. Kept in {RESULT.relative_to(Path.cwd())}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
