"""What workers count for the learner, by UTC day: how risks rise, what customers are worth, what becomes of alerts.

Everything is a whole number, so the counts of partitions add up the same in any order.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from streams.bounds import Count, Day, Tally
from streams.errors import Corrupt

BINS: Final = 200
EDGES: Final = tuple(index / BINS for index in range(BINS + 1))
"""Thresholds that can be chosen: 0, 0.005, … 1."""

VALUE_EDGES: Final = tuple(1.05**power for power in range(-95, 470))
"""Values are told apart by steps of a twentieth, from 0.01 to eight thousand million of any currency."""


class DayStats(msgspec.Struct, array_like=True):
    """Counts of one UTC day: per lane edge to change in crossings, value bin to customers, episodes opened, the ledger's entries.

    Then who buys how: cell to change in customers, and bin to first orders of that amount (`value_fit`).
    """

    rises: dict[str, dict[int, Tally]] = {}
    values: dict[int, Count] = {}
    opened: Count = 0
    ledger: dict[str, Tally] = {}
    buyers: dict[int, Tally] = {}
    firsts: dict[int, Count] = {}

    def add(self, other: DayStats) -> None:
        """Add the counts of `other`."""
        for lane, changes in other.rises.items():
            add_to(self.rises.setdefault(lane, {}), changes)
        add_to(self.values, other.values)
        self.opened += other.opened


def add_to(into: dict[int, int], counts: Mapping[int, int]) -> None:
    """Add counts to others."""
    for index, count in counts.items():
        into[index] = into.get(index, 0) + count


class StatsBuilder:
    """Collects one partition's counts between two batches of examples.

    >>> stats = StatsBuilder()
    >>> stats.add_rise(10_000, "loyal", 0.2, 0.43)
    >>> stats.take()
    {10000: [{'loyal': {41: 1, 87: -1}}, {}, 0, {}, {}, {}]}
    """

    def __init__(self) -> None:
        self._days: dict[int, DayStats] = {}

    def add_rise(self, day: int, lane: str, low: float, high: float) -> None:
        """Count a customer's rise from `low` (exclusive) to `high` (inclusive) on a UTC day."""
        first, end = bisect_right(EDGES, low), bisect_right(EDGES, high)
        if first < end:
            changes = self._day(day).rises.setdefault(lane, {})
            changes[first] = changes.get(first, 0) + 1
            changes[end] = changes.get(end, 0) - 1

    def add_value(self, day: int, value: float) -> None:
        """Count the value of a customer who was looked at on the weekly snapshot of a UTC day."""
        values = self._day(day).values
        index = bisect_right(VALUE_EDGES, value)
        values[index] = values.get(index, 0) + 1

    def move_buyer(self, day: int, old: int | None, new: int) -> None:
        """Count a customer in another cell of `value_fit` than so far; `old` is None for one who is new."""
        if old == new:
            return
        buyers = self._day(day).buyers
        buyers[new] = buyers.get(new, 0) + 1
        if old is not None:
            buyers[old] = buyers.get(old, 0) - 1

    def add_first(self, day: int, amount: float) -> None:
        """Count the amount of a customer's first order, on the UTC day on which it was noted."""
        firsts = self._day(day).firsts
        index = bisect_right(VALUE_EDGES, amount)
        firsts[index] = firsts.get(index, 0) + 1

    def add_opening(self, day: int) -> None:
        """Count an episode that opened on a UTC day."""
        self._day(day).opened += 1

    def book(self, day: int, *key: str, amount: int = 1) -> None:
        """Book an entry of the ledger (`alerts.ledger`) on a UTC day."""
        entries, name = self._day(day).ledger, "|".join(key)
        entries[name] = entries.get(name, 0) + amount

    def take(self) -> dict[int, Any]:
        """Return the counts as plain data (UTC day to `[rises, values, opened, ledger, buyers, firsts]`) and start anew."""
        taken: dict[int, Any] = msgspec.to_builtins(self._days, str_keys=False, order="deterministic")
        self._days = {}
        return taken

    def _day(self, day: int) -> DayStats:
        found = self._days.get(day)
        if found is None:
            found = self._days[day] = DayStats()
        return found


def counts_in(source: int, stats: Mapping[int, Any]) -> dict[int, DayStats]:
    """Return what a `StatsBuilder` took, by UTC day; raises `Corrupt` where it is something else."""
    try:
        return msgspec.convert(stats, dict[Day, DayStats])
    except msgspec.ValidationError as error:
        raise Corrupt(f"statistics from partition {source} cannot be read ({error}): skip the message") from error
