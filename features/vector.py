"""The feature vector of a customer as of an instant.

1. `end_day` is the first day not counted: the day of a midnight instant, else the day after the instant's.
2. One walk per stream over the tiles before `end_day` gives the sums of all its windows (`windows`, `ticket_sums`).
3. Each group turns its sums into numbers, in the order in which `catalog` declares them.

Silence is counted in whole days, so that a customer scored on the day of an order and one scored at the next midnight,
which is when training snapshots are taken, have the same value, 0.
"""

from functools import lru_cache
from math import sqrt
from typing import Final

from features.catalog import CATALOG, INDEX, LIFETIME, LOGINS, PRESENCE, REVIEWS, RHYTHM, TICKETS, Feature
from features.rhythm import NO_RHYTHM, Rhythm, alive_log_odds, quiet_log_odds
from features.state import Activity
from features.ticket_sums import ticket_sums
from features.windows import NO_PAST, OrderSums, login_sums, order_sums, review_sums
from streams.time import DAY_MS

GAP_PRIOR_DAYS: Final = 30
"""What a customer is compared with counts one more gap of this length, so that two orders on two days are no habit yet."""

DEVIATIONS_MAX: Final = 12.0
"""Silence in deviations is cut off here: years of it say no more than months."""

Values = tuple[float, ...]


def _defaults(group: tuple[Feature, ...]) -> Values:
    return tuple(float(feature.default) for feature in group)


_NO_GAPS: Final = _defaults(RHYTHM)
_NO_LIFE: Final = _defaults(LIFETIME)
_NO_LOGINS: Final = _defaults(LOGINS)
_NO_TICKETS: Final = _defaults(TICKETS)
_NO_REVIEWS: Final = _defaults(REVIEWS)
_SATISFACTION, _RATING, _NPS = (
    float(CATALOG[INDEX[name]].default) for name in ("satisfaction_90d", "rating_90d", "nps_180d")
)


