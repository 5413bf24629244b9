"""One Parquet file from the rows of one table.

The columns are those of the table, in its order and with its comments; decimals stay exact, instants are in UTC. The same rows give the
same bytes: they come sorted, in groups of the same size, and nothing in the file tells the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from pyarrow import parquet

from bi.tables import Column, Table, Type
from churnwatch.export_stage import decimal_of

DECIMAL_DIGITS: Final = 18
DECIMAL_SCALE: Final = 4

TYPES: Final[Mapping[Type, Any]] = {
    "text": pa.string(),
    "whole": pa.int64(),
    "decimal": pa.decimal128(DECIMAL_DIGITS, DECIMAL_SCALE),
    "figure": pa.float64(),
    "truth": pa.bool_(),
    "instant": pa.timestamp("ms", tz="UTC"),
    "day": pa.date32(),
}


def schema_of(table: Table) -> Any:
    """Return the table's Arrow schema, with what it and its columns mean as metadata `comment`."""
    fields = [
        pa.field(column.name, TYPES[column.type], nullable=column.merge != "key", metadata={"comment": column.meaning})
        for column in table.columns
    ]
    return pa.schema(fields, metadata={"comment": table.meaning})


def write(path: Path, table: Table, groups: Iterable[Sequence[tuple[Any, ...]]]) -> int:
    """Write the rows, a row group for each of `groups` (as `Stage.rows` yields them), and return how many there were."""
    schema = schema_of(table)
    count = 0
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for rows in groups:
            cells = zip(*rows, strict=True)
            arrays = [_array(column, values) for column, values in zip(table.columns, cells, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            count += len(rows)
    return count


def _array(column: Column, values: Sequence[Any]) -> Any:
    kind = TYPES[column.type]
    match column.type:
        case "decimal":
            return pa.array([decimal_of(value) for value in values], kind)
        case "truth":
            return pa.array([None if value is None else bool(value) for value in values], kind)
        case "instant":
            return pa.array(values, pa.int64()).cast(kind)
        case "day":
            return pa.array(values, pa.int32()).cast(kind)
        case _:
            return pa.array(values, kind)
