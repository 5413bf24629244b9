"""From what messages say to what a database can hold: exact decimals, instants in UTC, text without what PostgreSQL refuses.

What cannot be held at all raises `Corrupt`: the message is passed over, and the next one has its turn.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from streams.errors import Corrupt
from streams.time import DAY_MS

DIGITS: Final = Decimal("0.0001")
DECIMAL_MAX: Final = 9e13
"""Eighteen digits with the four after the point: FineBI takes exact numbers of more than nineteen for text."""

WHOLE_MAX: Final = 2**63 - 1
KEY_CHARS_MAX: Final = 256
TEXT_CHARS_MAX: Final = 4_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MIN_MS: Final = -2_208_988_800_000
_MAX_MS: Final = 253_402_300_799_999
"""Years 1900 to 9999: what every tool behind can show."""


def text(value: str | None, chars_max: int = TEXT_CHARS_MAX) -> str | None:
    r"""Return the text as a database can hold it: what is no character (NUL, half a surrogate pair) is replaced, what is too long cut.

    >>> text("a\x00b"), text("long", 2), text(None)
    ('a�b', 'lo', None)
    """
    if value is None:
        return None
    if "\x00" in value or not value.isascii():
        value = value.replace("\x00", "�").encode("utf-8", "replace").decode()
    return value[:chars_max]


def name(value: str) -> str:
    """Return an id; raises Corrupt where it is empty, or longer than an index takes."""
    if not 0 < len(value) <= KEY_CHARS_MAX:
        raise Corrupt(f"an id has {len(value)} characters, 1 to {KEY_CHARS_MAX} are allowed")
    return text(value) or ""


def decimal(value: float | None) -> Decimal | None:
    """Return an exact number of four digits after the point; raises Corrupt for what is none.

    >>> decimal(0.1), decimal(12), decimal(None)
    (Decimal('0.1000'), Decimal('12.0000'), None)
    """
    if value is None:
        return None
    if not math.isfinite(value) or abs(value) > DECIMAL_MAX:
        raise Corrupt(f"{value} is no amount that a table could hold")
    return Decimal(repr(value)).quantize(DIGITS, ROUND_HALF_EVEN)


def whole(value: int) -> int:
    """Return a whole number; raises Corrupt where it has more than 63 bits."""
    if abs(value) > WHOLE_MAX:
        raise Corrupt("a whole number is too large")
    return value


def instant(at_ms: int) -> datetime:
    """Return an instant, of milliseconds; raises Corrupt for one before 1900.

    >>> instant(1_500).isoformat()
    '1970-01-01T00:00:01.500000+00:00'
    """
    if not _MIN_MS <= at_ms <= _MAX_MS:
        raise Corrupt(f"{at_ms} ms is no time that a table could hold: 1900 to 9999")
    return _EPOCH + timedelta(milliseconds=at_ms)


def day(at_ms: int) -> date:
    """Return the UTC day of an instant."""
    return instant(at_ms).date()


def day_of(number: int) -> date:
    """Return the day of a UTC day number.

    >>> day_of(1)
    datetime.date(1970, 1, 2)
    """
    return day(number * DAY_MS)
