"""The days of `dim_date`, without gaps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from bi.rows import Row

FIRST: Final = date(1990, 1, 1)
LAST: Final = date(2049, 12, 31)
SATURDAY: Final = 6


def dates(first: date = FIRST, last: date = LAST) -> Iterator[Row]:
    """Yield a row for each day from `first` to `last`.

    >>> next(dates()).cells["week"]
    datetime.date(1990, 1, 1)
    """
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        yield Row(
            "dim_date",
            {
                "day": day,
                "week": day - timedelta(days=day.isoweekday() - 1),
                "month": day.replace(day=1),
                "quarter": day.replace(month=day.month - (day.month - 1) % 3, day=1),
                "year": day.year,
                "month_number": day.month,
                "day_of_month": day.day,
                "weekday": day.isoweekday(),
                "weekend": day.isoweekday() >= SATURDAY,
            },
        )
