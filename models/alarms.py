"""How the threshold in force did: who stood above it when asked, who of them left, and how early it told.

    a leaver's weeks of silence     0    1    2    3    4   ...
    leavers asked about             90   88   91   90   89         (a leaver is asked about every week until gone)
    above the threshold             9    26   45   61   66
    share warned about              .10  .30  .49  .68  .74        half of what is ever reached: in week 2

The lead is what is left then of the horizon, after which silence itself would have told. Counted without knowing who is
who: a leaver appears once in every week of silence, so the shares by week say what following each would. What is held
against the threshold is the risk as it was said; alerts lift it by how new it is first, so these are not their figures.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.bounds import Count

WEEKS: Final = 14
"""Weeks of silence told apart; the last holds all longer ones."""

WEEK_DAYS: Final = 7
LEAVERS_MIN: Final = 20
"""A week with fewer leavers says nothing about the lead."""


ByWeek = Annotated[list[Count], msgspec.Meta(min_length=WEEKS, max_length=WEEKS)]


def _zeros() -> list[int]:
    return [0] * WEEKS


class Alarms(msgspec.Struct, array_like=True):
    """Counts of one set of examples whose threshold is known.

    Attributes:
        asked: examples; churned: those whose label is 1.
        warned: those at or above the threshold; right: those of them whose label is 1.
        leavers: the churned by whole weeks since their last order; caught: those of them who were warned about.
    """

    asked: Count = 0
    churned: Count = 0
    warned: Count = 0
    right: Count = 0
    leavers: ByWeek = msgspec.field(default_factory=_zeros)
    caught: ByWeek = msgspec.field(default_factory=_zeros)

    def update(
        self, warned: NDArray[np.bool_], labels: NDArray[np.int64], silence_days: NDArray[np.float64] | None
    ) -> None:
        """Count examples (n): whether each was warned about, what came, and days since the last order where known."""
        left = labels == 1
        right = warned & left
        self.asked += labels.size
        self.churned += int(left.sum())
        self.warned += int(warned.sum())
        self.right += int(right.sum())
        if silence_days is not None:
            weeks = np.clip(silence_days // WEEK_DAYS, 0, WEEKS - 1).astype(np.int64)
            self.leavers = _added(self.leavers, weeks[left])
            self.caught = _added(self.caught, weeks[right])

    def merge(self, other: Alarms) -> None:
        """Add the counts of another set."""
        self.asked += other.asked
        self.churned += other.churned
        self.warned += other.warned
        self.right += other.right
        self.leavers = [a + b for a, b in zip(self.leavers, other.leavers, strict=True)]
        self.caught = [a + b for a, b in zip(self.caught, other.caught, strict=True)]

    def figures(self, horizon_days: int) -> dict[str, float]:
        """Return what is defined of `alarm_share`, `alarm_precision`, `alarm_recall` and `lead_days`."""
        figures = {}
        if self.asked:
            figures["alarm_share"] = self.warned / self.asked
        if self.warned:
            figures["alarm_precision"] = self.right / self.warned
        if self.churned:
            figures["alarm_recall"] = self.right / self.churned
        silence_days = self.silence_days()
        if silence_days is not None:
            figures["lead_days"] = max(0.0, horizon_days - silence_days)
        return figures

    def silence_days(self) -> float | None:
        """Return the silence after which half of the leavers who are ever warned about were; None while unknown.

        >>> Alarms(leavers=[100] * 14, caught=[0, 20, 40, 60, 80] + [80] * 9).silence_days()
        21.0
        """
        shares, reached = [], 0.0
        for caught, leavers in zip(self.caught, self.leavers, strict=True):
            if leavers >= LEAVERS_MIN:
                reached = max(reached, caught / leavers)
            shares.append(reached)
        if not reached:
            return None
        week = next(place for place, share in enumerate(shares) if 2.0 * share >= reached)
        before = shares[week - 1] if week else 0.0
        return WEEK_DAYS * (week + (0.5 * reached - before) / (shares[week] - before))


def _added(counts: list[int], weeks: NDArray[np.int64]) -> list[int]:
    more: list[int] = np.bincount(weeks, minlength=WEEKS).tolist()
    return [a + b for a, b in zip(counts, more, strict=True)]
