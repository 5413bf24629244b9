"""How the customers of a shop buy, learnt from counts: the figures that each customer's value is computed with.

    1. Once a week a worker looks which of its customers have ordered since, and moves each from the cell that they were
       counted in to the one they belong to now. A cell is

           (four weeks of the first order, those of the last, days with an order after the first)

       which is all that the model of `value` knows of a customer but for the date. Nobody is counted twice, and nobody is
       lost by falling silent: they stay in their cell, and the date moves on.
    2. The counts travel with the examples and are added up by the learner, in whole numbers, in whatever order.
    3. Every four weeks the learner fits the four figures of the process to the cells, as of midnight, by the likelihood (Fader, Hardie and
       Lee 2005, equation 6, with a chance to leave after the first order) less a penalty for being far from the default: in a young log
       plain likelihood runs off to where hardly anybody ever leaves. (Online Retail II, first half: a = .02, b = 19.)
    4. A typical order is the median of first orders. Frequent are the days with an order that a third of last year's customers has reached.

Cells of four weeks cost nothing: on both logs the fit from cells ranks customers as that from days does, to the third digit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import gammaln

from alerts.counts import VALUE_EDGES, DayStats, add_to
from alerts.value import DEFAULT_BUYING
from streams.bounds import Count, Day, Finite, Tally
from streams.errors import Corrupt
from streams.time import day_of

Floats = NDArray[np.float64]

PERIOD_DAYS: Final = 28
PERIODS_MAX: Final = 39
"""Whose first order is longer ago (three years) is no longer counted: shops change."""

REPEATS: Final[tuple[int, ...]] = (*range(11), *(round(10 * 1.2**step) for step in range(1, 22)))
"""Lower edges of the cells by repeats: 0 to 10, then in steps of a fifth up to 460."""

MIDDLES: Final = np.array([(low + high - 1) / 2 for low, high in zip(REPEATS, (*REPEATS[1:], 552), strict=True)])

CUSTOMERS_MIN: Final = 100
HOLD: Final = 0.03
HOLD_CUSTOMERS: Final = 1_000
"""The penalty is `HOLD` for each unit of squared distance of a figure's logarithm, by customer, and twice that with so many of them."""

LOGS_MAX: Final = (-5.0, 8.0)
DAYS_WAITING_MAX: Final = 800
FREQUENT_SHARE: Final = 1 / 3
RECENT_PERIODS: Final = 13
"""Four weeks each: who has not ordered for longer does not count when it is asked what is frequent."""

FIRSTS_MAX: Final = 50_000
"""Of so many first orders counts are halved, so that prices of years ago are forgotten."""


def cell_of(first_day: int, last_day: int, repeats: int) -> int:
    """Return the cell of a customer, by UTC days of the first and last order, and days with an order after the first.

    >>> unpacked(cell_of(10_000, 10_060, 3))
    (357, 2, 3)
    """
    first, last = first_day // PERIOD_DAYS, last_day // PERIOD_DAYS
    return first << 16 | min(last - first, 255) << 8 | bisect_right(REPEATS, max(repeats, 0)) - 1


def unpacked(cell: int) -> tuple[int, int, int]:
    """Return (period of the first order, periods until the last, place in `REPEATS`)."""
    return cell >> 16, cell >> 8 & 255, cell & 255


class _Kept(msgspec.Struct, array_like=True):
    """What is kept; `told` and `frequent` are of the last fit, on `fitted_day`; `waiting` are days ahead of the boundary."""

    cells: dict[int, Tally] = {}
    firsts: dict[int, Tally] = {}
    told: list[Finite] = []
    fitted_day: Day = -1
    waiting: dict[Day, tuple[dict[int, Tally], dict[int, Tally]]] = {}
    frequent: Count = 0


