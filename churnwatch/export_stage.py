"""Where an export's rows are merged: a file on the disk, for a log of years may have more customers than fit into memory.

It is SQLite's, lives as long as the export, and merges as the tables declare it (`bi.tables`), which is what `bi.rows.merge` and
PostgreSQL do. Rows come out sorted by key, so the same rows make the same files.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from bi.catalog import TABLES
from bi.rows import Cell
from bi.tables import Column, Table, Type

FETCHED_AT_ONCE: Final = 20_000
CACHE_KIB: Final = 32_768

KINDS: Final[Mapping[Type, str]] = {
    "text": "TEXT",
    "whole": "INTEGER",
    "decimal": "TEXT",  # all digits; an integer of SQLite's has too few
    "figure": "REAL",
    "truth": "INTEGER",
    "instant": "INTEGER",  # epoch milliseconds
    "day": "INTEGER",  # UTC day number
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY: Final = date(1970, 1, 1).toordinal()
_MS: Final = timedelta(milliseconds=1)

Stored = str | int | float | None


def _plain(value: Any) -> Stored:
    return value  # type: ignore[no-any-return]  # text, whole and figure are stored as they are


STORE: Final[Mapping[Type, Callable[[Any], Stored]]] = {
    "text": _plain,
    "whole": _plain,
    "decimal": str,
    "figure": _plain,
    "truth": int,
    "instant": lambda at: (at - _EPOCH) // _MS,
    "day": lambda on: on.toordinal() - _FIRST_DAY,
}


class Stage:
    """All tables, empty at first, in one file of the given folder; `close` ends it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     stage = Stage(Path(place))
    ...     stage.put("dim_segment", [("new", "New", None), ("new", "newer", True)])
    ...     list(stage.rows(stage.table("dim_segment")))
    ...     stage.close()
    [[('new', 'New', 1)]]
    """

    def __init__(self, place: Path) -> None:
        self._base = sqlite3.connect(place / "rows.sqlite", isolation_level=None)
        # Lost with the process whatever happens, so nothing has to reach the disk in any order.
        for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE_KIB}"):
            self._base.execute(f"PRAGMA {pragma}")
        self._base.execute("BEGIN")
        for table in TABLES:
            self._base.execute(_create(table))
        self._upserts = {table.name: _upsert(table) for table in TABLES}
        self._tables = {table.name: table for table in TABLES}
        self._base.execute("CREATE TABLE gone (customer_id TEXT PRIMARY KEY, at_ms INTEGER) WITHOUT ROWID")
        self._any_gone = False

    def table(self, name: str) -> Table:
        """Return the declaration of a table."""
        return self._tables[name]

    def put(self, table: str, rows: Iterable[Sequence[Cell]]) -> None:
        """Merge rows in, a cell for each column; `table` is its name."""
        stores = [STORE[column.type] for column in self._tables[table].columns]
        stored = (
            [None if cell is None else store(cell) for store, cell in zip(stores, row, strict=True)] for row in rows
        )
        self._base.executemany(self._upserts[table], stored)

    def erase(self, customer_id: str, at_ms: int) -> None:
        """Drop what is there of a customer, and remember that messages up to that instant of Kafka's are not to come back."""
        for table in TABLES:
            if table.of_customers:
                self._base.execute(f"DELETE FROM {table.name} WHERE customer_id = ?", (customer_id,))  # noqa: S608 - a declared name
        self._base.execute(
            "INSERT INTO gone VALUES (?, ?) ON CONFLICT DO UPDATE SET at_ms = max(at_ms, excluded.at_ms)",
            (customer_id, at_ms),
        )
        self._any_gone = True

    def is_gone(self, customer_id: str, at_ms: int) -> bool:
        """Whether a message of that instant of Kafka's is of a customer who was erased since."""
        if not self._any_gone:
            return False
        found = self._base.execute("SELECT at_ms FROM gone WHERE customer_id = ?", (customer_id,)).fetchone()
        return found is not None and at_ms <= found[0]

    def rows(
        self, table: Table, since_day: int | None = None, until_day: int | None = None
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows of a table by key, some thousands at a time, as they are stored (`KINDS`).

        Args:
            table: whose.
            since_day: only rows of that UTC day number on, by the table's own day (`day_of`); a table without one is told whole.
            until_day: only rows of the days before it.
        """
        bounds = [(sign, bound) for sign, bound in ((">=", since_day), ("<", until_day)) if bound is not None]
        own = day_of(table)
        wanted = [f"{own.name} {sign} ?" for sign, _ in bounds] if own else []
        where = f" WHERE {' AND '.join(wanted)}" if wanted else ""
        asked = f"SELECT {', '.join(table.names)} FROM {table.name}{where} ORDER BY {', '.join(table.key)}"  # noqa: S608 - declared names
        cursor = self._base.execute(asked, [bound for _, bound in bounds] if own else [])
        while found := cursor.fetchmany(FETCHED_AT_ONCE):
            yield found

    def close(self) -> None:
        """End it; the file may be removed."""
        self._base.close()


def day_of(table: Table) -> Column | None:
    """Return the column by whose day a fact's rows are told apart; None for a dimension, which is always told whole.

    >>> from bi.catalog import BY_NAME
    >>> [found and found.name for found in map(day_of, (BY_NAME["fact_alert"], BY_NAME["dim_date"]))]
    ['raised_on', None]
    """
    if table.name.startswith("dim_"):
        return None
    return next((column for column in table.columns if column.type == "day"), None)


def decimal_of(stored: str | None) -> Decimal | None:
    """Return an exact number as it was put in."""
    return None if stored is None else Decimal(stored)


def _create(table: Table) -> str:
    columns = ", ".join(f"{column.name} {KINDS[column.type]}" for column in table.columns)
    return f"CREATE TABLE {table.name} ({columns}, PRIMARY KEY ({', '.join(table.key)})) WITHOUT ROWID"


def _upsert(table: Table) -> str:
    places = ", ".join("?" * len(table.columns))
    merged = [f"{column.name} = {_merged(table, column)}" for column in table.columns if column.merge != "key"]
    then = "NOTHING" if table.once else f"UPDATE SET {', '.join(merged)}"
    return f"INSERT INTO {table.name} VALUES ({places}) ON CONFLICT DO {then}"  # noqa: S608 - declared names


def _merged(table: Table, column: Column) -> str:
    there, new = f"{table.name}.{column.name}", f"excluded.{column.name}"
    match column.merge:
        case "last":
            return f"CASE WHEN {_later(table, column)} THEN {new} ELSE {there} END"
        case "replace":
            return new
        case "least":
            return f"min(coalesce({there}, {new}), coalesce({new}, {there}))"
        case "greatest":
            return f"max(coalesce({there}, {new}), coalesce({new}, {there}))"
        case _:
            return f"coalesce({there}, {new})"


def _later(table: Table, column: Column) -> str:
    """The new row is told later, or at the same place: no place of it is null, and the one there has a null or is not greater."""
    given = " AND ".join(f"excluded.{name} IS NOT NULL" for name in column.by)
    first = " OR ".join(f"{table.name}.{name} IS NULL" for name in column.by)
    new = ", ".join(f"excluded.{name}" for name in column.by)
    there = ", ".join(f"{table.name}.{name}" for name in column.by)
    return f"{given} AND ({first} OR ({new}) >= ({there}))"
