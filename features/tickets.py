"""Support tickets of one customer: each is the sorted list of what happened to it.

When a ticket was opened, whether it is open at an instant and how long it took follow from the list alone, so events
may come in any order, and an instant in the past gives what it would have given then. An event is one integer: its
time above, and in the low 11 bits status, category, severity and satisfaction.
"""

from bisect import insort
from hashlib import blake2b
from typing import Final

import msgspec

from streams.events import Ticket as TicketEvent

TICKETS_MAX: Final = 64
"""Tickets kept per customer; beyond, the oldest resolved one goes first."""

EVENTS_MAX: Final = 16
"""Events kept per ticket: the first, which opened it, and the latest."""

SHIFT: Final = 11
STATUS_CODES: Final = {"opened": 0, "reopened": 1, "updated": 2, "resolved": 3}
"""Sorted as they follow one another where two events bear the same time."""

CATEGORIES: Final = ("none", "billing", "delivery", "product", "service", "account", "return", "cancellation", "other")
SEVERITIES: Final = ("none", "low", "normal", "high")
_CATEGORY_CODES: Final = {name: code for code, name in enumerate(CATEGORIES)}
_SEVERITY_CODES: Final = {name: code for code, name in enumerate(SEVERITIES)}


class Ticket(msgspec.Struct, array_like=True, gc=False):
    """One ticket. `key` is a 64-bit digest of its id, `events` ascending in time (see `pack`)."""

    key: int
    events: list[int]


def pack(event: TicketEvent) -> int:
    """`event` as one integer: milliseconds, 2 bits status, 4 category, 2 severity, 3 satisfaction (0: not stated)."""
    detail = _CATEGORY_CODES[event.category or "none"] << 5 | _SEVERITY_CODES[event.severity or "none"] << 3
    return event.occurred_at << SHIFT | STATUS_CODES[event.status] << 9 | detail | int(event.satisfaction or 0)


def is_resolved(packed: list[int]) -> bool:
    """Whether the last change of status among events in time order is `resolved`; an update changes nothing."""
    for event in reversed(packed):
        status = event >> 9 & 3
        if status != STATUS_CODES["updated"]:
            return status == STATUS_CODES["resolved"]
    return False


def record(tickets: list[Ticket], event: TicketEvent) -> None:
    """Add `event` to its ticket in `tickets`, which stay sorted by key and within their bounds."""
    key = int.from_bytes(blake2b(event.ticket_id.encode(), digest_size=8).digest())
    packed = pack(event)
    for ticket in tickets:
        if ticket.key == key:
            insort(ticket.events, packed)
            if len(ticket.events) > EVENTS_MAX:
                del ticket.events[1]
            return
    insort(tickets, Ticket(key, [packed]), key=lambda ticket: ticket.key)
    if len(tickets) > TICKETS_MAX:
        tickets.remove(min(tickets, key=lambda ticket: (not is_resolved(ticket.events), ticket.events[0])))


def forget_before(tickets: list[Ticket], ms: int) -> None:
    """Drop the tickets on which nothing has happened since `ms`."""
    first = ms << SHIFT
    if any(ticket.events[-1] < first for ticket in tickets):
        tickets[:] = [ticket for ticket in tickets if ticket.events[-1] >= first]


def any_between(tickets: list[Ticket], first_ms: int, end_ms: int) -> bool:
    """Whether something happened to a ticket in [first_ms, end_ms)."""
    first, end = first_ms << SHIFT, end_ms << SHIFT
    return any(first <= event < end for ticket in tickets for event in ticket.events)
