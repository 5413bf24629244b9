"""How goals and steering are shown: tables of raw figures, told to people with their units and to programs as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from alerts.goals import Unit, Verdict
from churnwatch.terminal import say, say_table
from streams.time import DAY_MS, HOUR_MS

TOO_FEW: Final = "too few"
MINUTE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Judged:
    """A figure, what its target says of it (empty where there is none), and its unit where that is not the column's."""

    figure: float | None
    verdict: Verdict = ""
    unit: Unit | None = None


Raw = str | int | float | Judged | None
"""A cell; None is a figure of too few cases."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name for programs, its title for people, and what its figures are."""

    name: str
    title: str
    unit: Unit | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """One table; each row has a cell for each column."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Raw]]

    def plain(self) -> list[dict[str, object]]:
        """Return the rows for a program; a judged figure has its verdict beside it."""
        told = []
        for row in self.rows:
            cells: dict[str, object] = {}
            for column, cell in zip(self.columns, row, strict=True):
                cells[column.name] = cell.figure if isinstance(cell, Judged) else cell
                if isinstance(cell, Judged) and cell.verdict:
                    cells[f"{column.name}_goal"] = cell.verdict
            told.append(cells)
        return told


@dataclass(frozen=True, slots=True)
class View:
    """What belongs together, with some plain words before the tables."""

    name: str
    words: Sequence[str]
    tables: Sequence[Table]

    def plain(self) -> dict[str, object]:
        """Return it for a program."""
        return {"words": list(self.words)} | {table.name: table.plain() for table in self.tables}


def say_view(view: View) -> None:
    """Tell a view to a person; a table without rows says so."""
    for line in view.words:
        say(line)
    for table in view.tables:
        say("")
        if not table.rows:
            say(f"{table.title}: nothing yet")
            continue
        rows = [
            [shown(cell, column.unit) for column, cell in zip(table.columns, row, strict=True)] for row in table.rows
        ]
        say_table(table.title, [column.title for column in table.columns], rows)


def shown(cell: Raw, unit: Unit | None) -> str:
    """Return a cell as people read it.

    >>> shown(0.614, "share"), shown(1234567.8, "money"), shown(None, "days"), shown(Judged(2.25, "met"), "days")
    ('61 %', '1,234,568', 'too few', '2.2 days (met)')
    """
    if isinstance(cell, Judged):
        judged = f" ({cell.verdict})" if cell.verdict in ("met", "missed") else ""
        return shown(cell.figure, cell.unit or unit) + judged
    if cell is None or isinstance(cell, str):
        return TOO_FEW if cell is None else cell
    return _worded(cell, unit)


def _worded(figure: float, unit: Unit | None) -> str:
    if unit == "milliseconds":
        return span_words(figure)
    if unit is None:
        return f"{figure:,}" if isinstance(figure, int) else f"{figure:.2f}"
    return {"share": f"{100 * figure:.0f} %", "days": f"{figure:.1f} days", "money": f"{figure:,.0f}"}[unit]


def span_words(span_ms: float) -> str:
    """Return a span of time in its two largest units.

    >>> span_words(5_430_000), span_words(200_000_000)
    ('1 h 30 min', '2 d 7 h')
    """
    if span_ms >= 2 * DAY_MS:
        return f"{int(span_ms // DAY_MS)} d {int(span_ms % DAY_MS // HOUR_MS)} h"
    return f"{int(span_ms // HOUR_MS)} h {int(span_ms % HOUR_MS // MINUTE_MS)} min"
