"""The pages on the star schema that are written from its declarations and from the ready queries.

`python -m churnwatch.export_docs` writes docs/bi/tables.md and docs/bi/queries.md; a test holds them to it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bi.catalog import TABLES
from bi.tables import Table, Type

FOLDER: Final = Path(__file__).parent.parent / "docs" / "bi"
PAGES: Final = ("tables.md", "queries.md")

WORDS: Final[dict[Type, str]] = {
    "text": "text",
    "whole": "whole number",
    "decimal": "exact number",
    "figure": "number",
    "truth": "yes or no",
    "instant": "instant",
    "day": "day",
}

GROUPS: Final = (
    ("How much is at stake", ("value_at_risk", "customers_to_call", "customers_by_band")),
    ("Why customers leave", ("churn_by_reason_and_segment", "churn_by_month", "churn_reasons_stated")),
    ("From alert to saved", ("funnel", "funnel_by_segment", "treated_and_held_out")),
    ("Cohorts", ("cohort_retention", "cohort_curve")),
    (
        "Departments",
        (
            "department_marketing",
            "department_product",
            "department_sales",
            "department_finance",
            "expected_revenue",
            "department_service",
        ),
    ),
    ("Work and time", ("alert_workload", "time_to_action", "goals")),
    ("Model", ("model_quality",)),
)

TABLES_HEAD: Final = """\
# The tables

Written from their declarations (`bi/tables.py` and its like), which also make the tables in PostgreSQL, with these words as comments, and the
Parquet files. In PostgreSQL an exact number is `numeric(18, 4)`, an instant `timestamptz` of milliseconds (UTC), a whole number `bigint`; in Parquet
`decimal128(18, 4)`, `timestamp[ms, UTC]` and `int64`. **Bold** columns are the key.
"""

QUERIES_HEAD: Final = """\
# Ready queries, one a dashboard tile

Each stands in a file of its own under [queries](queries/funnel.sql) as well, and is run by the tests on a real PostgreSQL, as the role of
[reader.sql](reader.sql). They have no semicolon, so that a tool can put its own query around them, and name no schema, because that role looks
into `churnwatch` by itself; where you sign in otherwise, write `churnwatch.` before the views. The first comment says what the tile
answers and how to draw it. Instead of pasting a query, you can also drag its view onto the sheet: each names one.
"""


def tables_page() -> str:
    """Return the page of all tables."""
    return "\n".join([TABLES_HEAD, *(line for table in TABLES for line in _table(table))])


def queries_page() -> str:
    """Return the page of all ready queries."""
    return "\n".join([QUERIES_HEAD, *_queries()])


def main() -> int:
    """Write both pages; return the exit code."""
    for name, text in zip(PAGES, (tables_page(), queries_page()), strict=True):
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


def _table(table: Table) -> Iterator[str]:
    yield f"## `{table.name}`\n\n{table.meaning}.\n"
    yield "| column | is | meaning |\n| --- | --- | --- |"
    for column in table.columns:
        shown = f"**`{column.name}`**" if column.merge == "key" else f"`{column.name}`"
        yield f"| {shown} | {WORDS[column.type]} | {column.meaning} |"
    yield ""


def _queries() -> Iterator[str]:
    for title, names in GROUPS:
        yield f"## {title}\n"
        for name in names:
            query = (FOLDER / "queries" / f"{name}.sql").read_text(encoding="utf-8")
            yield f"### {name.replace('_', ' ').capitalize()}\n\n```sql\n{query.rstrip()}\n```\n"


if __name__ == "__main__":
    sys.exit(main())
