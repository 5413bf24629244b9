"""Cohorts: customers told apart by when they first ordered, the latest finely, the earlier ones coarsely.

    first ordered in                                      cohort
    this quarter or one of the three before               the month     1998-05
    else this year or one of the two before               the quarter   1997-Q3
    else one of the three years before those              the year      1994
    earlier still                                         `earlier`

So there are never more than `COHORTS_MAX`, however long a shop has been open. As time goes on months fold into quarters and
quarters into years (`fold`), so figures booked at different times can be added up by the cohorts of the last of them.
"""

from __future__ import annotations

from datetime import date
from typing import Final

COHORTS_MAX: Final = 24
EARLIER: Final = "earlier"
NONE: Final = "none"
"""Has not ordered yet."""

_EPOCH: Final = date(1970, 1, 1).toordinal()


def cohort_of(first_day: int | None, at_day: int) -> str:
    """Return the cohort, as of a UTC day, of a customer who first ordered on another; None: has not ordered.

    >>> cohort_of(10_000, 10_100), cohort_of(10_000, 10_500), cohort_of(10_000, 11_500), cohort_of(None, 10_000)
    ('1997-05', '1997-Q2', '1997', 'none')
    """
    if first_day is None:
        return NONE
    first, now = date.fromordinal(first_day + _EPOCH), date.fromordinal(at_day + _EPOCH)
    return _cohort(first.year, _quarter(first.month), first.month, now.year, _quarter(now.month))


def fold(cohort: str, month: str) -> str:
    """Return the cohort, as of a month (`1998-05`), that one booked earlier has become a part of.

    >>> fold("1997-05", "1998-02"), fold("1997-05", "1998-05"), fold("1997-Q2", "2000-01"), fold("earlier", "2000-01")
    ('1997-05', '1997-Q2', '1997', 'earlier')
    """
    year, _, part = cohort.partition("-")
    if not year.isdecimal():
        return cohort
    first_month = int(part) if part.isdecimal() else 0
    quarter = int(part[1:]) if part.startswith("Q") else _quarter(first_month) if first_month else 0
    return _cohort(int(year), quarter, first_month, int(month[:4]), _quarter(int(month[5:7])))


def _cohort(year: int, quarter: int, month: int, now_year: int, now_quarter: int) -> str:
    """A month or quarter of 0 is one that was folded away already."""
    if month and 4 * (now_year - year) + now_quarter - quarter < 4:
        return f"{year}-{month:02d}"
    if quarter and now_year - year <= 2:
        return f"{year}-Q{quarter}"
    return str(year) if now_year - year <= 5 else EARLIER


def _quarter(month: int) -> int:
    return (month + 2) // 3
