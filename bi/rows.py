"""Rows on their way into the tables, merged by key as the tables declare it.

    message -> Row -> Rows (one row a key) -> PostgreSQL, Parquet

`Rows` merges as PostgreSQL does when it meets a key that is there (`bi.upsert`): so a chunk of messages, or a whole log, comes to the
same as its messages one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias

from bi.catalog import BY_NAME
from bi.tables import Column, Table

Cell: TypeAlias = str | int | float | bool | Decimal | datetime | date | None
Cells: TypeAlias = dict[str, Cell]


@dataclass(frozen=True, slots=True)
class Row:
    """A row, or part of one: columns that are not given say nothing (null)."""

    table: str
    cells: Cells


class Rows:
    """The rows of some messages, by table, one a key. As long as its caller keeps it: bounded by the messages given.

    >>> rows = Rows()
    >>> rows.add(Row("dim_segment", {"segment": "new", "title": "New"}))
    >>> rows.add(Row("dim_segment", {"segment": "new", "title": "again", "computed": True}))
    >>> rows.of("dim_segment")
    [('new', 'New', None)]
    """

    def __init__(self) -> None:
        self._tables: dict[str, dict[tuple[Cell, ...], Cells]] = {}

    def add(self, row: Row) -> None:
        """Take one in."""
        table = BY_NAME[row.table]
        known = self._tables.setdefault(row.table, {})
        key = tuple(row.cells[name] for name in table.key)
        there = known.get(key)
        if there is None:
            known[key] = dict(row.cells)
        elif not table.once:
            merge(table, there, row.cells)

    def tables(self) -> list[Table]:
        """Return the tables that there are rows of, in the catalogue's order."""
        return [table for name, table in BY_NAME.items() if name in self._tables]

    def of(self, table: str) -> list[tuple[Cell, ...]]:
        """Return the rows of a table, a cell for each of its columns, sorted by key."""
        names = BY_NAME[table].names
        found = self._tables.get(table, {})
        return [tuple(map(found[key].get, names)) for key in sorted(found)]

    def __len__(self) -> int:
        """How many there are, of all tables."""
        return sum(map(len, self._tables.values()))


def merge(table: Table, there: Cells, new: Mapping[str, Cell]) -> None:
    """Merge a row into the one of the same key that is there, in place, as `Column.merge` says."""
    later = {by: _later(by, there, new) for by in {column.by for column in table.columns if column.by}}
    for column in table.columns:
        there[column.name] = _merged(column, there.get(column.name), new.get(column.name), later=later)


def _merged(column: Column, there: Cell, new: Cell, *, later: Mapping[tuple[str, ...], bool]) -> Cell:
    if column.merge == "last":
        return new if later[column.by] else there
    if there is None or (column.merge == "replace"):
        return new
    if new is None or column.merge in ("key", "once"):
        return there
    smaller, greater = (new, there) if new < there else (there, new)  # type: ignore[operator]  # of the column's type, both
    return smaller if column.merge == "least" else greater


def _later(by: tuple[str, ...], there: Mapping[str, Cell], new: Mapping[str, Cell]) -> bool:
    """Whether the new row is the later one; of two at the same place, that is the same message, either will do."""
    place = tuple(new.get(name) for name in by)
    if None in place:
        return False
    before = tuple(there.get(name) for name in by)
    return None in before or place >= before
