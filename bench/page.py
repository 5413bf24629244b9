"""Puts the figures of bench/results/latest.json into docs/benchmarks.md, between its two marks. `python -m bench.page`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bench import report
from streams.errors import ChurnwatchError

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
BEGIN: Final = "<!-- figures: begin (python -m bench.page) -->"
END: Final = "<!-- figures: end -->"


def figures(document: report.Document) -> str:
    """Give the page's part with figures, as Markdown."""
    return "\n".join(_lines(document))


def _lines(document: report.Document) -> Iterator[str]:
    machine = document["machine"]
    modules = " with its busiest modules compiled" if machine.get("compiled") else ""
    load = " / ".join(f"{value:g}" for value in machine["load_before"])
    yield (
        f"Measured {document['date'][:10]} on {machine['cpus']} processors ({machine['processor']}), "
        f"Python {machine['python']}{modules}, {machine['kafka']}, {machine['redis']}; load before it began {load}."
    )
    for name, said in document["scenarios"].items():
        yield from ("", f"### `{name}`: {said['question']}", "")
        if "failed" in said:
            yield f"On {said['date'][:10]} it has failed: {said['failed']}"
            continue
        ratios = {key: value for key, value in document["ratios"].items() if key.startswith(f"{name}.")}
        if ratios:
            yield from _ratios(ratios, said["goals"])
        for table in said["tables"]:
            if table["rows"]:
                yield from ("", f"{table['title']}:", "")
                yield from _table(table["columns"], table["rows"])
        if bound := said["details"].get("bound"):
            yield from ("", f"What bounds it: {bound}.")
        if said["checks"]:
            yield from ("", *(f"- checked: {check}" for check in said["checks"]))


def _ratios(ratios: Mapping[str, float], goals: Mapping[str, float]) -> Iterator[str]:
    rows = []
    for key, value in ratios.items():
        goal = goals.get(key)
        name = key.partition(".")[2].replace("_", " ")
        rows.append((name, f"{value:.2f}", "" if goal is None else f"≥ {goal:g}", _met(value, goal)))
    return _table(("ratio (more is better)", "found", "meant to be", "met"), rows)


def _met(value: float, goal: float | None) -> str:
    if goal is None:
        return ""
    return "yes" if value >= goal else "no"


def _table(columns: Sequence[Any], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    yield _row(columns)
    yield _row(["---", *["---:"] * (len(columns) - 1)])
    yield from map(_row, rows)


def _row(cells: Sequence[Any]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def filled(text: str, document: report.Document) -> str:
    """Give the page with these figures in place of those that it has; raises ChurnwatchError where the marks are missing."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ChurnwatchError(f"{PAGE.name} has not both of the marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{figures(document)}\n{END}{after}"


def update() -> None:
    """Put the kept result's figures into the page; raises ChurnwatchError where either is missing or of another form."""
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), report.read()), encoding="utf-8")


def main() -> int:
    """Write the page; returns the exit code."""
    try:
        update()
    except ChurnwatchError as error:
        sys.stderr.write(f"bench.page: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
