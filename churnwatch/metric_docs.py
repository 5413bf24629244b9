"""Write docs/metrics.md from the declarations in agents/metric_catalog.py; with --check only say whether it is current.

    python -m churnwatch.metric_docs [--check] [FILE]

Exit code 0: written, or current. 1: out of date, or the file cannot be written.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from agents.metric_catalog import BEING_RIGHT, BEING_USEFUL, KEEPING_UP, LABELS, PROCESS
from agents.metric_goals import REACHING_GOALS
from agents.metric_kinds import OTHER, Metric
from churnwatch.written_page import write_or_check

PAGE: Final = Path("docs/metrics.md")

INTRODUCTION: Final = f"""# Metrics

<!-- Written by `python -m churnwatch.metric_docs` from agents/metric_catalog.py. Edit that, not this. -->

Every worker serves these at `/metrics` on its web port (default 6066) in Prometheus' text format. What to do when one of them
looks wrong is in the [runbook](runbook/index.md); the dashboard and the alert rules are in `deploy/`.

- **Conservation.** At every moment `churnwatch_events_total{{outcome="read"}}` = `applied` + `duplicate` + `late` +
  `dead_lettered`, for each topic of each worker: the five are counted in one step, after the step is committed, and a scrape
  cannot fall in between. An event that is too late counts as `late` alone, although it goes to the dead-letter topic too.
- **Counters start at 0 with the process.** What a worker had read but not committed when it died is read again by its successor,
  and counted there.
- **No metric names a customer.** Every label takes a bounded number of [values](#labels); any other value counts as `{OTHER}`.
"""

GROUPS: Final = (
    ("Are we keeping up?", KEEPING_UP),
    ("Are we right?", BEING_RIGHT),
    ("Are we useful?", BEING_USEFUL),
    ("Do we reach our goals?", REACHING_GOALS),
    ("The process (Linux only)", PROCESS),
)


def page() -> str:
    """Return the whole page in Markdown."""
    sections = [f"## {title}\n\n{_metric_table(metrics)}" for title, metrics in GROUPS]
    return "\n".join([INTRODUCTION, *sections, f"## Labels\n\n{_label_table()}"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the page; returns the exit code."""
    return write_or_check("churnwatch.metric_docs", PAGE, page, arguments)


def _metric_table(metrics: Iterable[Metric]) -> str:
    rows = ((f"`{m.name}`", m.kind, ", ".join(f"`{label}`" for label in m.labels), m.unit, m.meaning) for m in metrics)
    return _table(("metric", "type", "labels", "unit", "meaning"), rows)


def _label_table() -> str:
    rows = (
        (f"`{name}`", ", ".join(f"`{value}`" for value in label.values) or "as configured", label.meaning)
        for name, label in LABELS.items()
    )
    return _table(("label", "values", "meaning"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    def lines() -> Iterator[str]:
        yield from (_row(head), _row(["---"] * len(head)))
        yield from map(_row, rows)

    return "\n".join(lines()) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")


if __name__ == "__main__":
    sys.exit(main())
