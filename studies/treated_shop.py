"""The shop of `studies.treated`: customers who stay, fade and are gone, week by week, and what a treatment does to them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

HORIZON: Final = 9
ACTIVE: Final = 13
"""Weeks: churned means no order for so long; asked about is who has ordered within so many."""

FADING: Final = 4
"""Weeks in which one who leaves still orders, less and less."""

LATE: Final = 6
"""Weeks after which nobody can be saved any more."""

SAVED: Final = 0.5
GIFT: Final = 0.15
"""A treated customer who would have stayed orders at once with this chance: the offer, not the loyalty."""

NAMES: Final = (
    "silence",
    "orders_4w",
    "orders_13w",
    "orders",
    "gap",
    "silence_by_gap",
    "logins_4w",
    "logins_before",
    "tenure",
)


class Shop:
    """Customers, week by week, drawn from a seed; `orders` and `logins` are (customers, weeks)."""

    def __init__(self, seed: int, customers: int, weeks: int) -> None:
        self._chance = np.random.default_rng(seed)
        self.orders = np.zeros((customers, weeks))
        self.logins = np.zeros((customers, weeks))
        self.born = np.zeros(customers, dtype=np.int64)
        self.fading = np.zeros(customers, dtype=np.int64)
        self.gifts = np.zeros(customers, dtype=bool)
        self._rate = np.zeros(customers)
        self._visits = np.zeros(customers)
        self._hazard = np.zeros(customers)
        self._arrive(np.ones(customers, dtype=bool), 0)

    def _arrive(self, new: Flags, week: int) -> None:
        count = int(new.sum())
        self._rate[new] = self._chance.gamma(1.5, 0.2, count)
        self._visits[new] = self._chance.gamma(2.0, 0.8, count)
        self._hazard[new] = self._chance.beta(1.0, 25.0, count)
        self.born[new], self.fading[new] = week, 0
        self.orders[new, :week], self.logins[new, :week] = 0.0, 0.0
        self.orders[new, week] = 1.0

    def pass_week(self, week: int) -> None:
        """Let a week happen."""
        going = self._chance.random(self.born.size) < self._hazard
        self.fading = np.where(self.fading > 0, self.fading + 1, going.astype(np.int64))
        pace = np.select([self.fading == 0, self.fading <= FADING], [1.0, 0.4], 0.0)
        self.orders[:, week] = self._chance.poisson(self._rate * pace) + self.gifts
        self.logins[:, week] = self._chance.poisson(
            self._visits * np.select([self.fading == 0, self.fading <= FADING], [1.0, 0.3], 0.0)
        )
        self.gifts[:] = False
        self._arrive(self.silence(week) > ACTIVE + HORIZON, week)

    def silence(self, week: int) -> NDArray[np.int64]:
        """Return whole weeks since the last order."""
        seen = self.orders[:, : week + 1][:, ::-1] > 0
        return np.where(seen.any(axis=1), seen.argmax(axis=1), week + 1)

    def treat(self, who: Flags) -> None:
        """Do something for customers: some of those who fade stay, some who would have stayed take the gift."""
        drawn = self._chance.random(who.size)
        saved = who & (self.fading > 0) & (self.fading <= LATE) & (drawn < SAVED)
        self.fading[saved] = 0
        self.gifts |= saved | (who & (self.fading == 0) & (drawn < GIFT))

    def vectors(self, week: int) -> Floats:
        """Return the features at the end of a week: (customers, features)."""
        silence = self.silence(week).astype(np.float64)
        upto = slice(0, week + 1)
        orders = (self.orders[:, upto] > 0).sum(axis=1)
        tenure = (week - self.born).astype(np.float64)
        gap = (tenure - silence) / np.maximum(orders - 1, 1)
        gap = np.where(orders > 1, gap, 13.0)
        columns = (
            silence,
            self._sum(self.orders, week, 4),
            self._sum(self.orders, week, 13),
            orders,
            gap,
            silence / np.maximum(gap, 0.5),
            self._sum(self.logins, week, 4),
            self._sum(self.logins, week - 4, 4),
            tenure,
        )
        return np.column_stack(columns)

    @staticmethod
    def _sum(counts: Floats, week: int, weeks: int) -> Floats:
        found: Floats = counts[:, max(week + 1 - weeks, 0) : max(week + 1, 0)].sum(axis=1)
        return found

    def left(self, week: int) -> NDArray[np.int64]:
        """Return who has not ordered in the horizon after a week: 1, else 0."""
        silent: NDArray[np.int64] = (self.orders[:, week + 1 : week + 1 + HORIZON].sum(axis=1) == 0).astype(np.int64)
        return silent
