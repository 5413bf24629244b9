"""Numbers and spells of silence in words, for people."""

from __future__ import annotations


def number(value: float) -> str:
    """Return a number as people write it: whole, or with one digit, or two where it is small.

    >>> number(3.0), number(12.345), number(0.256)
    ('3', '12.3', '0.26')
    """
    digits = 2 if abs(value) < 1 else 1
    rounded = round(value, digits) + 0.0  # turns -0.0 into 0.0
    return f"{rounded:.{digits}f}".rstrip("0").rstrip(".")


def counted(value: float, noun: str, nouns: str | None = None) -> str:
    """Return a number with its noun.

    >>> counted(1, "order"), counted(0, "order"), counted(2.5, "day")
    ('1 order', 'no orders', '2.5 days')
    """
    several = nouns or f"{noun}s"
    if value == 0:
        return f"no {several}"
    return f"{number(value)} {noun if value == 1 else several}"


def silence(days: float, usual_days: float | None, sign: str = "order") -> str:
    """Return how long it has been since the last sign of life, and what is usual.

    >>> silence(34.2, 9.0), silence(0.4, None)
    ('No order for 34 days; usually every 9 days', 'Last order within a day')
    >>> silence(8.0, 40.0)
    'One order every 40 days, the last 8 days ago'
    """
    whole = float(int(days))
    ago = f"{counted(whole, 'day')} ago" if whole else "within a day"
    if not usual_days:
        return f"No {sign} for {counted(whole, 'day')}" if whole else f"Last {sign} {ago}"
    usual = f"every {counted(max(float(round(usual_days)), 1.0), 'day')}"
    if days <= usual_days:
        return f"One {sign} {usual}, the last {ago}"
    return f"No {sign} for {counted(whole, 'day')}; usually {usual}"


def rose(before: float, now: float, days: float) -> str:
    """Return from what to what a risk has risen, and how soon.

    >>> rose(0.214, 0.46, 7.2), rose(0.4, 0.55, 0.3)
    ('risk up from 0.21 to 0.46 in 7 days', 'risk up from 0.40 to 0.55 within a day')
    """
    whole = float(int(days))
    span = f"in {counted(whole, 'day')}" if whole else "within a day"
    return f"risk up from {before:.2f} to {now:.2f} {span}"
