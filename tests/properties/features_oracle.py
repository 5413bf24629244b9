"""The slow, obvious oracle: every feature from the list of raw events, by loops over the days and events that it names.

It shares no code with `features`: no tiles, no bands, no sums kept between events, no packed integers.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from itertools import pairwise
from typing import TypeVar

from streams.events import Cancellation, InputEvent, Login, Order, Review, Ticket

DAY_MS = 86_400_000
AnyEvent = TypeVar("AnyEvent", bound=InputEvent)


def expected(events: Iterable[InputEvent], as_of_ms: int) -> dict[str, float]:
    """Every feature as of `as_of_ms`, by name; an event id counts once."""
    end = math.ceil(as_of_ms / DAY_MS)
    known: dict[str, InputEvent] = {}
    for event in events:
        known.setdefault(event.event_id, event)
    past = [event for event in known.values() if event.occurred_at < end * DAY_MS]
    orders = [event for event in past if isinstance(event, Order)]
    placed = [order for order in orders if order.status == "placed"]
    logins = [event for event in past if isinstance(event, Login)]
    return (
        _orders(orders, placed, end)
        | _gaps(placed, logins, end)
        | _lifetime(past, placed, logins, end)
        | _presence(placed, end)
        | _logins(logins, placed, end)
        | _tickets([event for event in past if isinstance(event, Ticket)], end)
        | _reviews([event for event in past if isinstance(event, Review)], end)
        | {"cancellations_180d": float(len(_within([e for e in past if isinstance(e, Cancellation)], end, 180)))}
    )


def _day(event: InputEvent) -> int:
    return event.occurred_at // DAY_MS


def _within(events: list[AnyEvent], end: int, days: int) -> list[AnyEvent]:
    return [event for event in events if end - days <= _day(event) < end]


def _orders(orders: list[Order], placed: list[Order], end: int) -> dict[str, float]:
    def count(last: int, days: int) -> float:
        return float(len(_within(placed, last, days)))

    def amount(last: int, days: int) -> float:
        return math.fsum(order.amount for order in _within(placed, last, days))

    discount = math.fsum(order.discount or 0.0 for order in _within(placed, end, 90))
    listed = amount(end, 90) + discount
    basket = 1.0
    if count(end, 90) and math.fsum(order.amount for order in placed):
        mean = statistics.fmean(order.amount for order in placed)
        basket = statistics.fmean(order.amount for order in _within(placed, end, 90)) / mean
    return {
        "order_silence_days": float(end - 1 - max(map(_day, placed))) if placed else 0.0,
        "orders_7d": count(end, 7),
        "orders_30d": count(end, 30),
        "orders_prev_30d": count(end - 30, 30),
        "orders_90d": count(end, 90),
        "orders_prev_90d": count(end - 90, 90),
        "amount_7d": amount(end, 7),
        "amount_30d": amount(end, 30),
        "amount_prev_30d": amount(end - 30, 30),
        "amount_90d": amount(end, 90),
        "order_trend_30d": (count(end, 30) + 1) / (count(end - 30, 30) + 1),
        "order_trend_90d": (count(end, 90) + 1) / (count(end - 90, 90) + 1),
        "items_90d": math.fsum(order.items or 0.0 for order in _within(placed, end, 90)),
        "discount_share_90d": discount / listed if listed else 0.0,
        "basket_trend_90d": basket,
        "cancelled_orders_90d": float(sum(order.status == "cancelled" for order in _within(orders, end, 90))),
        "returned_orders_90d": float(sum(order.status == "returned" for order in _within(orders, end, 90))),
    }


def _gap_list(events: list[Order] | list[Login]) -> list[int]:
    days = sorted({_day(event) for event in events})
    return [after - before for before, after in pairwise(days)]


def _gaps(placed: list[Order], logins: list[Login], end: int) -> dict[str, float]:
    gaps = _gap_list(placed)
    came = placed or logins
    ratio = deviations = 0.0
    if came:
        silence = end - 1 - max(map(_day, came))
        own = [*_gap_list(came), 30]
        usual = statistics.fmean(own)
        squares = statistics.fmean([*(gap**2 for gap in own), 30**2]) * (len(own) + 1) / len(own)
        ratio = silence / usual
        deviations = (silence - usual) / max(math.sqrt(max(squares - usual**2, 0.0)), 1.0)
    return {
        "gap_mean_days": statistics.fmean(gaps) if gaps else 0.0,
        "gap_deviation_days": statistics.pstdev(gaps) if gaps else 0.0,
        "gap_max_days": float(max(gaps, default=0)),
        "gap_last_days": float(gaps[-1]) if gaps else 0.0,
        "gap_slowdown": (gaps[-1] + 30) / (statistics.fmean(gaps) + 30) if gaps else 1.0,
        "silence_over_gap": ratio,
        "silence_deviations": max(-12.0, min(deviations, 12.0)),
    }


def _lifetime(past: list[InputEvent], placed: list[Order], logins: list[Login], end: int) -> dict[str, float]:
    came = sorted({_day(event) for event in placed or logins})
    rate = share = alive = quiet = 0.0
    if came:
        x, tx, age = len(came) - 1, came[-1] - came[0], end - 1 - came[0]
        rate = x / ((age + 30) / 30)
        share = tx / age if age else 1.0
        gone_odds = 0.793 / (2.426 + x - 1) * ((30.9 + age) / (30.9 + tx)) ** (0.243 + x) if x else 0.793 / 2.426
        alive = max(-math.log(gone_odds), -12.0)
        calm = ((30.9 + age) / (30.9 + age + 60)) ** (0.243 + x)
        comes = (1 - calm) / (1 + math.exp(-alive))
        quiet = max(-12.0, min(math.log((1 - comes) / comes), 12.0))
    total = math.fsum(order.amount for order in placed)
    return {
        "tenure_days": float(end - 1 - min(map(_day, past))) if past else 0.0,
        "order_days": float(len(set(map(_day, placed)))),
        "order_rate_30d": rate,
        "order_span_share": share,
        "alive_index": alive,
        "quiet_index": quiet,
        "amount_per_order": total / len(placed) if placed else 0.0,
        "amount_lifetime": total,
    }


def _presence(placed: list[Order], end: int) -> dict[str, float]:
    stretches = ["1_7", "8_14", "15_21", "22_30", "31_45", "46_60", "61_90", "91_120", "121_150", "151_180"]
    stretches += ["181_240", "241_305", "306_365"]
    ages = {end - _day(order) for order in placed}
    return {
        f"ordered_{first}_{last}d": float(not ages.isdisjoint(range(int(first), int(last) + 1)))
        for first, last in (stretch.split("_") for stretch in stretches)
    }


def _logins(logins: list[Login], placed: list[Order], end: int) -> dict[str, float]:
    def count(last: int, days: int) -> float:
        return float(len(_within(logins, last, days)))

    sessions = [login.session_seconds for login in _within(logins, end, 30) if login.session_seconds is not None]
    channels = {login.channel for login in _within(logins, end, 90)} - {None}
    last = max(map(_day, [*logins, *placed]), default=end - 1)
    return {
        "activity_silence_days": float(end - 1 - last),
        "logins_7d": count(end, 7),
        "logins_30d": count(end, 30),
        "logins_prev_30d": count(end - 30, 30),
        "logins_90d": count(end, 90),
        "login_days_30d": float(len(set(map(_day, _within(logins, end, 30))))),
        "login_trend_30d": (count(end, 30) + 1) / (count(end - 30, 30) + 1),
        "session_minutes_30d": statistics.fmean(sessions) / 60 if sessions else 0.0,
        "login_channels_90d": float(len(channels)),
    }


STATUSES = ["opened", "reopened", "updated", "resolved"]
CATEGORIES = [None, "billing", "delivery", "product", "service", "account", "return", "cancellation", "other"]
SEVERITIES = [None, "low", "normal", "high"]


def happened_order(event: Ticket) -> tuple[int, int, int, int, float]:
    """What comes first among events of one ticket, ties included."""
    what = STATUSES.index(event.status), CATEGORIES.index(event.category), SEVERITIES.index(event.severity)
    return event.occurred_at, *what, event.satisfaction or 0.0


def _tickets(events: list[Ticket], end: int) -> dict[str, float]:
    histories: dict[str, list[Ticket]] = {}
    for event in sorted(events, key=happened_order):
        histories.setdefault(event.ticket_id, []).append(event)
    tickets = [(history, _closed(history)) for history in histories.values()]
    recent = [(history, closed) for history, closed in tickets if _day(history[0]) >= end - 90]
    still = [h[0] for h, closed in tickets if closed is None and _day(h[-1]) >= end - 180]
    ended = [(h[0], closed) for h, closed in tickets if closed is not None and _day(closed) >= end - 90]
    slow = [
        h for h, closed in recent if (closed.occurred_at if closed else end * DAY_MS) - h[0].occurred_at > 3 * DAY_MS
    ]
    rated = [
        [event.satisfaction for event in h if event.satisfaction is not None][-1]
        for h, _ in tickets
        if _day(h[-1]) >= end - 90 and any(event.satisfaction is not None for event in h)
    ]
    about = [[None, *(event.category for event in h if event.category is not None)][-1] for h, _ in recent]
    took = [(closed.occurred_at - first.occurred_at) / DAY_MS for first, closed in ended]
    return {
        "tickets_30d": float(sum(_day(h[0]) >= end - 30 for h, _ in recent)),
        "tickets_90d": float(len(recent)),
        "open_tickets": float(len(still)),
        "open_ticket_age_days": max(((end * DAY_MS - first.occurred_at) / DAY_MS for first in still), default=0.0),
        "slow_tickets_90d": float(len(slow)),
        "resolve_days_90d": statistics.fmean(took) if took else 0.0,
        "severe_tickets_90d": float(sum(any(event.severity == "high" for event in h) for h, _ in recent)),
        "satisfaction_90d": statistics.fmean(rated) if rated else 3.0,
        "billing_tickets_90d": float(about.count("billing")),
        "product_tickets_90d": float(about.count("product") + about.count("return")),
        "leaving_tickets_90d": float(about.count("cancellation")),
    }


def _closed(history: list[Ticket]) -> Ticket | None:
    closed = None
    for event in history:
        if event.status == "resolved":
            closed = event
        elif event.status in {"opened", "reopened"}:
            closed = None
    return closed


def _reviews(reviews: list[Review], end: int) -> dict[str, float]:
    recent = _within(reviews, end, 90)
    ratings = [review.rating for review in recent if review.rating is not None]
    before = [review.rating for review in reviews if review.rating is not None and _day(review) < end - 90]
    answers = [review.nps for review in _within(reviews, end, 180) if review.nps is not None]

    def mentions(*topics: str) -> float:
        return float(sum(not {*topics}.isdisjoint(review.topics or []) for review in recent))

    return {
        "rating_90d": statistics.fmean(ratings) if ratings else 3.0,
        "rating_trend_90d": statistics.fmean(ratings) - statistics.fmean(before) if ratings and before else 0.0,
        "nps_180d": statistics.fmean(answers) if answers else 7.0,
        "price_mentions_90d": mentions("price"),
        "service_mentions_90d": mentions("service", "delivery"),
        "product_mentions_90d": mentions("product"),
        "other_mentions_90d": mentions("other"),
    }
