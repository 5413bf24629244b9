"""The state of one customer: everything the features need, and how an event changes it.

1. An event whose id is known changes nothing (`seen`).
2. It is added to the tile of its own day, whenever it arrives; tickets go to their own lists.
3. Tiles that no window reaches any more are folded into `past` (`prune`), which the lifetime features start from.

Nothing here depends on the order of arrival: the same events give the same state, byte for byte. Lifetime figures are
`past` plus tiles, so figures as of an earlier instant leave the later tiles out and are exact.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Self

import msgspec

from features import seen, tickets
from features.complaints import complaints_of
from features.past import Past, fold, take_before
from features.rhythm import NO_RHYTHM, Rhythm
from features.tickets import Ticket
from features.tiles import (
    RETENTION_DAYS,
    SUM_MAX,
    LoginTile,
    OrderTile,
    ReviewTile,
    Tile,
    any_between,
    tenths,
    thousandths,
    tile_on,
)
from streams.bounds import Day, InstantMs
from streams.events import Cancellation, InputEvent, Login, Order, Review
from streams.events import Ticket as TicketEvent
from streams.time import DAY_MS, day_of, day_start

CANCELLATIONS_MAX: Final = 8
"""Explicit cancellations kept per customer, the latest."""

CHANNELS: Final = {"web": 1, "app": 2, "store": 4, "call": 8, "other": 16}


class Activity(msgspec.Struct, array_like=True, gc=False):
    """All that is kept of one customer. Instants are epoch milliseconds, None where there was no such event."""

    first_seen_ms: InstantMs | None = None
    last_order_ms: InstantMs | None = None
    last_login_ms: InstantMs | None = None
    currency: str | None = None
    currency_day: Day = -1
    past: Past | None = None
    order_tiles: list[OrderTile] = []
    login_tiles: list[LoginTile] = []
    review_tiles: list[ReviewTile] = []
    tickets: list[Ticket] = []
    cancellations: list[InstantMs] = []
    seen: bytes = b""

    @classmethod
    def empty(cls) -> Self:
        """A customer of whom nothing is known."""
        return cls()

    @property
    def last_activity_ms(self) -> int | None:
        """Latest placed order or login. Tickets and reviews are contact, not activity: leavers complain too."""
        order, login = self.last_order_ms, self.last_login_ms
        if order is None or login is None:
            return order if login is None else login
        return order if order > login else login

    @property
    def orders(self) -> int:
        """Placed orders, lifetime."""
        return sum([tile.orders for tile in self.order_tiles], self.past.orders if self.past else 0)

    @property
    def amount(self) -> float:
        """Sum of placed orders, lifetime, in currency units."""
        return sum([tile.amount for tile in self.order_tiles], self.past.amount if self.past else 0) / 1_000

    @property
    def order_days(self) -> int:
        """Distinct UTC days with a placed order, lifetime."""
        return sum([tile.orders > 0 for tile in self.order_tiles], self.past.order_rhythm.days if self.past else 0)

    @property
    def cancelled_ms(self) -> int | None:
        """The latest explicit cancellation."""
        return self.cancellations[-1] if self.cancellations else None

    def mean_gap_days(self) -> float | None:
        """Mean days between days with a placed order, else between login days; None below two such days."""
        past = self.past
        ordered = [tile for tile in self.order_tiles if tile.orders]
        gap_days = _mean_gap_days(past.order_rhythm if past else NO_RHYTHM, ordered)
        if gap_days is None:
            gap_days = _mean_gap_days(past.login_rhythm if past else NO_RHYTHM, self.login_tiles)
        return gap_days

    def orders_between(self, first_day: int, end_day: int) -> bool:
        """Whether an order was placed on a day in [first_day, end_day), as far as tiles reach back."""
        for tile in reversed(self.order_tiles):
            if tile.day < first_day:
                return False
            if tile.day < end_day and tile.orders:
                return True
        return False

    def activity_between(self, first_day: int, end_day: int) -> bool:
        """Whether anything but a cancellation came from the customer on a day in [first_day, end_day)."""
        return (
            any_between(self.order_tiles, first_day, end_day)
            or any_between(self.login_tiles, first_day, end_day)
            or any_between(self.review_tiles, first_day, end_day)
            or tickets.any_between(self.tickets, day_start(first_day), day_start(end_day))
        )


def _mean_gap_days(rhythm: Rhythm, tiles: Sequence[Tile]) -> float | None:
    """The mean gap of `rhythm.extend` by the days of `tiles`, which needs only where it begins and ends."""
    days = rhythm.days + len(tiles)
    if days < 2:
        return None
    first_day = rhythm.first_day if rhythm.days else tiles[0].day
    last_day = tiles[-1].day if tiles and tiles[-1].day > rhythm.last_day else rhythm.last_day
    return (last_day - first_day) / (days - 1)


def apply(activity: Activity, stream: str, event: InputEvent) -> bool:
    """Count `event` of `stream` (logins, orders, tickets, reviews or cancellations) into `activity`.

    Returns True if it was counted, False if its `event_id` was known already. Raises KeyError for another stream.
    """
    at = event.occurred_at
    day = day_of(at)
    grown = seen.remember(activity.seen, event.event_id, day)
    if grown is None:
        return False
    _COUNT[stream](activity, event, day)
    activity.seen = grown
    if activity.first_seen_ms is None or at < activity.first_seen_ms:
        activity.first_seen_ms = at
    return True


def prune(activity: Activity, as_of_ms: int) -> None:
    """Fold tiles older than `RETENTION_DAYS` before `as_of_ms` into `past`; forget event ids and tickets as old."""
    first_day = day_of(as_of_ms) - RETENTION_DAYS
    orders, logins, reviews = activity.order_tiles, activity.login_tiles, activity.review_tiles
    if (
        (orders and orders[0].day < first_day)
        or (logins and logins[0].day < first_day)
        or (reviews and reviews[0].day < first_day)
    ):
        activity.past = activity.past or Past()
        taken = take_before(orders, first_day), take_before(logins, first_day), take_before(reviews, first_day)
        fold(activity.past, *taken)
    activity.seen = seen.forget_before(activity.seen, first_day)
    if activity.tickets:
        tickets.forget_before(activity.tickets, first_day * DAY_MS)


def _count_order(activity: Activity, order: Order, day: int) -> None:
    tile = tile_on(activity.order_tiles, day, OrderTile)
    if order.status == "cancelled":
        tile.cancelled += 1
        return
    if order.status == "returned":
        tile.returned += 1
        return
    tile.orders += 1
    tile.amount = min(tile.amount + thousandths(order.amount), SUM_MAX)
    if order.items:
        tile.items += tenths(order.items)
    if order.discount:
        tile.discount = min(tile.discount + thousandths(order.discount), SUM_MAX)
    at = order.occurred_at
    if activity.last_order_ms is None or at > activity.last_order_ms:
        activity.last_order_ms = at
    if order.currency and (day, order.currency) > (activity.currency_day, activity.currency or ""):
        activity.currency_day, activity.currency = day, order.currency


def _count_login(activity: Activity, login: Login, day: int) -> None:
    tile = tile_on(activity.login_tiles, day, LoginTile)
    tile.logins += 1
    if login.session_seconds is not None:
        tile.timed += 1
        tile.seconds += int(login.session_seconds)
    if login.channel is not None:
        tile.channels |= CHANNELS[login.channel]
    at = login.occurred_at
    if activity.last_login_ms is None or at > activity.last_login_ms:
        activity.last_login_ms = at


def _count_ticket(activity: Activity, event: TicketEvent, _day: int) -> None:
    tickets.record(activity.tickets, event)


def _count_review(activity: Activity, review: Review, day: int) -> None:
    tile = tile_on(activity.review_tiles, day, ReviewTile)
    if review.rating is not None:
        tile.ratings += 1
        tile.rating_tenths += tenths(review.rating)
    if review.nps is not None:
        tile.surveys += 1
        tile.nps_tenths += tenths(review.nps)
    topics = review.topics or ()
    tile.price += "price" in topics
    tile.service += "service" in topics or "delivery" in topics
    tile.product += "product" in topics
    tile.other += "other" in topics
    complaints = complaints_of(review)
    if complaints is not None:
        tile.poor_price += "price" in complaints
        tile.poor_service += "service" in complaints
        tile.poor_product += "product" in complaints
        tile.poor_rivals += "competition" in complaints
        # Who ticks "other" means something that is none of these.
        tile.poor_mute += not complaints and "other" not in topics


def _count_cancellation(activity: Activity, event: Cancellation, _day: int) -> None:
    activity.cancellations = sorted([*activity.cancellations, event.occurred_at])[-CANCELLATIONS_MAX:]


_COUNT: Final[dict[str, Callable[[Activity, Any, int], None]]] = {
    "orders": _count_order,
    "logins": _count_login,
    "tickets": _count_ticket,
    "reviews": _count_review,
    "cancellations": _count_cancellation,
}
