"""What if: a customer's activity as it would be with one thing more, for the question what would bring the risk down.

Nothing given is changed. The event is put into copies of the tiles directly: it has no id, and must not be taken for one that is known.
"""

from __future__ import annotations

from msgspec.structs import replace

from features.state import Activity
from features.tickets import Ticket, pack, standing
from features.tiles import SUM_MAX, LoginTile, OrderTile, tile_on
from streams.events import Ticket as TicketEvent
from streams.time import day_of


def with_order(activity: Activity, at_ms: int) -> Activity:
    """Return the activity with an order of the customer's mean amount at `at_ms`."""
    tiles = [replace(tile) for tile in activity.order_tiles]
    tile = tile_on(tiles, day_of(at_ms), OrderTile)
    mean = activity.amount / activity.orders if activity.orders else 0.0
    tile.orders += 1
    tile.amount = min(tile.amount + int(mean * 1_000), SUM_MAX)
    return replace(activity, order_tiles=tiles, last_order_ms=max(at_ms, activity.last_order_ms or at_ms))


def with_visit(activity: Activity, at_ms: int) -> Activity:
    """Return the activity with a login at `at_ms`."""
    tiles = [replace(tile) for tile in activity.login_tiles]
    tile_on(tiles, day_of(at_ms), LoginTile).logins += 1
    return replace(activity, login_tiles=tiles, last_login_ms=max(at_ms, activity.last_login_ms or at_ms))


def open_tickets(activity: Activity, at_ms: int) -> int:
    """Return how many tickets are open at `at_ms`."""
    return sum(_is_open(ticket, at_ms) for ticket in activity.tickets)


def with_tickets_closed(activity: Activity, at_ms: int) -> Activity:
    """Return the activity with all open tickets resolved at `at_ms`."""
    event = TicketEvent(event_id="-", customer_id="-", occurred_at=at_ms, ticket_id="-", status="resolved")
    tickets = [
        Ticket(ticket.key, [*ticket.events, pack(event)]) if _is_open(ticket, at_ms) else ticket
        for ticket in activity.tickets
    ]
    return replace(activity, tickets=tickets)


def _is_open(ticket: Ticket, at_ms: int) -> bool:
    found = standing(ticket, at_ms)
    return found is not None and found.closed_ms is None
