"""The daily budget: thresholds that raise about so many alerts a day, per segment, the same on every worker.

    1. Workers count, per UTC day and lane (segment under model or rule), what each threshold would have raised: a rise
       of a customer's risk from the mark to a new height crosses every threshold between (`decide` says why).

           risk  0 ──────── low ▁▁▁▁▁▁▁▁▁▁▁▁▁ high ──────── 1      one rise is +1 at the first edge above `low`
                             +1              −1                    and −1 at the first edge above `high`

    2. The counts travel to the one learner (`StatsBuilder.take`, plain data) and are added up there (`BudgetKeeper`).
       Adding integers knows no order, so neither partitions nor interleaving matter.
    3. With each guide go the thresholds: in a lane, the lowest edge from the floor on, above which no edge was crossed
       more often than the lane's part of the budget allows, on the mean day of the trailing window. Only whole days
       before the guide's boundary count. A lane's first week is left out, for it is then that marks are set and few
       rises are seen; until another week has been counted, the threshold is the policy's cold one.
    4. A segment's part is its share. Where so much does not rise even above its floor, what is left over goes to the
       others by their shares (`share_out`), so the whole is used as long as anybody is above a floor.
    5. The past month is not the next one: customers leave, seasons turn, models learn. So episodes really opened are
       counted too, and what was opened too few or too many of in the window is aimed for on top, by half the budget at
       most. (CDNOW, 40 a day, mean from the ninth month on, with the model of
       the time: 38.2; without this step 36.4; without both 20.6.)

The budget speaks of episodes opened, on the mean day: most open on the weekly look at silent customers. What they lead
to (escalated, resolved, churned) comes on top. The values of customers are counted the same way, for the cut from which
one is of high value.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, Final

import msgspec

from alerts.counts import BINS, EDGES, VALUE_EDGES, DayStats, add_to, counts_in
from alerts.episode import Basis
from alerts.policy import LANES, Policy
from alerts.segments import SEGMENTS
from streams.bounds import Day
from streams.errors import Corrupt
from streams.time import day_of

Rate = Sequence[float]
"""Per edge, how often it was crossed on the mean day."""

BASES: Final[tuple[Basis, ...]] = ("model", "rule")

WINDOW_DAYS: Final = 28
WEEK_DAYS: Final = 7
"""Less would not do: silent customers are looked at once a week, so days are not alike."""

DAYS_KEPT_MAX: Final = 800
"""Bound on the days kept: the window, and days ahead of the boundary while a replay runs."""


class BudgetKeeper:
    """Sums the counts of all partitions and derives thresholds and value cut; kept with the learner's state."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._days: dict[int, DayStats] = {}
        self._first_day: dict[str, int] = {}

    def absorb(self, source: int, stats: Mapping[int, Any]) -> None:
        """Add what a `StatsBuilder` took; raises `Corrupt` where it is something else."""
        self.add(counts_in(source, stats))

    def add(self, counted: Mapping[int, DayStats]) -> None:
        """Add the counts that a `StatsBuilder` took, by UTC day; the ledger's entries are not this one's."""
        for day, counts in counted.items():
            for lane in counts.rises:
                self._first_day[lane] = min(day, self._first_day.get(lane, day))
            self._days.setdefault(day, DayStats()).add(counts)
        for day in sorted(self._days)[:-DAYS_KEPT_MAX]:
            del self._days[day]

    def at(self, boundary_ms: int, quality: Mapping[str, float]) -> dict[str, Any]:  # noqa: ARG002
        """Return `thresholds` (per lane), `openings_per_day` expected under them, `value_cut` and `typical_values` once known.

        Only days that ended by `boundary_ms` count; boundaries never fall. `quality` is not used.
        """
        boundary_day = day_of(boundary_ms)
        self._days = {day: stats for day, stats in self._days.items() if day >= boundary_day - WINDOW_DAYS}
        thresholds: dict[str, float] = {}
        openings: dict[str, float] = {}
        for basis in BASES:
            rates = self._rates(basis, boundary_day)
            chosen = share_out(rates, self._aim(boundary_day), self._policy)
            for segment in SEGMENTS:
                lane, rate = LANES[segment, basis], rates.get(segment)
                if not self._policy.shares.get(segment, 0.0):
                    thresholds[lane] = EDGES[BINS]
                elif rate is None:
                    thresholds[lane] = self._policy.cold_threshold(segment)
                else:
                    thresholds[lane], openings[lane] = EDGES[chosen[segment]], rate[chosen[segment]]
        derived: dict[str, Any] = {"thresholds": thresholds, "openings_per_day": openings}
        return derived | self._of_values(self._values(boundary_day))

    def _of_values(self, values: Mapping[int, int]) -> dict[str, Any]:
        """Return from where a value is high, and what is typical, of all and of those of high value (`change.typical_in`)."""
        high_share = self._policy.high_value_share
        cut, middle, high = (value_cut(values, share) for share in (high_share, 0.5, high_share / 2.0))
        return {} if cut is None else {"value_cut": cut, "typical_values": [middle, high]}

    def _rates(self, basis: Basis, boundary_day: int) -> dict[str, Rate | None]:
        """Return how often each edge was crossed on the mean day, by segment: None where too few days were counted."""
        rates: dict[str, Rate | None] = {}
        for segment in SEGMENTS:
            lane = LANES[segment, basis]
            if lane not in self._first_day:
                continue
            start_day = max(self._first_day[lane] + WEEK_DAYS, boundary_day - WINDOW_DAYS)
            days = boundary_day - start_day
            counts = crossings(self._rises(lane, start_day, boundary_day)) if days >= WEEK_DAYS else None
            rates[segment] = None if counts is None else [count / days for count in counts]
        return rates

    def _aim(self, boundary_day: int) -> float:
        """Return how many crossings a day to allow: the budget, and what was opened too few or too many of late."""
        budget = self._policy.daily_budget
        start_day = boundary_day - WINDOW_DAYS
        if min(self._first_day.values(), default=boundary_day) > start_day:
            return budget
        opened = sum(stats.opened for day, stats in self._days.items() if start_day <= day < boundary_day)
        return min(max(2.0 * budget - opened / WINDOW_DAYS, budget / 2.0), 1.5 * budget)

    def _rises(self, lane: str, first_day: int, end_day: int) -> dict[int, int]:
        total: dict[int, int] = {}
        for day, stats in self._days.items():
            if first_day <= day < end_day:
                add_to(total, stats.rises.get(lane, {}))
        return total

    def _values(self, end_day: int) -> dict[int, int]:
        total: dict[int, int] = {}
        for day, stats in self._days.items():
            if day < end_day:
                add_to(total, stats.values)
        return total

    def dump(self) -> object:
        """Return the state as plain data."""
        days = msgspec.to_builtins(self._days, str_keys=False, order="deterministic")
        return [days, dict(sorted(self._first_day.items()))]

    def load(self, state: Any) -> None:
        """Take back what `dump` returned.

        Raises:
            Corrupt: it is something else.
        """
        try:
            kept = msgspec.convert(state, tuple[dict[Day, DayStats], dict[str, Day]])
        except msgspec.ValidationError as error:
            raise Corrupt(f"the stored budget cannot be read ({error}): start the learner anew") from error
        self._days, self._first_day = kept


