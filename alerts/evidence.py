"""Evidence: one plain sentence per topic, with its figures.

A topic is a handful of features that say the same thing from several sides (orders in 30 days, in the 30 before, their
ratio). Its sentence is built from their values; a topic that has nothing worth saying (no ratings at all, more orders
than before) stays silent rather than inventing something. A feature in no topic is spoken for by its own meaning and
value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from alerts.wording import counted, number, silence

Values = Mapping[str, float]
Says = Callable[[Values], str | None]

MIDDLING_STARS: Final = 3.0
"""Stars from which a rating is no complaint; also what stands in where nobody rated, so it must not be quoted."""
MIDDLING_NPS: Final = 7.0
"""Likewise for answers from 0 to 10: below are the detractors of the net promoter score."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What belongs together.

    Attributes:
        covers: features whose contributions count for the topic.
        shows: features quoted with the sentence.
        says: the sentence, without full stop; None if there is nothing to say.
    """

    covers: tuple[str, ...]
    shows: tuple[str, ...]
    says: Says


def _silence(values: Values) -> str | None:
    if values.get("order_days") == 0:
        quiet = float(int(values.get("activity_silence_days", 0.0)))
        return f"No login for {counted(quiet, 'day')}, and no order yet" if quiet else "No order yet"
    return silence(values["order_silence_days"], values["gap_mean_days"])


def _rhythm(values: Values) -> str | None:
    mean, last = values["gap_mean_days"], values["gap_last_days"]
    if not mean:
        return None
    if last > 1.2 * mean:
        return f"{counted(last, 'day')} between the last two orders, {number(mean)} on average"
    return f"An order every {counted(mean, 'day')} on average"


def _compare(noun: str, now: str, before: str, days: int) -> Says:
    def says(values: Values) -> str | None:
        if not values[now] and not values[before]:
            return f"No {noun}s in {2 * days} days"
        if values[now] >= values[before]:
            return None
        first = counted(values[now], noun)
        return f"{first[0].upper()}{first[1:]} in {days} days, {number(values[before])} in the {days} before"

    return says


def _spend(values: Values) -> str | None:
    now, before, quarter = values["amount_30d"], values["amount_prev_30d"], values["amount_90d"]
    if now or before:
        return f"{number(now)} spent in 30 days, {number(before)} in the 30 before" if now < before else None
    return f"{number(quarter)} spent in 90 days, nothing in the last 60" if quarter else None


def _history(values: Values) -> str | None:
    ordered = counted(values["order_days"], "day")
    return f"Orders on {ordered} in {counted(float(int(values['tenure_days'])), 'day')} as a customer"


def _logins(values: Values) -> str | None:
    if not values["logins_90d"] and not values["logins_30d"] and not values["logins_prev_30d"]:
        return None
    return _compare("login", "logins_30d", "logins_prev_30d", 30)(values)


def _sessions(values: Values) -> str | None:
    minutes = values["session_minutes_30d"]
    return f"Sessions of {counted(minutes, 'minute')} on average in 30 days" if minutes else None


def _discount(values: Values) -> str | None:
    share = values["discount_share_90d"]
    return f"Discounts of {number(100 * share)} % in 90 days" if share > 0 else None


def _basket(values: Values) -> str | None:
    trend = values["basket_trend_90d"]
    return f"The mean order of 90 days is {number(100 * trend)} % of the mean order ever" if trend < 0.8 else None


def _open_tickets(values: Values) -> str | None:
    tickets = values["open_tickets"]
    if not tickets:
        return None
    age = counted(float(round(values["open_ticket_age_days"])), "day")
    return (
        f"{counted(tickets, 'ticket')} open, the oldest for {age}"
        if age != "no days"
        else f"{counted(tickets, 'ticket')} open"
    )


def _slow_tickets(values: Values) -> str | None:
    slow, days = values["slow_tickets_90d"], values["resolve_days_90d"]
    if slow:
        return f"{counted(slow, 'ticket')} took more than 3 days in 90 days"
    return f"Tickets took {counted(days, 'day')} to resolve in 90 days" if days else None


def _tickets(values: Values) -> str | None:
    recent, all_ = values["tickets_30d"], values["tickets_90d"]
    return f"{counted(all_, 'ticket')} in 90 days, {number(recent)} of them in the last 30" if all_ else None


def _count(name: str, noun: str, rest: str, nouns: str | None = None) -> Topic:
    def says(values: Values) -> str | None:
        return f"{counted(values[name], noun, nouns)} {rest}" if values[name] else None

    return Topic((name,), (name,), says)


def _mark(name: str, what: str, top: int, middling: float, rest: str) -> Topic:
    def says(values: Values) -> str | None:
        return f"{what} {number(values[name])} of {top} {rest}" if values[name] < middling else None

    return Topic((name,), (name,), says)


def _rating_trend(values: Values) -> str | None:
    change = values["rating_trend_90d"]
    return f"Ratings down by {counted(-change, 'star')} in 90 days" if change < 0 else None


TOPICS: Final = (
    Topic(
        (
            "order_silence_days",
            "activity_silence_days",
            "silence_over_gap",
            "silence_deviations",
            "alive_index",
            "quiet_index",
            "order_span_share",
        ),
        ("order_silence_days", "gap_mean_days"),
        _silence,
    ),
    Topic(
        (
            *("gap_mean_days", "gap_deviation_days", "gap_max_days", "gap_last_days", "gap_slowdown", "order_rate_30d"),
            *("ordered_1_7d", "ordered_8_14d", "ordered_15_21d", "ordered_22_30d", "ordered_31_45d", "ordered_46_60d"),
            *("ordered_61_90d", "ordered_91_120d", "ordered_121_150d", "ordered_151_180d", "ordered_181_240d"),
            *("ordered_241_305d", "ordered_306_365d"),
        ),
        ("gap_last_days", "gap_mean_days"),
        _rhythm,
    ),
    Topic(
        ("orders_7d", "orders_30d", "orders_prev_30d", "order_trend_30d"),
        ("orders_30d", "orders_prev_30d"),
        _compare("order", "orders_30d", "orders_prev_30d", 30),
    ),
    Topic(
        ("orders_90d", "orders_prev_90d", "order_trend_90d", "items_90d"),
        ("orders_90d", "orders_prev_90d"),
        _compare("order", "orders_90d", "orders_prev_90d", 90),
    ),
    Topic(
        ("amount_7d", "amount_30d", "amount_prev_30d", "amount_90d"),
        ("amount_30d", "amount_prev_30d", "amount_90d"),
        _spend,
    ),
    Topic(
        ("tenure_days", "order_days", "amount_lifetime", "amount_per_order"),
        ("order_days", "tenure_days"),
        _history,
    ),
    Topic(
        ("logins_7d", "logins_30d", "logins_prev_30d", "logins_90d", "login_days_30d", "login_trend_30d"),
        ("logins_30d", "logins_prev_30d"),
        _logins,
    ),
    Topic(("session_minutes_30d", "login_channels_90d"), ("session_minutes_30d",), _sessions),
    Topic(("discount_share_90d",), ("discount_share_90d",), _discount),
    Topic(("basket_trend_90d",), ("basket_trend_90d",), _basket),
    _count("billing_tickets_90d", "ticket", "on billing in 90 days"),
    _count("price_mentions_90d", "review", "on price in 90 days"),
    _count("cancelled_orders_90d", "order", "cancelled in 90 days"),
    Topic(("open_tickets", "open_ticket_age_days"), ("open_tickets", "open_ticket_age_days"), _open_tickets),
    Topic(("slow_tickets_90d", "resolve_days_90d"), ("slow_tickets_90d", "resolve_days_90d"), _slow_tickets),
    Topic(("tickets_30d", "tickets_90d"), ("tickets_30d", "tickets_90d"), _tickets),
    _count("severe_tickets_90d", "ticket", "of high severity in 90 days"),
    _mark("satisfaction_90d", "Satisfaction with the support", 5, MIDDLING_STARS, "in 90 days"),
    _mark("nps_180d", "Survey answers:", 10, MIDDLING_NPS, "in 180 days"),
    _count("service_mentions_90d", "review", "on service or delivery in 90 days"),
    _count("returned_orders_90d", "order", "returned in 90 days"),
    _count("product_tickets_90d", "ticket", "on a product or a return in 90 days"),
    _mark("rating_90d", "Mean rating", 5, MIDDLING_STARS, "in 90 days"),
    Topic(("rating_trend_90d",), ("rating_trend_90d", "rating_90d"), _rating_trend),
    _count("product_mentions_90d", "review", "on the product in 90 days"),
    _count("leaving_tickets_90d", "ticket", "on cancelling in 90 days"),
    _count("other_mentions_90d", "review", "on something else in 90 days"),
    _count("cancellations_180d", "explicit cancellation", "in 180 days"),
)
TOPIC_OF: Final = {name: topic for topic in TOPICS for name in topic.covers}


def generic(name: str, meaning: str, unit: str) -> Topic:
    """Return the topic of a feature that has none of its own: its meaning, its value and its unit.

    >>> generic("visits_7d", "Visits in 7 days.", "visits").says({"visits_7d": 3.0})
    'Visits in 7 days: 3 visits'
    """
    told = meaning.rstrip(".")
    return Topic((name,), (name,), lambda values: f"{told}: {number(values[name])} {unit}".rstrip())
