"""Event time: integer milliseconds since the epoch, UTC days as integers, and how both are written.

Inside Churnwatch an instant is always an `int` of milliseconds (`…_ms`), a day an `int` counted from 1970-01-01 UTC (`…_day`).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

SECOND_MS: Final = 1_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000

INSTANT_MIN_MS: Final = 0
INSTANT_MAX_MS: Final = 253_402_300_799_999
"""The last millisecond of the year 9999, where the calendar of `datetime` ends."""

# The hour is held to 23 here because later Pythons read 24:00 as the next midnight, which RFC 3339 does not know.
RFC_3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ](?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)
"""How an instant is written in text: the offset is not optional, nor are the seconds."""

DAYS_KEPT_MAX: Final = 4_096

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_UNITS_MS: Final = {"ms": 1, "s": SECOND_MS, "m": 60 * SECOND_MS, "h": HOUR_MS, "d": DAY_MS}
SPAN_MS_MAX: Final = 1_000_000 * DAY_MS
_DURATION: Final = re.compile(r"(\d{1,12})\s*(ms|s|m|h|d)", re.ASCII)


# What an instant in UTC to the second or the millisecond is the sum of. The days are those seen of late.
_days_ms: Final[dict[str, int]] = {}
_MINUTES_MS: Final = {f"{n // 60:02}:{n % 60:02}": n * 60_000 for n in range(24 * 60)}
_SECONDS_MS: Final = {f":{n:02}": n * SECOND_MS for n in range(60)}
_FRACTIONS_MS: Final = {"Z": 0} | {f".{n:03}Z": n for n in range(1000)}


def day_of(instant_ms: int) -> int:
    """Return the UTC day of an instant.

    >>> day_of(86_400_000), day_of(86_399_999)
    (1, 0)
    """
    return instant_ms // DAY_MS


def day_start(day: int) -> int:
    """Return the midnight that a UTC day begins with, in epoch milliseconds."""
    return day * DAY_MS


def iso(instant_ms: int) -> str:
    """Write an instant as RFC 3339 in UTC; milliseconds only where there are any.

    >>> iso(852_120_000_000), iso(1)
    ('1997-01-01T12:00:00Z', '1970-01-01T00:00:00.001Z')
    """
    at = _EPOCH + instant_ms * _MILLISECOND
    return at.replace(tzinfo=None).isoformat(timespec="milliseconds" if instant_ms % SECOND_MS else "seconds") + "Z"


def parse_instant(value: str | int) -> int:
    """Read an instant: RFC 3339 with an offset, or integer epoch milliseconds. Fractions below a millisecond are cut off.

    Raises ValueError for anything else: a time without an offset means another instant on every machine.

    >>> parse_instant("1997-01-01T13:00:00+01:00")
    852120000000
    """
    if type(value) is str:
        try:
            return (
                _days_ms[value[:11]] + _MINUTES_MS[value[11:16]] + _SECONDS_MS[value[16:19]] + _FRACTIONS_MS[value[19:]]
            )
        except KeyError:
            value = _instant_in_text(value)
    if type(value) is not int:  # a bool is not one either
        raise ValueError("an instant is RFC 3339 text with an offset, or integer epoch milliseconds")
    if not INSTANT_MIN_MS <= value <= INSTANT_MAX_MS:
        raise ValueError("an instant lies between the years 1970 and 9999")
    return value


def _instant_in_text(text: str) -> int:
    if RFC_3339.fullmatch(text) is None:
        raise ValueError("an instant in text is RFC 3339 with an offset, such as 2026-03-01T12:00:00Z")
    try:
        instant_ms = (datetime.fromisoformat(text.upper()) - _EPOCH) // _MILLISECOND
        midnight_ms = (datetime.fromisoformat(text[:10] + "T00:00:00Z") - _EPOCH) // _MILLISECOND
    except ValueError as error:
        raise ValueError("this instant is not on the calendar or the clock") from error
    if midnight_ms >= INSTANT_MIN_MS:
        if len(_days_ms) >= DAYS_KEPT_MAX:
            _days_ms.clear()
        _days_ms[text[:10] + "T"] = midnight_ms
    return instant_ms


def parse_duration(text: str) -> int:
    """Read a span of time with its unit (ms, s, m, h, d) as milliseconds; raises ValueError for anything else.

    >>> parse_duration("60d") == 60 * DAY_MS, parse_duration("250ms")
    (True, 250)
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError("a span of time is a whole number and a unit, such as 60d, 1h, 30m, 15s or 250ms")
    span_ms = int(match[1]) * _UNITS_MS[match[2]]
    if span_ms > SPAN_MS_MAX:
        raise ValueError(f"a span of time is {SPAN_MS_MAX // DAY_MS} days at most")
    return span_ms
