"""The statements that make the schema, tables and views, from the files beside this one."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

VERSION: Final = 1
"""Goes up with every change of the files (a test holds it to them): a database of another version is refused, and made anew by hand."""

TABLES: Final = ("1_tables.sql",)
VIEWS: Final = ("2_views.sql", "3_departments.sql")


def tables_sql() -> str:
    """Return the statements that make the tables."""
    return _read(TABLES)


def views_sql() -> str:
    """Return the statements that make the views."""
    return _read(VIEWS)


def _read(names: tuple[str, ...]) -> str:
    return "\n".join((files("bi") / "schema" / name).read_text("utf-8") for name in names)
