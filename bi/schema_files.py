"""The statements that make the schema, from the files beside this one: tables once, views whenever they have changed."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

VERSION: Final = 1
"""Goes up with every change of the files: a database of an older version is then brought up to date."""

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
