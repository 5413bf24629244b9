"""The scored snapshots of a replay as rows: the labelled ones as they come, those still open from the state at its end."""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterable, Mapping
from pathlib import Path
from struct import Struct
from typing import Final

import numpy as np

from churnwatch.evaluation import CENSORED, Rows
from features.catalog import INDEX
from models.labels import TREATED, Example, Pending, pseudonym
from streams.errors import ConfigError
from streams.time import iso

COLUMNS: Final = ("customer_id", "scored_at", "risk", "model_version", "label", "matured_at")
FIGURES: Final = ("order_days", "order_silence_days", "gap_mean_days")
_FLOAT: Final = Struct("<f")
_OFFSETS: Final = tuple(INDEX[name] * _FLOAT.size for name in FIGURES)


class Snapshots:
    """Every snapshot that was scored, as columns: some sixty bytes each, and their vectors only where somebody wants them.

    Args:
        vectors: whether to keep them (240 bytes more).
    """

    def __init__(self, *, vectors: bool = False) -> None:
        self._vectors: list[bytes] | None = [] if vectors else None
        self._places: dict[str, int] = {}
        self._segments: dict[str, int] = {}
        self._customer, self._segment, self._label = array("q"), array("b"), array("b")
        self._taken, self._matured, self._version = array("q"), array("q"), array("q")
        self._risk = array("d")
        self._figures = tuple(array("f") for _ in FIGURES)

    def __len__(self) -> int:
        return len(self._taken)

    def add(self, examples: Iterable[Example]) -> None:
        """Take labelled ones."""
        for one in examples:
            # What came of the treated came of the treatment: it says nothing about what was predicted.
            treated = one.reach == TREATED
            self._append(one.customer, one, 0 if treated else one.matured_ms, CENSORED if treated else one.label)

    def add_open(self, asked: Mapping[str, Iterable[Pending]]) -> None:
        """Take those that still waited for their label at the end, by customer id."""
        for customer_id, pending in asked.items():
            code = pseudonym(customer_id)
            for one in pending:
                self._append(code, one, 0, CENSORED)

    def _append(self, code: str, one: Example | Pending, matured_ms: int, label: int) -> None:
        self._customer.append(self._places.setdefault(code, len(self._places)))
        self._segment.append(self._segments.setdefault(one.segment, len(self._segments)))
        self._taken.append(one.taken_ms)
        self._matured.append(matured_ms)
        self._risk.append(one.risk)
        self._version.append(one.version)
        self._label.append(label)
        for column, offset in zip(self._figures, _OFFSETS, strict=True):
            column.append(_FLOAT.unpack_from(one.vector, offset)[0])
        if self._vectors is not None:
            self._vectors.append(one.vector)

    def rows(self, names: Mapping[str, str]) -> Rows:
        """Return them as rows; `names` leads from pseudonyms to customer ids."""
        ids = [names[code] for code in self._places]
        ranked = sorted(ids)
        place = {customer: number for number, customer in enumerate(ranked)}
        customer = np.array([place[one] for one in ids], dtype=np.int64)[np.array(self._customer, dtype=np.int64)]
        taken = np.array(self._taken, dtype=np.int64)
        order = np.lexsort((customer, taken))
        order_days, silence_days, gap_days = (np.array(column, dtype=np.float64)[order] for column in self._figures)
        vectors = np.full(len(order), b"", dtype=np.object_)
        if self._vectors is not None:
            vectors = np.fromiter(self._vectors, dtype=np.object_, count=len(order))[order]
        return Rows(
            names=tuple(ranked),
            customer=customer[order],
            taken_ms=taken[order],
            matured_ms=np.array(self._matured, dtype=np.int64)[order],
            risk=np.array(self._risk, dtype=np.float64)[order],
            version=np.array(self._version, dtype=np.int64)[order],
            label=np.array(self._label, dtype=np.int64)[order],
            segment=np.array([*self._segments], dtype=np.str_)[np.array(self._segment, dtype=np.int64)[order]],
            order_days=order_days.astype(np.int64),
            silence_days=silence_days,
            gap_days=gap_days,
            vectors=vectors,
        )


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