def vector(activity: Activity, as_of_ms: int) -> list[float]:
    """The values of `CATALOG`, in its order, as of `as_of_ms`; all finite. Events of later days do not count.

    Exact for any instant from two weeks before the latest `prune` on, whatever was applied since.
    """
    end_day = -(-as_of_ms // DAY_MS)
    orders = order_sums(activity.order_tiles, activity.past or NO_PAST, end_day)
    logins, login_rhythm = _logins(activity, orders.rhythm, end_day)
    # Where a business knows logins only, they are the rhythm that silence is measured by.
    rhythm = orders.rhythm if orders.rhythm.days else login_rhythm
    return [
        *_orders(orders, end_day),
        *_gaps(orders.rhythm, rhythm, end_day),
        *_lifetime(activity.first_seen_ms, orders, rhythm, end_day),
        *_presence(orders.presence),
        *logins,
        *_tickets(activity, end_day),
        *_reviews(activity, end_day),
    ]


def _orders(sums: OrderSums, end_day: int) -> Values:
    listed = sums.amount_90 + sums.discount_90
    basket_trend = 1.0
    if sums.orders_90 and sums.amount:
        basket_trend = sums.amount_90 / sums.orders_90 / (sums.amount / sums.orders)
    return (
        float(end_day - 1 - sums.rhythm.last_day) if sums.orders else 0.0,
        float(sums.orders_7),
        float(sums.orders_30),
        float(sums.orders_before_30),
        float(sums.orders_90),
        float(sums.orders_before_90),
        sums.amount_7 / 1_000,
        sums.amount_30 / 1_000,
        sums.amount_before_30 / 1_000,
        sums.amount_90 / 1_000,
        (sums.orders_30 + 1) / (sums.orders_before_30 + 1),
        (sums.orders_90 + 1) / (sums.orders_before_90 + 1),
        sums.items_90 / 10,
        sums.discount_90 / listed if listed else 0.0,
        basket_trend,
        float(sums.cancelled_90),
        float(sums.returned_90),
    )


def _gaps(orders: Rhythm, rhythm: Rhythm, end_day: int) -> Values:
    """`orders` for what is said of gaps between orders, `rhythm` for what the present silence is measured by."""
    if not rhythm.days:
        return _NO_GAPS
    gaps = orders.days - 1
    mean = spread = 0.0
    slowdown = 1.0
    if gaps > 0:
        mean = orders.span_days / gaps
        spread = _deviation(orders.gap_squares, orders.span_days, gaps)
        slowdown = (orders.gap_last + GAP_PRIOR_DAYS) / (mean + GAP_PRIOR_DAYS)
    silence = end_day - 1 - rhythm.last_day
    usual = (rhythm.span_days + GAP_PRIOR_DAYS) / rhythm.days
    # The prior gap's variance is its square, as if gaps were exponential. At least a day: that is how fine gaps are counted.
    deviation = max(
        _deviation(rhythm.gap_squares + 2 * GAP_PRIOR_DAYS**2, rhythm.span_days + GAP_PRIOR_DAYS, rhythm.days), 1.0
    )
    deviations = (silence - usual) / deviation
    return (
        mean,
        spread,
        float(orders.gap_max),
        float(orders.gap_last),
        slowdown,
        silence / usual,
        max(-DEVIATIONS_MAX, min(deviations, DEVIATIONS_MAX)),
    )


def _deviation(squares: int, total: int, count: int) -> float:
    """Standard deviation of `count` integers by their sum of squares and sum, without cancellation."""
    return sqrt(max(squares * count - total * total, 0)) / count


def _lifetime(first_seen_ms: int | None, orders: OrderSums, rhythm: Rhythm, end_day: int) -> Values:
    tenure = 0.0 if first_seen_ms is None else float(max(end_day - 1 - first_seen_ms // DAY_MS, 0))
    if not rhythm.days:
        return (tenure, *_NO_LIFE[1:])
    repeats, span, age = rhythm.days - 1, rhythm.span_days, end_day - 1 - rhythm.first_day
    alive = alive_log_odds(repeats, span, age)
    return (
        tenure,
        float(orders.rhythm.days),
        30 * repeats / (age + 30),
        span / age if age else 1.0,
        alive,
        quiet_log_odds(repeats, age, alive),
        orders.amount / orders.orders / 1_000 if orders.orders else 0.0,
        orders.amount / 1_000,
    )


@lru_cache(maxsize=1 << len(PRESENCE))
def _presence(bits: int) -> Values:
    return tuple(float(bits >> stretch & 1) for stretch in range(len(PRESENCE)))


def _logins(activity: Activity, orders: Rhythm, end_day: int) -> tuple[Values, Rhythm]:
    past = activity.past
    if not activity.login_tiles and (past is None or not past.login_rhythm.days):
        return ((float(end_day - 1 - orders.last_day) if orders.days else 0.0, *_NO_LOGINS[1:]), NO_RHYTHM)
    sums = login_sums(activity.login_tiles, past or NO_PAST, end_day)
    last_day = max(sums.rhythm.last_day, orders.last_day)
    values = (
        float(end_day - 1 - last_day) if last_day >= 0 else 0.0,
        float(sums.logins_7),
        float(sums.logins_30),
        float(sums.logins_before_30),
        float(sums.logins_90),
        float(sums.days_30),
        (sums.logins_30 + 1) / (sums.logins_before_30 + 1),
        sums.seconds_30 / sums.timed_30 / 60 if sums.timed_30 else 0.0,
        float(sums.channels_90.bit_count()),
    )
    return values, sums.rhythm


def _tickets(activity: Activity, end_day: int) -> Values:
    if not activity.tickets:
        return _NO_TICKETS
    sums = ticket_sums(activity.tickets, end_day * DAY_MS)
    return (
        float(sums.opened_30),
        float(sums.opened_90),
        float(sums.open_now),
        sums.oldest_open_ms / DAY_MS,
        float(sums.slow_90),
        sums.resolving_ms_90 / sums.resolved_90 / DAY_MS if sums.resolved_90 else 0.0,
        float(sums.severe_90),
        sums.star_tenths_90 / sums.rated_90 / 10 if sums.rated_90 else _SATISFACTION,
        float(sums.billing_90),
        float(sums.product_90),
        float(sums.leaving_90),
    )


def _reviews(activity: Activity, end_day: int) -> Values:
    if not activity.review_tiles and not activity.cancellations:
        return _NO_REVIEWS
    sums = review_sums(activity.review_tiles, activity.past or NO_PAST, end_day)
    rating, trend = _RATING, 0.0
    if sums.ratings_90:
        rating = sums.rating_tenths_90 / sums.ratings_90 / 10
        if sums.ratings_before:
            trend = rating - sums.rating_tenths_before / sums.ratings_before / 10
    end_ms = end_day * DAY_MS
    return (
        rating,
        trend,
        sums.nps_tenths_180 / sums.surveys_180 / 10 if sums.surveys_180 else _NPS,
        float(sums.price_90),
        float(sums.service_90),
        float(sums.product_90),
        float(sums.other_90),
        float(sum(end_ms - 180 * DAY_MS <= at_ms < end_ms for at_ms in activity.cancellations)),
    )
