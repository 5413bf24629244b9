"""The scored snapshots of a replay as rows: the labelled ones from its examples, the censored ones from the state at its end."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from operator import itemgetter
from pathlib import Path
from struct import Struct
from typing import Final

import numpy as np

from agents.record import decode_customer
from churnwatch.backtest import Backtest
from churnwatch.evaluation import CENSORED, Rows
from features.catalog import INDEX
from models.labels import TREATED
from streams.errors import ConfigError
from streams.time import iso

COLUMNS: Final = ("customer_id", "scored_at", "risk", "model_version", "label", "matured_at")
_FLOAT: Final = Struct("<f")

_Row = tuple[int, str, int, float, int, int, str, bytes]
"""taken_ms, customer id, matured_ms, risk, version, label, segment, vector."""


def collect(result: Backtest, names: Mapping[str, str]) -> Rows:
    """Return every snapshot that was scored; `names` leads from pseudonyms to customer ids."""
    found = sorted([*_labelled(result, names), *_censored(result)], key=itemgetter(0, 1))
    customers = sorted({row[1] for row in found})
    place = {customer: number for number, customer in enumerate(customers)}
    taken, ids, matured, risk, version, label, segment, vectors = zip(*found, strict=True) if found else [()] * 8

    def figure(name: str) -> list[float]:
        offset = INDEX[name] * _FLOAT.size
        return [_FLOAT.unpack_from(vector, offset)[0] for vector in vectors]

    return Rows(
        names=tuple(customers),
        customer=np.array([place[customer] for customer in ids], dtype=np.int64),
        taken_ms=np.array(taken, dtype=np.int64),
        matured_ms=np.array(matured, dtype=np.int64),
        risk=np.array(risk, dtype=np.float64),
        version=np.array(version, dtype=np.int64),
        label=np.array(label, dtype=np.int64),
        segment=np.array(segment, dtype=np.str_),
        order_days=np.array(figure("order_days"), dtype=np.int64),
        silence_days=np.array(figure("order_silence_days"), dtype=np.float64),
        gap_days=np.array(figure("gap_mean_days"), dtype=np.float64),
        vectors=np.fromiter(vectors, dtype=np.object_, count=len(found)),
    )


def _labelled(result: Backtest, names: Mapping[str, str]) -> Iterator[_Row]:
    for example in result.examples:
        # What came of the treated came of the treatment: it says nothing about what was predicted.
        treated = example.reach == TREATED
        yield (
            example.taken_ms,
            names[example.customer],
            0 if treated else example.matured_ms,
            example.risk,
            example.version,
            CENSORED if treated else example.label,
            example.segment,
            example.vector,
        )


def _censored(result: Backtest) -> Iterator[_Row]:
    for customer_id, state in result.partition.states.items():
        for asked in decode_customer(state).pending:
            yield asked.taken_ms, customer_id, 0, asked.risk, asked.version, CENSORED, asked.segment, asked.vector


def write_predictions(path: Path, rows: Rows) -> None:
    """Write `COLUMNS` of every row; label and `matured_at` stay empty where the log ended before the label was known.

    Raises:
        ConfigError: the file cannot be written.
    """
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow(COLUMNS)
            columns = (rows.customer, rows.taken_ms, rows.risk, rows.version, rows.label, rows.matured_ms)
            for customer, taken, risk, version, label, matured in zip(*map(np.ndarray.tolist, columns), strict=True):
                known = (label, iso(matured)) if label != CENSORED else ("", "")
                out.writerow((rows.names[customer], iso(taken), risk, version, *known))
    except OSError as error:
        raise ConfigError(f"--predictions {path}: {error.strerror}; name a file that can be written") from error
