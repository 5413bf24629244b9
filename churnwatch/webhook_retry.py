"""What an answer means, and how long to wait before the next attempt.

Whether to try again is decided by what is at fault. Where it is this one alert, as the receiver reads it, no repetition mends it, and the
alerts behind it should not have to wait. Where it is the receiver, its address or our access to it, every other alert would fare the
same: then all of them wait, as they do for a receiver that is away, and nothing is lost meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final, Literal

Verdict = Literal["delivered", "again", "refused"]

REFUSED: Final = frozenset({400, 406, 409, 410, 411, 413, 414, 415, 417, 422, 431, 451})
"""This alert is not wanted. 410 says that none is, for good: trying for hours would be against what it asks for."""

DOUBLINGS_MAX: Final = 32


def verdict(status: int) -> Verdict:
    """Return what an HTTP status means.

    401, 403, 404 and 405 are tried again: a wrong secret or path, or a proxy whose server is being replaced, concerns all alerts and is put
    right from outside. So are redirections, which are not followed: the address has to be changed.

    >>> [verdict(status) for status in (204, 422, 503, 429, 404, 302)]
    ['delivered', 'refused', 'again', 'again', 'again', 'again']
    """
    if 200 <= status < 300:
        return "delivered"
    return "refused" if status in REFUSED else "again"


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential, with full jitter (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/): spans in milliseconds."""

    first_ms: int
    most_ms: int

    def wait_ms(self, failures: int, draw: Callable[[], float], asked_ms: int | None = None) -> int:
        """Return how long to wait after so many failures in a row (from 1 on).

        `draw` gives a number from 0 to 1. `asked_ms` is what the receiver asked for: no less is waited, up to `most_ms`.

        >>> Backoff(1000, 300_000).wait_ms(3, lambda: 0.5), Backoff(1000, 300_000).wait_ms(1, lambda: 0.5, 10_000)
        (2000, 10000)
        """
        ceiling_ms = min(self.most_ms, self.first_ms << min(failures - 1, DOUBLINGS_MAX))
        return max(int(draw() * ceiling_ms), min(asked_ms or 0, self.most_ms))


def retry_after_ms(header: str | None, now_ms: int) -> int | None:
    """Return how long a `Retry-After` asks to wait, given in seconds or as a date; None where it says nothing of use.

    >>> retry_after_ms("120", 0), retry_after_ms("Thu, 01 Jan 1970 00:00:30 GMT", 10_000), retry_after_ms("soon", 0)
    (120000, 20000, None)
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdecimal():
        return int(text[:12]) * 1000
    try:
        at_ms = round(parsedate_to_datetime(text).timestamp() * 1000)
    except (ValueError, OverflowError, TypeError):
        return None
    return max(0, at_ms - now_ms)