def crossings(changes: Mapping[int, int]) -> list[int]:
    """Return for each edge how often it was crossed, from the changes in that.

    >>> crossings({41: 1, 87: -1})[40:42]
    [0, 1]
    """
    return list(accumulate(changes.get(index, 0) for index in range(BINS + 1)))


def share_out(rates: Mapping[str, Rate | None], aim: float, policy: Policy) -> dict[str, int]:
    """Return per segment the edge under which all together are expected to raise `aim` alerts a day.

    A segment that cannot use its share although its threshold is at the floor leaves the rest to the others, by their
    shares. What belongs to one that is still too young to tell (None) is kept for it.

    Args:
        rates: segment to how often each edge was crossed on the mean day.
        aim: crossings a day, over all segments.
        policy: for its shares and floors. Without a share a segment gets the last edge, 1.
    """
    chosen = dict.fromkeys(rates, BINS)
    waiting = [segment for segment in rates if policy.shares.get(segment, 0.0) > 0.0]
    left = aim
    while waiting:
        part = left / sum(policy.shares[segment] for segment in waiting)
        sated = []
        for segment in waiting:
            rate, floor = rates[segment], policy.floor(segment)
            if rate is not None:
                chosen[segment] = choose(rate, part * policy.shares[segment], floor)
                if chosen[segment] == bisect_left(EDGES, floor):
                    sated.append(segment)
        if not sated:
            break
        for segment in sated:
            left -= (rates[segment] or EDGES)[chosen[segment]]
            waiting.remove(segment)
    return chosen


def choose(counts: Sequence[float], crossings_max: float, floor: float) -> int:
    """Return the lowest edge from `floor` on which, like all above it, was crossed at most `crossings_max` times.

    Crossings need not fall with the threshold (where everybody stands above an edge, nobody crosses it), so all higher
    edges are asked too. It is the last edge, 1, where even that was crossed more often.
    """
    chosen = BINS
    for index in range(BINS, -1, -1):
        if counts[index] > crossings_max or EDGES[index] < floor:
            break
        chosen = index
    return chosen


def value_cut(values: Mapping[int, int], share: float) -> float | None:
    """Return the lowest value edge that at most `share` of the counted values reach; None where none was counted."""
    total = sum(values.values())
    if not total:
        return None
    above, cut = 0, VALUE_EDGES[-1]
    for index in range(len(VALUE_EDGES), 0, -1):
        above += values.get(index, 0)
        if above > share * total:
            break
        cut = VALUE_EDGES[index - 1]
    return cut
