"""Windows over tickets: counts by category, what is open, and how long answers take, as of the end of a day."""

from typing import Final

import msgspec

from features.tickets import CATEGORIES, SEVERITIES, Standing, Ticket, standing
from features.tiles import WINDOW_DAYS_MAX
from streams.time import DAY_MS

SLOW_DAYS: Final = 3
"""A ticket that takes or has been open for longer is slow."""

_BILLING: Final = CATEGORIES["billing"]
_LEAVING: Final = CATEGORIES["cancellation"]
_PRODUCT: Final = (CATEGORIES["product"], CATEGORIES["return"])
_HIGH: Final = SEVERITIES["high"]


class TicketSums(msgspec.Struct, gc=False):
    """Tickets as of an instant; a window of n days counts by when a ticket was opened unless it says otherwise."""

    opened_30: int = 0
    opened_90: int = 0
    slow_90: int = 0
    severe_90: int = 0
    billing_90: int = 0
    product_90: int = 0
    leaving_90: int = 0
    open_now: int = 0
    oldest_open_ms: int = 0
    resolved_90: int = 0
    resolving_ms_90: int = 0
    rated_90: int = 0
    star_tenths_90: int = 0


def ticket_sums(tickets: list[Ticket], end_ms: int) -> TicketSums:
    """Sum `tickets` as of `end_ms`, in any order."""
    sums = TicketSums()
    for ticket in tickets:
        found = standing(ticket, end_ms)
        if found is None:
            continue
        if found.opened_ms >= end_ms - 90 * DAY_MS:
            _add_opened(sums, found, end_ms)
        if found.last_ms >= end_ms - WINDOW_DAYS_MAX * DAY_MS:
            _add_standing(sums, found, end_ms)
    return sums


def _add_opened(sums: TicketSums, found: Standing, end_ms: int) -> None:
    taken_ms = (end_ms if found.closed_ms is None else found.closed_ms) - found.opened_ms
    sums.opened_90 += 1
    sums.opened_30 += found.opened_ms >= end_ms - 30 * DAY_MS
    sums.slow_90 += taken_ms > SLOW_DAYS * DAY_MS
    sums.severe_90 += found.severity == _HIGH
    sums.billing_90 += found.category == _BILLING
    sums.product_90 += found.category in _PRODUCT
    sums.leaving_90 += found.category == _LEAVING


def _add_standing(sums: TicketSums, found: Standing, end_ms: int) -> None:
    """An open ticket counts until nothing has happened to it for the longest window: somebody forgot to close it."""
    if found.closed_ms is None:
        sums.open_now += 1
        sums.oldest_open_ms = max(sums.oldest_open_ms, end_ms - found.opened_ms)
    elif found.closed_ms >= end_ms - 90 * DAY_MS:
        sums.resolved_90 += 1
        sums.resolving_ms_90 += found.closed_ms - found.opened_ms
    if found.star_tenths and found.last_ms >= end_ms - 90 * DAY_MS:
        sums.rated_90 += 1
        sums.star_tenths_90 += found.star_tenths
