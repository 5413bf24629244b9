"""The tables as PostgreSQL is told of them. `python -m bi.ddl > bi/schema/1_tables.sql` writes the file that a test holds to this."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final

from bi.catalog import TABLES
from bi.tables import Table, Type

SQL_TYPES: Final[dict[Type, str]] = {
    "text": "text",
    "whole": "bigint",
    "decimal": "numeric(18, 4)",
    "figure": "double precision",
    "truth": "boolean",
    "instant": "timestamptz(3)",
    "day": "date",
}

INDEXES: Final = {
    "fact_daily_score": ("day",),
    "fact_alert": ("episode_id", "customer_id", "raised_on"),
    "fact_alert_reason": ("customer_id",),
    "fact_episode": ("customer_id", "opened_on"),
    "fact_outcome": ("alert_id",),
    "fact_order": ("ordered_on",),
}

HEAD: Final = """\
-- The tables of the star schema. Written by `python -m bi.ddl` from bi/tables*.py: change those.
-- Names stand without their schema: whoever runs this sets search_path first, as `churnwatch bi schema` does.
"""

OWN: Final = """
CREATE TABLE sink_position (
    topic text NOT NULL,
    partition bigint NOT NULL,
    next_offset bigint NOT NULL,
    passed_over bigint NOT NULL,
    PRIMARY KEY (topic, partition)
);
COMMENT ON TABLE sink_position IS 'How far each partition of Kafka is loaded: changed in one transaction with the rows';
COMMENT ON COLUMN sink_position.topic IS 'The topic';
COMMENT ON COLUMN sink_position.partition IS 'Its partition';
COMMENT ON COLUMN sink_position.next_offset IS 'The first offset that is not loaded yet';
COMMENT ON COLUMN sink_position.passed_over IS 'Messages that could not be read and were passed over';

CREATE TABLE sink_erased (
    customer_hash text NOT NULL,
    erased_at timestamptz(3) NOT NULL,
    PRIMARY KEY (customer_hash)
);
COMMENT ON TABLE sink_erased IS 'Customers who were erased, by a hash of their id: what Kafka says of them from before that instant is not loaded again';
COMMENT ON COLUMN sink_erased.customer_hash IS 'SHA-256 of the customer_id';
COMMENT ON COLUMN sink_erased.erased_at IS 'When, on Kafka''s clock';
"""


def tables_sql() -> str:
    """Return the statements that make all tables, with their comments."""
    return "\n".join([HEAD, *(line for table in TABLES for line in _table(table))]) + OWN


def _table(table: Table) -> Iterator[str]:
    yield f"CREATE TABLE {table.name} ("
    for column in table.columns:
        yield f"    {column.name} {SQL_TYPES[column.type]}{' NOT NULL' if column.merge == 'key' else ''},"
    yield f"    PRIMARY KEY ({', '.join(table.key)})"
    yield ");"
    for indexed in INDEXES.get(table.name, ()):
        yield f"CREATE INDEX {table.name}_by_{indexed} ON {table.name} ({indexed});"
    yield f"COMMENT ON TABLE {table.name} IS {_quoted(table.meaning)};"
    for column in table.columns:
        yield f"COMMENT ON COLUMN {table.name}.{column.name} IS {_quoted(column.meaning)};"
    yield ""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


if __name__ == "__main__":
    sys.stdout.write(tables_sql())
