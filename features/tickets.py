"""Support tickets of one customer: each is the sorted list of what happened to it.

When a ticket was opened, whether it is open at an instant and how long it took follow from the list alone, so events
may come in any order, and an instant in the past gives what it would have given then. An event is one integer: its
time above, and in the low 14 bits status, category, severity and satisfaction.
"""

from bisect import insort
from hashlib import blake2b
from operator import attrgetter
from typing import Annotated, Final

import msgspec

from features.tiles import tenths
from streams.events import Ticket as TicketEvent
from streams.time import INSTANT_MAX_MS

TICKETS_MAX: Final = 64
"""Tickets kept per customer; beyond, the oldest resolved one goes first."""

EVENTS_MAX: Final = 16
"""Events kept per ticket: the first, which opened it, and the latest."""

_STATUSES: Final = {"opened": 0, "reopened": 1, "updated": 2, "resolved": 3}
"""In the order in which they follow one another where two events bear the same time."""
_UPDATED, _RESOLVED = _STATUSES["updated"], _STATUSES["resolved"]
_NAMES: Final = ("none", "billing", "delivery", "product", "service", "account", "return", "cancellation", "other")
CATEGORIES: Final = {name: code for code, name in enumerate(_NAMES)}
SEVERITIES: Final = {"none": 0, "low": 1, "normal": 2, "high": 3}
_SHIFT: Final = 14
_WHAT: Final = (1 << _SHIFT) - 1
_PACKED_MAX: Final = (INSTANT_MAX_MS + 1 << _SHIFT) - 1


class Ticket(msgspec.Struct, array_like=True, gc=False):
    """One ticket. `key` is a 64-bit digest of its id, `events` ascending in time (see `pack`)."""

    key: int
    events: Annotated[list[Annotated[int, msgspec.Meta(ge=0, le=_PACKED_MAX)]], msgspec.Meta(min_length=1)]


class Standing(msgspec.Struct, frozen=True, gc=False):
    """A ticket as of an instant. `closed_ms` is None while it is open; category 0, severity 0, stars 0: none stated."""

    opened_ms: int
    last_ms: int
    closed_ms: int | None = None
    category: int = 0
    severity: int = 0
    star_tenths: int = 0


_KEY = attrgetter("key")


def pack(event: TicketEvent) -> int:
    """`event` as one integer: milliseconds, 2 bits status, 4 category, 2 severity, 6 satisfaction in tenths."""
    what = _STATUSES[event.status] << 12 | CATEGORIES[event.category or "none"] << 8
    return (
        event.occurred_at << _SHIFT | what | SEVERITIES[event.severity or "none"] << 6 | tenths(event.satisfaction or 0)
    )


def record(tickets: list[Ticket], event: TicketEvent) -> None:
    """Add `event` to its ticket in `tickets`, which stay sorted by key and within their bounds."""
    key = int.from_bytes(blake2b(event.ticket_id.encode(), digest_size=8).digest(), "big")
    packed = pack(event)
    for ticket in tickets:
        if ticket.key == key:
            insort(ticket.events, packed)
            if len(ticket.events) > EVENTS_MAX:
                del ticket.events[1]
            return
    insort(tickets, Ticket(key, [packed]), key=_KEY)
    if len(tickets) > TICKETS_MAX:
        tickets.remove(min(tickets, key=_worth))


def standing(ticket: Ticket, end_ms: int) -> Standing | None:
    """`ticket` as of `end_ms`, from the events before it; None if there is none.

    A resolved ticket is open again after `opened` or `reopened`; an update changes nothing but what it states.
    """
    end, events = end_ms << _SHIFT, ticket.events
    if events[0] >= end:
        return None
    opened_ms = last_ms = events[0] >> _SHIFT
    closed_ms, category, severity, star_tenths = None, 0, 0, 0
    for event in events:
        if event >= end:
            break
        last_ms, what = event >> _SHIFT, event & _WHAT
        status = what >> 12
        if status == _RESOLVED:
            closed_ms = last_ms
        elif status != _UPDATED:
            closed_ms = None
        category = what >> 8 & 15 or category
        if what >> 6 & 3 > severity:
            severity = what >> 6 & 3
        star_tenths = what & 63 or star_tenths
    return Standing(opened_ms, last_ms, closed_ms, category, severity, star_tenths)


def forget_before(tickets: list[Ticket], ms: int) -> None:
    """Drop the tickets on which nothing has happened since `ms`."""
    first = ms << _SHIFT
    if any(ticket.events[-1] < first for ticket in tickets):
        tickets[:] = [ticket for ticket in tickets if ticket.events[-1] >= first]


def any_between(tickets: list[Ticket], first_ms: int, end_ms: int) -> bool:
    """Whether something happened to a ticket in [first_ms, end_ms)."""
    first, end = first_ms << _SHIFT, end_ms << _SHIFT
    return any(first <= event < end for ticket in tickets for event in ticket.events)


def _worth(ticket: Ticket) -> tuple[bool, int]:
    """Sorts the ticket to drop first to the front: resolved ones, the oldest of them."""
    changes = [status for event in ticket.events if (status := event >> 12 & 3) != _UPDATED]
    return not changes or changes[-1] != _RESOLVED, ticket.events[0]
