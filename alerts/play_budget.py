"""Daily budgets of actions: where there is not enough of one for everybody, it goes to those with the most at stake.

    1. Workers book every alert for which a play with a budget comes into question, by value at risk (bins of a twentieth),
       whether it was then suggested or kept for others: what is wanted does not depend on what is given.
    2. The learner adds up (`PlayBudgets`), and derives for each action the value at risk above which it was wanted as often
       as its budget allows, on the mean day of the trailing window. Less is wanted than that: there is no cut.
    3. The past month is not the next one, so what was given is counted too, and what was too little or too much of it in the
       window is aimed for on top, by half the budget at most (as `budget` does with episodes).
    4. The cuts travel with the guide, so every worker decides alike, and a replay as live did (`cuts_in`).

In the first week nothing is known, and an action is suggested to whom it fits.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from alerts.budget import DAYS_KEPT_MAX, WEEK_DAYS, WINDOW_DAYS
from alerts.counts import VALUE_EDGES, StatsBuilder
from alerts.play import Play
from streams.bounds import Count, Day, Finite
from streams.errors import Corrupt
from streams.time import day_of

WANTED: Final = "wanted"
"""Name of the entries that workers book: `wanted|care_call|212`, the number being that of the bin; and `wanted|care_call|given`."""

GIVEN: Final = "given"
_GIVEN_BIN: Final = len(VALUE_EDGES) + 1
"""Where what was given is counted, beside the bins of value."""

CUTS: Final = "play_cuts"
"""Where the cuts stand in the guide's `extra`."""

BIN: Final = re.compile(r"\d{1,3}", re.ASCII)

Counts = dict[str, dict[int, Count]]


def book_wanted(stats: StatsBuilder, day: int, code: str, value_at_risk: float, *, given: bool = False) -> None:
    """Book that an action with a budget came into question on a UTC day, and whether it was then suggested.

    >>> stats = StatsBuilder()
    >>> book_wanted(stats, 10_000, "care_call", 412.5, given=True)
    >>> list(stats.take()[10_000][3])
    ['wanted|care_call|219', 'wanted|care_call|given']
    """
    stats.book(day, WANTED, code, str(bisect_right(VALUE_EDGES, value_at_risk)))
    if given:
        stats.book(day, WANTED, code, GIVEN)


def budgets_of(plays: Sequence[Play]) -> dict[str, float]:
    """Return the daily budget of each action that has one."""
    return {play.code: play.budget_per_day for play in plays if play.budget_per_day is not None}


def cuts_in(extra: Mapping[str, Any]) -> dict[str, float]:
    """Return the cuts that a guide carries: action's code to value at risk. What is no such thing counts as no cut.

    >>> cuts_in({"play_cuts": {"care_call": 250.0}}), cuts_in({"play_cuts": "nonsense"})
    ({'care_call': 250.0}, {})
    """
    try:
        return msgspec.convert(extra.get(CUTS, {}), dict[str, Finite])
    except msgspec.ValidationError:
        return {}


class PlayBudgets:
    """Sums what is wanted of the actions with a budget, by UTC day; kept with the learner's state.

    >>> budgets, stats = PlayBudgets({"care_call": 1.0}), StatsBuilder()
    >>> for day in range(100, 128):
    ...     for value in (50.0, 100.0, 200.0):
    ...         book_wanted(stats, day, "care_call", value, given=value > 100.0)
    >>> for day, counts in stats.take().items():
    ...     left = budgets.add(day, counts[3])
    >>> 100 < budgets.at(128 * 86_400_000)["play_cuts"]["care_call"] <= 200
    True
    """

    def __init__(self, budgets: Mapping[str, float]) -> None:
        self._budgets = dict(budgets)
        self._days: dict[int, Counts] = {}
        self._first_day: int | None = None

    def add(self, day: int, entries: Mapping[str, int]) -> dict[str, int]:
        """Add what was booked on a UTC day; returns the entries that are not about what is wanted."""
        left: dict[str, int] = {}
        for key, booked in entries.items():
            match key.split("|"):
                case [name, code, told] if name == WANTED and (told == GIVEN or BIN.fullmatch(told)):
                    index = _GIVEN_BIN if told == GIVEN else int(told)
                    if code in self._budgets and index <= _GIVEN_BIN:
                        self._count(day, code, index, max(booked, 0))
                case _:
                    left[key] = booked
        return left

    def _count(self, day: int, code: str, index: int, booked: int) -> None:
        self._first_day = day if self._first_day is None else min(self._first_day, day)
        bins = self._days.setdefault(day, {}).setdefault(code, {})
        bins[index] = bins.get(index, 0) + booked
        for oldest in sorted(self._days)[:-DAYS_KEPT_MAX]:
            del self._days[oldest]

    def at(self, boundary_ms: int) -> dict[str, Any]:
        """Return `CUTS` for those actions of which more is wanted than there is; nothing before a week was counted.

        Only days that ended by `boundary_ms` count; boundaries never fall.
        """
        boundary_day = day_of(boundary_ms)
        start_day = boundary_day - WINDOW_DAYS
        self._days = {day: counts for day, counts in self._days.items() if day >= start_day}
        days = boundary_day - max(start_day, boundary_day if self._first_day is None else self._first_day)
        if days < WEEK_DAYS:
            return {}
        cuts: dict[str, float] = {}
        for code, budget in sorted(self._budgets.items()):
            bins = self._bins(code, boundary_day)
            given = bins.pop(_GIVEN_BIN, 0)
            aim = min(max(2.0 * budget - given / days, budget / 2.0), 1.5 * budget) if days == WINDOW_DAYS else budget
            cut = value_cut(bins, aim * days)
            if cut:
                cuts[code] = cut
        return {CUTS: cuts} if cuts else {}

    def _bins(self, code: str, end_day: int) -> dict[int, int]:
        total: dict[int, int] = {}
        for day, counts in self._days.items():
            if day < end_day:
                for index, count in counts.get(code, {}).items():
                    total[index] = total.get(index, 0) + count
        return total

    def dump(self) -> object:
        """Return the state as plain data."""
        days = {
            day: {code: dict(sorted(bins.items())) for code, bins in sorted(counts.items())}
            for day, counts in sorted(self._days.items())
        }
        return [days, self._first_day]

    def load(self, state: Any) -> None:
        """Take back what `dump` returned; raises `Corrupt` where it is something else."""
        try:
            self._days, self._first_day = msgspec.convert(state, tuple[dict[Day, Counts], Day | None])
        except msgspec.ValidationError as error:
            raise Corrupt(f"the stored budgets of actions cannot be read ({error}): start the learner anew") from error


def value_cut(bins: Mapping[int, int], allowed: float) -> float:
    """Return the value above which about `allowed` of those counted lie: within a bin, as if they were spread evenly. 0: all may pass.

    >>> value_cut({100: 5, 200: 5}, 10.0)
    0.0
    >>> VALUE_EDGES[199] < value_cut({100: 5, 200: 5}, 2.5) < VALUE_EDGES[200]
    True
    """
    above = 0
    for index in sorted(bins, reverse=True):
        if above + bins[index] > allowed:
            low = VALUE_EDGES[index - 1] if index else 0.0
            high = VALUE_EDGES[index] if index < len(VALUE_EDGES) else 2.0 * low
            return round(high - (high - low) * (allowed - above) / bins[index], 4)
        above += bins[index]
    return 0.0
