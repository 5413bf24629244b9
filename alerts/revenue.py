"""Expected revenue: what the active customers of the latest weekly look are expected to spend, with and without those at risk.

    with        all of them
    without     those of whom nobody is warned about: as if all the others were lost

Each counts with the expected spend, the chance that they have left already counted in (`value`), so what the two differ by is what
is really at stake. Active customers are those that the model is asked about: with an order within the active days. Others may
come back and new ones will come; neither are in these figures. A span shorter than the year gets its part of the year's spend.
"""

from __future__ import annotations

from typing import Final

import msgspec

from alerts.ledger import Ledger
from alerts.segments import SEGMENTS

YEAR_DAYS: Final = 365
HORIZONS_DAYS: Final = (90, 365)
"""The next 3 and 12 months."""


class Expected(msgspec.Struct):
    """Sums of one group at one look; money in hundredths a year.

    Attributes:
        safe, open: customers without and with an open episode.
        safe_year, open_year: their expected spend of 365 days.
    """

    safe: int = 0
    open: int = 0
    safe_year: int = 0
    open_year: int = 0

    def everybody(self, days: int) -> float:
        """Expected revenue of the next days with the customers at risk, in units of money."""
        return (self.safe_year + self.open_year) / 100 * days / YEAR_DAYS

    def without(self, days: int) -> float:
        """Likewise, without them."""
        return self.safe_year / 100 * days / YEAR_DAYS


class Revenue(msgspec.Struct, frozen=True):
    """Expected revenue as of a UTC day, by segment and in all."""

    day: int
    segments: dict[str, Expected]
    whole: Expected


def expected_revenue(ledger: Ledger) -> Revenue | None:
    """Return what was seen at the latest weekly look; None before the first one.

    A look under way, at which fewer than half as many customers were seen as at the one before, is passed over.
    """
    days: dict[int, dict[str, Expected]] = {}
    for month in sorted(ledger.months)[-2:]:  # one look may stand in the month before
        for key, amount in ledger.months[month].items():
            match key.split("|"):
                case ["kpi_expected", seen, segment, ("safe" | "open") as state, figure] if seen.isdecimal():
                    found = days.setdefault(int(seen), {}).setdefault(segment, Expected())
                    field = state if figure == "customers" else f"{state}_{figure}"
                    if field in Expected.__struct_fields__:
                        setattr(found, field, getattr(found, field) + amount)
    if not days:
        return None
    day, *before = sorted(days, reverse=True)
    if before and 2 * _customers(days[day]) < _customers(days[before[0]]):
        day = before[0]
    segments = {segment: days[day].get(segment, Expected()) for segment in SEGMENTS}
    return Revenue(day, segments, _sum(days[day]))


def _customers(groups: dict[str, Expected]) -> int:
    return sum(found.safe + found.open for found in groups.values())


def _sum(groups: dict[str, Expected]) -> Expected:
    fields = Expected.__struct_fields__
    return Expected(**{field: sum(getattr(found, field) for found in groups.values()) for field in fields})
