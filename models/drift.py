"""Drift: has the world moved away from what the model learnt from? It warns and explains, and never touches the model.

    inputs      per feature, the snapshots of the latest 28 days against those of the 182 before, as they are taken:
                labels would tell a horizon too late. Nothing is said before there are so many days. Population
                stability index over fixed bins; .25 is the custom of credit scoring for "has shifted" (Siddiqi,
                "Credit Risk Scorecards", 2006).
    base rate   the share that leaves, of the latest 4 weeks whose labels are in against the 26 before.
    errors      the log loss beyond what the model itself expected of risks like these: 0 where it is honest, whatever
                the base rate. River's Page-Hinkley test over the latest year of weeks (Page, 1954). Before is the
                median week: a cold start's first weeks are far off.

Counts are integers by UTC day and week, so what is said does not depend on the order in which they came. References
slide on, so that a warning ends by itself once the new state has lasted: then it is what the model learns from.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from statistics import median
from typing import Annotated, Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.input_counts import EDGES, INPUT_BINS
from models.measures import RISK_MIN
from models.sketch import BINS, MILLION, Sketch
from streams.bounds import ClockMs, Count, Day, Finite
from streams.errors import Corrupt
from streams.time import day_of

PSI_WARNS: Final = 0.25
RECENT_DAYS: Final = 28
REFERENCE_DAYS: Final = 182
SNAPSHOTS_MIN: Final = 1_000
"""With fewer on either side, chance alone reaches an index of .05 and more."""

SNAPSHOT_DAYS_MAX: Final = 31
"""Snapshots are no rarer than this, or the reference never counts as whole."""

DAYS_MAX: Final = 400
COUNT_MAX: Final = 1 << 40
"""Snapshots of a day that one message may count: sums of them stay far below 64 bits."""

MOVED_MAX: Final = 5

RECENT_WEEKS: Final = 4
REFERENCE_WEEKS: Final = 26
WEEKS_MIN: Final = 8
WEEKS_MAX: Final = 52
BASE_RATE_WARNS: Final = 0.1
LOSS_WARNS: Final = 0.05
"""Nats that the excess must add up to beyond its own mean; with `LOSS_SLACK` a week let pass."""

LOSS_SLACK: Final = 0.005


class Moved(msgspec.Struct, array_like=True, frozen=True):
    """A feature that has moved: its index, and the range whose share of the customers changed most (None: open ended)."""

    feature: str
    psi: Finite
    low: float | None
    high: float | None
    before: Finite
    now: Finite

    def __str__(self) -> str:
        """Say from what to what.

        >>> str(Moved("orders_30d", 0.31, 0.0, 1e-9, 0.34, 0.61))
        'orders_30d: 0 for 61 % of the customers, for 34 % before (index 0.31)'
        """
        where = f"{_number(self.low)} to below {_number(self.high)}"
        if self.low is None:
            where = f"below {_number(self.high)}"
        elif self.high is None:
            where = f"{_number(self.low)} or more"
        elif self.low == 0.0:
            where = "0"
        return (
            f"{self.feature}: {where} for {100 * self.now:.0f} % of the customers, "
            f"for {100 * self.before:.0f} % before (index {self.psi:.2f})"
        )


class Shift(msgspec.Struct, array_like=True, frozen=True):
    """A figure before and now, and whether that is enough to warn."""

    before: Finite
    now: Finite
    warns: bool


class Drift(msgspec.Struct, array_like=True, frozen=True):
    """What there is to say of drift.

    Attributes:
        inputs: feature to population stability index; empty while there is too little to compare.
        moved: the features that moved most, of those that are warned of.
        base_rate: the share that leaves; errors: the excess log loss in nats; None while there is too little to compare.
    """

    inputs: dict[str, Finite] = {}
    moved: list[Moved] = []
    base_rate: Shift | None = None
    errors: Shift | None = None

    def warnings(self) -> dict[str, str]:
        """Return what to warn of: `inputs`, `base_rate` or `errors` to a sentence."""
        said = {}
        if self.moved:
            said["inputs"] = "The customers have changed: " + "; ".join(map(str, self.moved)) + "."
        if self.base_rate is not None and self.base_rate.warns:
            before, now = 100 * self.base_rate.before, 100 * self.base_rate.now
            said["base_rate"] = f"Of 100 customers {now:.0f} leave, {before:.0f} did before."
        if self.errors is not None and self.errors.warns:
            said["errors"] = (
                f"The model errs more than it expects to: its log loss is {self.errors.now:+.3f} nats beyond that, "
                f"{self.errors.before:+.3f} before."
            )
        return said


class LabelWeek(msgspec.Struct, array_like=True, frozen=True):
    """A week whose labels are in: when it was taken, how many, how many left, and the excess log loss of each."""

    taken_ms: ClockMs
    examples: Annotated[int, msgspec.Meta(ge=1, le=1 << 48)]
    churned: Count
    excess: Finite


class DriftState(msgspec.Struct, array_like=True):
    """What is remembered: counts of snapshots by UTC day (at most `DAYS_MAX`), and the latest `WEEKS_MAX` labelled weeks."""

    days: dict[Day, list[Count]] = {}
    weeks: list[LabelWeek] = []

    def absorb(self, inputs: Mapping[int, Any], features: int) -> None:
        """Add what an `InputCounts` took.

        Raises:
            Corrupt: it is something else; nothing was added.
        """
        for day, counts in inputs.items():
            if not isinstance(counts, list) or len(counts) != INPUT_BINS * features or not _all_counts(counts):
                raise Corrupt(f"the counts of inputs on day {day} cannot be read: skip the message")
        for day, counts in inputs.items():
            before = self.days.get(day)
            self.days[day] = counts if before is None else [a + b for a, b in zip(before, counts, strict=True)]
        for day in sorted(self.days)[:-DAYS_MAX]:
            del self.days[day]

    def close(self, taken_ms: int, said: Sketch) -> None:
        """Take in a week whose labels are all in; a week about which the model said nothing tells nothing."""
        if said.examples:
            week = LabelWeek(taken_ms, said.examples, sum(said.churned), excess_loss(said))
            self.weeks = [*self.weeks, week][-WEEKS_MAX:]

    def drift(self, boundary_ms: int, names: Sequence[str], warning: Collection[str]) -> Drift:
        """Return what there is to say.

        Args:
            boundary_ms: as of when; days that had not ended by then do not count. Never falls.
            names: the features.
            warning: those that are warned of.
        """
        boundary_day = day_of(boundary_ms)
        first_day = boundary_day - RECENT_DAYS - REFERENCE_DAYS
        self.days = {day: counts for day, counts in self.days.items() if day >= first_day}
        recent = self._total(boundary_day - RECENT_DAYS, boundary_day, len(names))
        reference = self._total(first_day, boundary_day - RECENT_DAYS, len(names))
        inputs: dict[str, Finite] = {}
        moved: list[Moved] = []
        whole = min(self.days, default=boundary_day) <= first_day + SNAPSHOT_DAYS_MAX
        if whole and min(recent[0].sum(), reference[0].sum()) >= SNAPSHOTS_MIN:
            inputs = dict(zip(names, psi(reference, recent).tolist(), strict=True))
            found = [
                _moved(name, inputs[name], before, now)
                for name, before, now in zip(names, reference, recent, strict=True)
                if inputs[name] > PSI_WARNS and name in warning
            ]
            moved = sorted(found, key=lambda each: (-each.psi, each.feature))[:MOVED_MAX]
        return Drift(inputs, moved, self._base_rate(), self._errors())

    def _total(self, first_day: int, end_day: int, features: int) -> NDArray[np.int64]:
        total = np.zeros(INPUT_BINS * features, dtype=np.int64)
        for day, counts in self.days.items():
            if first_day <= day < end_day:
                total += np.array(counts, dtype=np.int64)
        return total.reshape(features, INPUT_BINS)

    def _split(self) -> tuple[list[LabelWeek], list[LabelWeek]] | None:
        recent = self.weeks[-RECENT_WEEKS:]
        before = self.weeks[-RECENT_WEEKS - REFERENCE_WEEKS : -RECENT_WEEKS]
        return (before, recent) if len(before) >= WEEKS_MIN else None

    def _base_rate(self) -> Shift | None:
        split = self._split()
        if split is None:
            return None
        before, now = (sum(week.churned for week in part) / sum(week.examples for week in part) for part in split)
        return Shift(before, now, abs(now - before) > BASE_RATE_WARNS)

    def _errors(self) -> Shift | None:
        split = self._split()
        if split is None:
            return None
        before = median(week.excess for week in split[0])
        now = sum(week.excess * week.examples for week in split[1]) / sum(week.examples for week in split[1])
        # It brings SciPy's statistics with it, a third of what a worker's start takes: only for who judges, once a week.
        from river.drift import PageHinkley  # noqa: PLC0415

        # Run anew over the weeks kept: fifty numbers, and nothing of River's insides to be stored and put back.
        test = PageHinkley(WEEKS_MIN, LOSS_SLACK, LOSS_WARNS, alpha=1.0, mode="up")
        since = RECENT_WEEKS
        for week in self.weeks:
            test.update(week.excess)
            since = 0 if test.drift_detected else since + 1
        return Shift(before, now, since < RECENT_WEEKS and now > before)


def excess_loss(said: Sketch) -> float:
    """Return the mean log loss beyond what risks like these would cost if they were honest, in nats."""
    risk = (np.arange(BINS) + 0.5) / BINS
    risk = np.clip(risk, RISK_MIN, 1.0 - RISK_MIN)
    cost = -(risk * np.log(risk) + (1.0 - risk) * np.log(1.0 - risk))
    rows = np.array(said.churned) + np.array(said.stayed)
    return said.log_loss / MILLION / said.examples - float((rows * cost).sum()) / said.examples


def psi(before: NDArray[np.int64], now: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the population stability index of two sets of counts by bin, (features, bins) each; (features).

    Half a count in each bin keeps it finite.

    >>> psi(np.array([[500, 500], [500, 500]]), np.array([[500, 500], [900, 100]])).round(2).tolist()
    [0.0, 0.88]
    """
    used = (before + now) > 0
    q, r = (np.where(used, counts + 0.5, 0.0) for counts in (before, now))
    q, r = (shares / shares.sum(axis=1, keepdims=True) for shares in (q, r))
    ratio = np.divide(r, q, out=np.ones_like(r), where=used)
    found: NDArray[np.float64] = ((r - q) * np.log(ratio)).sum(axis=1)
    return found


def _moved(name: str, index: float, before: NDArray[np.int64], now: NDArray[np.int64]) -> Moved:
    q, r = before / before.sum(), now / now.sum()
    place = int(np.abs(r - q).argmax())
    low = float(EDGES[place - 1]) if place else None
    high = float(EDGES[place]) if place < len(EDGES) else None
    return Moved(name, index, low, high, float(q[place]), float(r[place]))


def _all_counts(counts: Sequence[object]) -> bool:
    return all(isinstance(count, int) and 0 <= count <= COUNT_MAX for count in counts)


def _number(edge: float | None) -> str:
    return "" if edge is None else "0" if edge == EDGES[5] else f"{edge:,g}"
