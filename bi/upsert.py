"""How rows get into a table of PostgreSQL that may hold some of their keys: copied into a temporary table, then merged in one statement.

What the statement does with a key that is there is what `bi.rows.merge` does, column by column.
"""

from __future__ import annotations

from bi.tables import Column, Table


def incoming(table: Table) -> str:
    """Return the name of the temporary table."""
    return f"incoming_{table.name}"


def make_incoming(table: Table) -> str:
    """Return the statement that makes the temporary table, for the life of a connection; it is empty again after each transaction."""
    return f"CREATE TEMPORARY TABLE IF NOT EXISTS {incoming(table)} (LIKE {table.name}) ON COMMIT DELETE ROWS"


def copy_in(table: Table) -> str:
    """Return the COPY into the temporary table."""
    return f"COPY {incoming(table)} ({', '.join(table.names)}) FROM STDIN"


def merge_in(table: Table) -> str:
    """Return the statement that merges the temporary table's rows, one a key, into the table."""
    names = ", ".join(table.names)
    changes = [f"{column.name} = {_merged(column)}" for column in table.columns if column.merge != "key"]
    # One that is there is left alone where nothing could change: no dead row for each message that comes twice.
    action = "NOTHING" if table.once else f"UPDATE SET {', '.join(changes)}"
    rows = f"SELECT {names} FROM {incoming(table)} ORDER BY {', '.join(table.key)}"  # noqa: S608 - declared names only
    return f"INSERT INTO {table.name} AS there ({names}) {rows} ON CONFLICT ({', '.join(table.key)}) DO {action}"


def _merged(column: Column) -> str:
    name = column.name
    match column.merge:
        case "last":
            place = ", ".join(f"excluded.{by}" for by in column.by)
            before = ", ".join(f"there.{by}" for by in column.by)
            later = f"ROW({place}) IS NOT NULL AND (NOT (ROW({before}) IS NOT NULL) OR ({place}) >= ({before}))"
            return f"CASE WHEN {later} THEN excluded.{name} ELSE there.{name} END"
        case "least" | "greatest":
            return f"{column.merge.upper()}(there.{name}, excluded.{name})"  # PostgreSQL's pass over nulls
        case "replace":
            return f"excluded.{name}"
        case _:
            return f"COALESCE(there.{name}, excluded.{name})"
