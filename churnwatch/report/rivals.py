"""What simpler ways would have said about the same snapshots at the same time: the silence rule, and BG/NBD fitted every four weeks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from churnwatch.evaluation import Floats, Ints, Mask, Rows
from churnwatch.report.bgnbd import fit, quiet
from models.rule import silence_risk
from streams.time import DAY_MS

REFIT_MS: Final = 28 * DAY_MS


@dataclass(frozen=True, slots=True)
class OrderDays:
    """Every customer's distinct days with an order: places in `Rows.names` and UTC day numbers, both by row; `first` by place."""

    customer: Ints
    day: Ints
    first: Ints

    def until(self, end_day: int) -> tuple[Floats, Floats, Floats]:
        """Return (repeats, span, age), in days, of every customer who had ordered before `end_day`."""
        known = self.day < end_day
        customer, day = self.customer[known], self.day[known]
        count = np.bincount(customer, minlength=self.first.size)
        last = np.full(self.first.size, -1)
        np.maximum.at(last, customer, day)
        there = count > 0
        first = self.first[there]
        return (
            (count[there] - 1).astype(np.float64),
            (last[there] - first).astype(np.float64),
            (end_day - first).astype(np.float64),
        )


def order_days(rows: Rows, orders: Mapping[str, list[tuple[int, float]]]) -> OrderDays:
    """Return the order days of everybody, customers without a snapshot included (their places come after those of the rows)."""
    place = {name: number for number, name in enumerate(rows.names)}
    pairs: list[tuple[int, int]] = []
    for customer, placed in orders.items():
        number = place.setdefault(customer, len(place))
        pairs += [(number, day) for day in {at_ms // DAY_MS for at_ms, _ in placed}]
    whose = np.array([number for number, _ in pairs], dtype=np.int64)
    days = np.array([day for _, day in pairs], dtype=np.int64)
    first = np.full(len(place), np.iinfo(np.int64).max)
    np.minimum.at(first, whose, days)
    return OrderDays(whose, days, first)


def refits(taken_ms: Ints, from_ms: int) -> Iterator[tuple[int, Mask]]:
    """Give (instant of a refit, the rows scored with it): every four weeks, beginning with the first row from `from_ms` on."""
    later = taken_ms[taken_ms >= from_ms]
    if later.size:
        for at_ms in range(int(later[0]), int(taken_ms[-1]) + 1, REFIT_MS):
            yield at_ms, (taken_ms >= at_ms) & (taken_ms < at_ms + REFIT_MS)


def by_silence(rows: Rows) -> Floats:
    """Return the transparent rule's risk; see `models.rule`."""
    columns = zip(rows.silence_days.tolist(), rows.gap_days.tolist(), rows.order_days.tolist(), strict=True)
    return np.array([silence_risk(silence, gap or None, days) for silence, gap, days in columns], dtype=np.float64)


def by_bgnbd(
    rows: Rows, days: OrderDays, from_ms: int, horizon_days: float, step: Callable[[int], None] = lambda _: None
) -> Floats:
    """Return BG/NBD's P(no order in the horizon) for the rows from `from_ms` on, fitted only to what was known; NaN before.

    `step` is told the instant of each refit.
    """
    risk = np.full(len(rows), np.nan)
    for at_ms, mask in refits(rows.taken_ms, from_ms):
        step(at_ms)
        known = days.until(at_ms // DAY_MS)
        if not known[0].size:
            continue
        params = fit(*known)
        part = rows.where(mask)
        age = (part.taken_ms // DAY_MS - days.first[part.customer]).astype(np.float64)
        span = np.maximum(age - 1.0 - part.silence_days, 0.0)
        risk[mask] = quiet(params, (part.order_days - 1).astype(np.float64), span, age, horizon_days)
    return risk
