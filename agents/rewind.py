"""The past put right: a customer as they were, and snapshots as they would have been, had every event come in time.

Both rest on the tiles, from which a vector can be computed for an instant of the past, with whatever has become known since.
"""

from __future__ import annotations

from typing import Final, Literal

from msgspec.structs import replace

from agents.record import Customer
from features.rhythm import Rhythm
from features.tiles import RETENTION_DAYS, WINDOW_DAYS_MAX
from features.vector import vector
from models.album import Album
from models.labels import pack_vector
from streams.time import DAY_MS, day_of, day_start

EXACT_MS: Final = (RETENTION_DAYS - WINDOW_DAYS_MAX) * DAY_MS
"""How far back from the last pruning a vector is exact (`features.vector`)."""


def mend(customer: Customer, event_ms: int) -> None:
    """Compute anew the vectors of the waiting snapshots that an event of `event_ms`, just applied, should have been in.

    Those that are too old to be exact stay as they are. So does what was said at the time: it was said.
    """
    # Nothing was pruned after the last wake-up that was handled, which is before the next.
    exact_from_ms = min(customer.as_of_ms, customer.wake_ms) - EXACT_MS
    customer.pending = Album.of(
        asked
        if asked.taken_ms <= event_ms or asked.taken_ms < exact_from_ms
        else replace(asked, vector=pack_vector(vector(customer.activity, asked.taken_ms)))
        for asked in customer.pending
    )


def rewound(customer: Customer, at_ms: int, churn_on: Literal["orders", "any"]) -> Customer:
    """Return a copy of the customer as of a midnight in the past, as far as a snapshot sees them.

    Exact but for the time of day of the last order and login before then, where there were later ones: only their days are kept.
    """
    activity, day = customer.activity, day_of(at_ms)
    orders = [tile for tile in activity.order_tiles if tile.day < day]
    logins = [tile for tile in activity.login_tiles if tile.day < day]
    ordered, logged_in = (
        (None, None) if activity.past is None else (activity.past.order_rhythm, activity.past.login_rhythm)
    )
    order_days = [tile.day for tile in orders if tile.orders]
    then = replace(
        activity,
        order_tiles=orders,
        login_tiles=logins,
        last_order_ms=_latest(activity.last_order_ms, at_ms, order_days, ordered),
        last_login_ms=_latest(activity.last_login_ms, at_ms, [tile.day for tile in logins], logged_in),
    )
    present_ms = then.last_order_ms if churn_on == "orders" else then.last_activity_ms
    cancelled_ms = max((ms for ms in activity.cancellations if ms < at_ms), default=None)
    if cancelled_ms is not None and present_ms is not None and present_ms > cancelled_ms:
        cancelled_ms = None
    return replace(customer, activity=then, as_of_ms=at_ms, cancelled_ms=cancelled_ms)


def _latest(last_ms: int | None, before_ms: int, days: list[int], past: Rhythm | None) -> int | None:
    """The last instant before `before_ms`; where a later one has taken its place, the beginning of its day."""
    if last_ms is None or last_ms < before_ms:
        return last_ms
    if days:
        return day_start(days[-1])
    return day_start(past.last_day) if past is not None and past.days else None
