"""The feature vector of a customer as of an instant.

1. `end_day` is the first day not counted: the day of a midnight instant, else the day after the instant's.
2. One walk per stream over the tiles before `end_day` gives the sums of all its windows (`windows`).
3. Each group turns its sums into numbers, in the order in which `catalog` declares them.

Silence is counted in whole days, so that a customer scored on the day of an order and one scored at the next midnight,
which is when training snapshots are taken, have the same value, 0.
"""

from math import log, sqrt
from typing import Final

from features.catalog import LIFETIME, LOGINS, REVIEWS, RHYTHM, TICKETS
from features.state import Activity
from features.tickets import CATEGORIES, SEVERITIES, SHIFT, STATUS_CODES, Ticket
from features.windows import NO_PAST, OrderSums, login_sums, order_sums, review_sums
from streams.time import DAY_MS

SLOW_DAYS: Final = 3.0
"""A ticket that takes longer to resolve is slow."""

GAP_PRIOR_DAYS: Final = 30.0
"""Ratios to a customer's own rhythm count one more gap of this length, so that two orders on two days are not a habit."""

_RHYTHM_DEFAULTS: Final = tuple(feature.default for feature in RHYTHM)
_LIFETIME_DEFAULTS: Final = tuple(feature.default for feature in LIFETIME)
_LOGIN_DEFAULTS: Final = tuple(feature.default for feature in LOGINS)
_TICKET_DEFAULTS: Final = tuple(feature.default for feature in TICKETS)
_REVIEW_DEFAULTS: Final = tuple(feature.default for feature in REVIEWS)
_RESOLVED, _UPDATED = STATUS_CODES["resolved"], STATUS_CODES["updated"]
_BILLING, _PRODUCT, _RETURN, _LEAVING = (
    CATEGORIES.index(name) for name in ("billing", "product", "return", "cancellation")
)
_HIGH = SEVERITIES.index("high")

Values = tuple[float, ...]


