"""Windows over tickets: counts by category, what is open, and how long answers take, as of the end of a day."""

from typing import Final

from features.catalog import CATALOG, INDEX
from features.tickets import CATEGORIES, SEVERITIES, Ticket, standing
from features.tiles import WINDOW_DAYS_MAX
from streams.time import DAY_MS

SLOW_DAYS: Final = 3
"""A ticket that takes or has been open for longer is slow."""

_SLOW_MS: Final = SLOW_DAYS * DAY_MS
_BILLING: Final = CATEGORIES["billing"]
_LEAVING: Final = CATEGORIES["cancellation"]
_PRODUCT: Final = (CATEGORIES["product"], CATEGORIES["return"])
_HIGH: Final = SEVERITIES["high"]
_SATISFACTION: Final = float(CATALOG[INDEX["satisfaction_90d"]].default)


def ticket_figures(tickets: list[Ticket], end_day: int) -> tuple[float, ...]:
    """The values of `TICKETS` from `tickets`, in any order, as of the midnight at which `end_day` begins.

    A window of n days counts by when a ticket was opened; what is open, answers and satisfaction by the last that happened to it.
    An open ticket counts until nothing has happened to it for the longest window: somebody forgot to close it.
    """
    end_ms = end_day * DAY_MS
    from_30_ms, from_90_ms, from_180_ms = end_ms - 30 * DAY_MS, end_ms - 90 * DAY_MS, end_ms - WINDOW_DAYS_MAX * DAY_MS
    oldest_ms = end_ms  # when the oldest of the open ones was opened
    opened_30 = opened_90 = slow = severe = billing = product = leaving = 0
    still = resolved = resolving_ms = rated = star_tenths = 0
    for ticket in tickets:
        found = standing(ticket, end_ms)
        if found is None:
            continue
        opened_ms, closed_ms = found.opened_ms, found.closed_ms
        if opened_ms >= from_90_ms:
            category = found.category
            opened_90 += 1
            opened_30 += opened_ms >= from_30_ms
            slow += (end_ms if closed_ms is None else closed_ms) - opened_ms > _SLOW_MS
            severe += found.severity == _HIGH
            billing += category == _BILLING
            product += category in _PRODUCT
            leaving += category == _LEAVING
        last_ms = found.last_ms
        if last_ms >= from_180_ms:
            if closed_ms is None:
                still += 1
                if opened_ms < oldest_ms:
                    oldest_ms = opened_ms
            elif closed_ms >= from_90_ms:
                resolved += 1
                resolving_ms += closed_ms - opened_ms
            if found.star_tenths and last_ms >= from_90_ms:
                rated += 1
                star_tenths += found.star_tenths
    return (
        float(opened_30),
        float(opened_90),
        float(still),
        (end_ms - oldest_ms) / DAY_MS,
        float(slow),
        resolving_ms / resolved / DAY_MS if resolved else 0.0,
        float(severe),
        star_tenths / rated / 10 if rated else _SATISFACTION,
        float(billing),
        float(product),
        float(leaving),
    )