class BuyingKeeper:
    """Adds up what all partitions have counted, and fits; kept with the learner's state."""

    def __init__(self) -> None:
        self._kept = _Kept()

    def add(self, counted: Mapping[int, DayStats]) -> None:
        """Add the counts that a `StatsBuilder` took, by UTC day."""
        waiting = self._kept.waiting
        for day, counts in counted.items():
            if counts.buyers or counts.firsts:
                buyers, firsts = waiting.setdefault(day, ({}, {}))
                add_to(buyers, counts.buyers)
                add_to(firsts, counts.firsts)
        self._take_in(sorted(waiting)[:-DAYS_WAITING_MAX])

    def at(self, boundary_ms: int) -> dict[str, Any]:
        """Return `buying`, the figures of `value.Buying`, and `frequent_days`, from days that ended by the boundary.

        Nothing while too few customers are known.
        """
        kept, day = self._kept, day_of(boundary_ms)
        self._take_in(sorted(known for known in kept.waiting if known < day))
        if kept.fitted_day < 0 or day >= kept.fitted_day + PERIOD_DAYS:
            self._forget(day)
            if sum(max(count, 0) for count in kept.cells.values()) >= CUSTOMERS_MIN:
                kept.told, kept.fitted_day = [*fit(kept.cells, day), typical(kept.firsts)], day
                kept.frequent = frequent_days(kept.cells, day)
        return {"buying": list(kept.told), "frequent_days": kept.frequent} if kept.told else {}

    def _take_in(self, days: list[int]) -> None:
        for day in days:
            buyers, firsts = self._kept.waiting.pop(day)
            add_to(self._kept.cells, buyers)
            add_to(self._kept.firsts, firsts)

    def _forget(self, day: int) -> None:
        kept, oldest = self._kept, day // PERIOD_DAYS - PERIODS_MAX
        kept.cells = {cell: count for cell, count in kept.cells.items() if count and cell >> 16 > oldest}
        while sum(kept.firsts.values()) > FIRSTS_MAX:
            kept.firsts = {place: count // 2 for place, count in kept.firsts.items() if count > 1}

    def dump(self) -> object:
        """Return the state as plain data."""
        return msgspec.to_builtins(self._kept, str_keys=False, order="deterministic")

    def load(self, state: Any) -> None:
        """Take back what `dump` returned; raises `Corrupt` where it is something else."""
        try:
            self._kept = msgspec.convert(state, _Kept)
        except msgspec.ValidationError as error:
            raise Corrupt(f"the stored counts of buyers cannot be read ({error}): start the learner anew") from error


def typical(firsts: Mapping[int, int]) -> float:
    """Return the median of first orders counted by bins of `VALUE_EDGES`; 0 where there are none.

    >>> typical({}), 19 < typical({bisect_right(VALUE_EDGES, 20.0): 5, 1: 1}) < 21
    (0.0, True)
    """
    places = sorted(place for place, count in firsts.items() if count > 0)
    sums = list(accumulate(firsts[place] for place in places))
    if not sums:
        return 0.0
    place = next(place for place, total in zip(places, sums, strict=True) if 2 * total >= sums[-1])
    return float(f"{VALUE_EDGES[min(place, len(VALUE_EDGES) - 1)]:.4g}") if place else 0.0


def frequent_days(cells: Mapping[int, int], day: int) -> int:
    """Return the days with an order that the most frequent third of the customers of the last year has reached; 0 where there are none."""
    oldest = day // PERIOD_DAYS - RECENT_PERIODS
    reached: dict[int, int] = {}
    for cell, count in cells.items():
        first, periods, place = unpacked(cell)
        if first + periods >= oldest and count > 0:
            reached[place] = reached.get(place, 0) + count
    above, wanted = 0, FREQUENT_SHARE * sum(reached.values())
    for place in sorted(reached, reverse=True):
        above += reached[place]
        if above >= wanted:
            return REPEATS[min(place, len(REPEATS) - 1)] + 1
    return 0


def fit(cells: Mapping[int, int], day: int) -> list[float]:
    """Return shape, rate in days, a and b that fit customers counted by cell, as of a UTC day; four digits each.

    Always from the default, never from the last fit: that can stay in a far corner.
    """
    counted = sorted((cell, count) for cell, count in cells.items() if count > 0)
    numbers = np.array([(*unpacked(cell), count) for cell, count in counted], dtype=np.float64).reshape(-1, 4)
    first, periods, place, weight = numbers.T
    repeats, span = MIDDLES[np.minimum(place, len(MIDDLES) - 1).astype(np.int64)], periods * PERIOD_DAYS
    age = np.maximum(day - (first + 0.5) * PERIOD_DAYS, span + 1.0)
    start = np.log(DEFAULT_BUYING[:4])
    customers = float(weight.sum())
    hold = HOLD * (1.0 + HOLD_CUSTOMERS / customers)

    def loss(logs: Floats) -> float:
        away = logs - start
        return hold * float(away @ away) - float(weight @ log_likelihood(np.exp(logs), repeats, span, age)) / customers

    found = minimize(loss, start, method="L-BFGS-B", bounds=[LOGS_MAX] * 4)
    return [float(f"{figure:.4g}") for figure in np.exp(found.x)]


def log_likelihood(figures: Floats, repeats: Floats, span: Floats, age: Floats) -> Floats:
    """Return the log likelihood of each customer under (shape, rate, a, b); spans and rate in the same unit."""
    shape, rate, a, b = figures
    buying = gammaln(shape + repeats) - gammaln(shape) + shape * np.log(rate)
    leaving = gammaln(a + b) + gammaln(b + repeats + 1.0) - gammaln(b) - gammaln(a + b + repeats + 1.0)
    there = -(shape + repeats) * np.log(rate + age)
    gone = np.log(a / (b + repeats)) - (shape + repeats) * np.log(rate + span)
    total: Floats = buying + leaving + np.logaddexp(there, gone)
    return total
