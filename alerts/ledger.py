"""The ledger: what alerts came to, as counts by month, summed over all partitions by the one learner.

Workers book entries with the day on which they happened (`StatsBuilder.book`); they travel with the examples, like the counts
behind the budget. Entries are whole numbers (money in hundredths), so neither partitions nor interleaving matter. An entry's
key is made of a name and what it is told by: `opened|loyal|price`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from alerts.budget import BudgetKeeper
from alerts.counts import counts_in
from alerts.heard import Heard
from alerts.play_sums import PlaySums
from alerts.policy import Policy
from alerts.value_fit import BuyingKeeper
from streams.bounds import Tally
from streams.errors import Corrupt
from streams.time import DAY_MS

MONTHS_MAX: Final = 60
KEYS_MAX: Final = 5_000
"""In one month; what is beyond is booked as `OTHER`."""

OTHER: Final = "other"

SUM_MAX: Final = 2**62
"""Sums stop here: MessagePack knows no integer above 64 bits, and a ledger that cannot be written would stop the learner."""


def month_of(day: int) -> str:
    """Return the UTC month of a UTC day.

    >>> month_of(10_000)
    '1997-05'
    """
    return datetime.fromtimestamp(day * DAY_MS // 1000, UTC).strftime("%Y-%m")


class Ledger:
    """Sums by month and key.

    >>> ledger = Ledger()
    >>> ledger.add(10_000, {"opened|loyal": 2}); ledger.add(10_001, {"opened|loyal": 1})
    >>> ledger.months
    {'1997-05': {'opened|loyal': 3}}
    """

    def __init__(self) -> None:
        self.months: dict[str, dict[str, int]] = {}

    def add(self, day: int, entries: Mapping[str, int]) -> None:
        """Add what was booked on a UTC day."""
        if not entries:
            return
        month = self.months.setdefault(month_of(day), {})
        for key, amount in entries.items():
            kept = key if key in month or len(month) < KEYS_MAX else OTHER
            month[kept] = max(-SUM_MAX, min(month.get(kept, 0) + amount, SUM_MAX))
        for oldest in sorted(self.months)[:-MONTHS_MAX]:
            del self.months[oldest]

    def entries(self, name: str, months: Mapping[str, Any] | None = None) -> Iterator[tuple[str, tuple[str, ...], int]]:
        """Give (month, what the name is told by, amount) of each entry of that name; `months`: of these months only."""
        for month, booked in sorted(self.months.items()):
            if months is not None and month not in months:
                continue
            for key, amount in sorted(booked.items()):
                first, *told_by = key.split("|")
                if first == name:
                    yield month, tuple(told_by), amount

    def dump(self) -> object:
        """Return the state as plain data."""
        return {month: dict(sorted(booked.items())) for month, booked in sorted(self.months.items())}

    def load(self, state: Any) -> None:
        """Take back what `dump` returned; raises `Corrupt` where it is something else."""
        try:
            self.months = msgspec.convert(state, dict[str, dict[str, Tally]])
        except msgspec.ValidationError as error:
            raise Corrupt(f"the stored ledger cannot be read ({error}): start the learner anew") from error


class Books:
    """The learner's statistics over all customers (`models.extra.Extra`): the budget's counts, those of actions, and the ledger.

    `plays`: what is summed up about actions, by the playbook's; none where the books are only read.
    """

    def __init__(self, policy: Policy, plays: PlaySums | None = None) -> None:
        self.budget = BudgetKeeper(policy)
        self.ledger = Ledger()
        self.plays = PlaySums() if plays is None else plays
        self.buying = BuyingKeeper()
        self.heard = Heard()

    def absorb(self, source: int, stats: Mapping[int, Any]) -> None:
        """Add what a `StatsBuilder` took; raises `Corrupt` where it is something else."""
        counted = counts_in(source, stats)
        self.budget.add(counted)
        self.buying.add(counted)
        for day, counts in counted.items():
            self.heard.add(day, counts.ledger)
            self.ledger.add(day, self.plays.add(day, counts.ledger))

    def at(self, boundary_ms: int, quality: Mapping[str, float]) -> dict[str, Any]:
        """Return what the budgets say; the ledger is read where it is kept."""
        said = self.budget.at(boundary_ms, quality)
        return said | self.plays.at(boundary_ms) | self.buying.at(boundary_ms) | self.heard.at(boundary_ms)

    def dump(self) -> object:
        """Return the state as plain data."""
        return [self.budget.dump(), self.ledger.dump(), self.plays.dump(), self.buying.dump(), self.heard.dump()]

    def load(self, state: Any) -> None:
        """Take back what `dump` returned; raises `Corrupt` where it is something else."""
        match state:
            case [budget, ledger, *later] if isinstance(budget, list | tuple):
                self.budget.load(budget)
                self.ledger.load(ledger)
                if later:
                    self.plays.load(later[0])
                if len(later) > 1:
                    self.buying.load(later[1])
                if len(later) > 2:
                    self.heard.load(later[2])
            case _:  # written before there was a ledger
                self.budget.load(state)