def vector(activity: Activity, as_of_ms: int) -> list[float]:
    """The values of `CATALOG`, in its order, as of `as_of_ms`; all finite. Events of later days do not count.

    Exact for any instant within `RETENTION_DAYS` of the latest `prune`, whatever was applied since.
    """
    end_day = -(-as_of_ms // DAY_MS)
    past = activity.past or NO_PAST
    sums = order_sums(activity.order_tiles, past, end_day)
    return [
        *_orders(sums, end_day),
        *_rhythm(sums, end_day),
        *_lifetime(activity, sums, end_day),
        *_logins(activity, sums, end_day),
        *_tickets(activity.tickets, end_day),
        *_reviews(activity, end_day),
    ]


def _orders(sums: OrderSums, end_day: int) -> Values:
    basket_trend = 1.0
    if sums.n90 and sums.amount:
        basket_trend = sums.a90 * sums.orders / (sums.n90 * sums.amount)
    listed = sums.a90 + sums.discount
    return (
        float(end_day - 1 - sums.last_day) if sums.days else 0.0,
        float(sums.n7),
        float(sums.n30),
        float(sums.n_before_30),
        float(sums.n90),
        float(sums.n_before_90),
        sums.a7 / 1_000,
        sums.a30 / 1_000,
        sums.a_before_30 / 1_000,
        sums.a90 / 1_000,
        (sums.n30 + 1) / (sums.n_before_30 + 1),
        (sums.n90 + 1) / (sums.n_before_90 + 1),
        float(sums.items),
        sums.discount / listed if listed else 0.0,
        basket_trend,
        float(sums.cancelled),
        float(sums.returned),
    )


def _rhythm(sums: OrderSums, end_day: int) -> Values:
    if not sums.days:
        return _RHYTHM_DEFAULTS
    gaps = sums.days - 1
    span = sums.last_day - sums.first_day
    silence = end_day - 1 - sums.last_day
    usual = (span + GAP_PRIOR_DAYS) / (gaps + 1)
    variance = (sums.gap_squares + 2 * GAP_PRIOR_DAYS**2) / (gaps + 1) - usual * usual
    deviation = sqrt(variance) if variance > 1.0 else 1.0
    mean = span / gaps if gaps else 0.0
    spread = sums.gap_squares / gaps - mean * mean if gaps else 0.0
    return (
        mean,
        sqrt(spread) if spread > 0 else 0.0,
        float(sums.gap_max),
        float(sums.gap_last),
        (sums.gap_last + GAP_PRIOR_DAYS) / (mean + GAP_PRIOR_DAYS) if gaps else 1.0,
        silence / usual,
        (silence - usual) / deviation,
    )


def _lifetime(activity: Activity, sums: OrderSums, end_day: int) -> Values:
    first_seen = activity.first_seen_ms
    tenure = 0.0 if first_seen is None else float(max(end_day - 1 - first_seen // DAY_MS, 0))
    if not sums.days:
        return (tenure, *_LIFETIME_DEFAULTS[1:])
    age = end_day - 1 - sums.first_day
    span = sums.last_day - sums.first_day
    repeats = sums.days - 1
    alive = _alive_log_odds(repeats, span, age)
    quiet = _quiet_log_odds(repeats, age, alive)
    return (
        tenure,
        float(sums.days),
        30.0 * repeats / (age + 30.0),
        span / age if age else 1.0,
        alive,
        quiet,
        sums.amount / sums.orders / 1_000,
        sums.amount / 1_000,
    )


R, ALPHA, A, B = 0.243, 30.9, 0.793, 2.426


def _alive_log_odds(repeats: int, span: int, age: int) -> float:
    if not repeats:
        return log((B + 0.0) / A)
    return log((B + repeats - 1) / A) - (R + repeats) * log((ALPHA + age) / (ALPHA + span))


def _quiet_log_odds(repeats: int, age: int, alive: float) -> float:
    gone = 1 / (1 + 2.718281828 ** min(alive, 50.0))
    miss = ((ALPHA + age) / (ALPHA + age + 60)) ** (R + repeats)
    quiet = gone + (1 - gone) * miss
    return log(quiet / (1 - quiet))


def _logins(activity: Activity, orders: OrderSums, end_day: int) -> Values:
    if not activity.login_tiles:
        return (float(end_day - 1 - orders.last_day) if orders.days else 0.0, *_LOGIN_DEFAULTS[1:])
    sums = login_sums(activity.login_tiles, activity.past or NO_PAST, end_day)
    last_day = max(sums.last_day, orders.last_day)
    return (
        float(end_day - 1 - last_day) if last_day >= 0 else 0.0,
        float(sums.n7),
        float(sums.n30),
        float(sums.n_before_30),
        float(sums.n90),
        float(sums.days_30),
        (sums.n30 + 1) / (sums.n_before_30 + 1),
        sums.seconds_30 / sums.timed_30 / 60 if sums.timed_30 else 0.0,
        float(sums.channels_90.bit_count()),
    )


def _tickets(tickets: list[Ticket], end_day: int) -> Values:
    if not tickets:
        return _TICKET_DEFAULTS
    end = end_day * DAY_MS << SHIFT
    n30 = n90 = open_now = slow = severe = stars = starred = billing = product = leaving = resolved = 0
    oldest = took = 0.0
    for ticket in tickets:
        events = ticket.events
        opened = events[0]
        if opened >= end:
            continue
        closed = 0
        category = severity = 0
        last = opened
        for event in events:
            if event >= end:
                break
            status = event >> 9 & 3
            if status == _RESOLVED:
                closed = event
            elif status != _UPDATED:
                closed = 0
            category = event >> 5 & 15 or category
            severity = max(severity, event >> 3 & 3)
            last = event
            if event & 7 and (end - event >> SHIFT) <= 90 * DAY_MS:
                stars += event & 7
                starred += 1
        age = (end - opened >> SHIFT) / DAY_MS
        if not closed and (end - last >> SHIFT) <= 180 * DAY_MS:
            open_now += 1
            oldest = max(oldest, age)
        days = ((closed or end) - opened >> SHIFT) / DAY_MS
        if closed and (end - closed >> SHIFT) <= 90 * DAY_MS:
            resolved += 1
            took += days
        if age > 90:
            continue
        n90 += 1
        if age <= 30:
            n30 += 1
        slow += days > SLOW_DAYS
        severe += severity == _HIGH
        billing += category == _BILLING
        product += category in (_PRODUCT, _RETURN)
        leaving += category == _LEAVING
    return (
        float(n30),
        float(n90),
        float(open_now),
        oldest,
        float(slow),
        took / resolved if resolved else 0.0,
        float(severe),
        stars / starred if starred else 3.0,
        float(billing),
        float(product),
        float(leaving),
    )


def _reviews(activity: Activity, end_day: int) -> Values:
    if not activity.review_tiles and not activity.cancellations:
        return _REVIEW_DEFAULTS
    sums = review_sums(activity.review_tiles, activity.past or NO_PAST, end_day)
    end = end_day * DAY_MS
    mean = sums.rating_sum_90 / sums.ratings_90 if sums.ratings_90 else 3.0
    trend = 0.0
    if sums.ratings_90 and sums.ratings_before:
        trend = mean - sums.rating_sum_before / sums.ratings_before
    return (
        mean,
        trend,
        sums.nps_sum_180 / sums.surveys_180 if sums.surveys_180 else 7.0,
        float(sums.price),
        float(sums.service),
        float(sums.product),
        float(sums.other),
        float(sum(end - 180 * DAY_MS <= at < end for at in activity.cancellations)),
    )
