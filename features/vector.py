"""The feature vector of a customer as of an instant.

1. `end_day` is the first day not counted: the day of a midnight instant, else the day after the instant's.
2. One walk per stream over the tiles before `end_day` gives that stream's group of figures (`windows`, `ticket_sums`).
3. What follows from the rhythm of the order days is computed here; all groups, in the order of `catalog`, are the vector.

A stream of which a customer has nothing costs next to nothing: its group is a constant, the defaults.

Silence is counted in whole days, so that a customer scored on the day of an order and one scored at the next midnight,
which is when training snapshots are taken, have the same value, 0.
"""

from functools import lru_cache
from math import sqrt
from typing import Final

from features.catalog import LIFETIME, PRESENCE, REVIEWS, RHYTHM, TICKETS
from features.rhythm import FEW_REPEATS, NO_RHYTHM, Rhythm, extend, indices, indices_of_few
from features.state import Activity
from features.ticket_sums import ticket_figures
from features.windows import Values, defaults, login_figures, order_figures, review_figures
from streams.time import DAY_MS

GAP_PRIOR_DAYS: Final = 30
"""What a customer is compared with counts one more gap of this length, so that two orders on two days are no habit yet."""

DEVIATIONS_MAX: Final = 12.0
"""Silence in deviations is cut off here: years of it say no more than months."""

_NO_GAPS: Final = defaults(RHYTHM)
_NO_LIFE: Final = defaults(LIFETIME)
_NO_TICKETS: Final = defaults(TICKETS)
_NO_REVIEWS: Final = defaults(REVIEWS)


def vector(activity: Activity, as_of_ms: int) -> list[float]:
    """The values of `CATALOG`, in its order, as of `as_of_ms`; all finite. Events of later days do not count.

    Exact for any instant from two weeks before the latest `prune` on, whatever was applied since.
    """
    end_day = -(-as_of_ms // DAY_MS)
    past = activity.past
    order_values, ordered, presence, orders, amount = order_figures(activity.order_tiles, past, end_day)
    # Where a business knows logins only, they are the rhythm that silence is measured by.
    rhythm = ordered if ordered.days else _login_rhythm(activity, end_day)
    return [
        *order_values,
        *_gaps(ordered, rhythm, end_day),
        *_lifetime(activity.first_seen_ms, orders, amount, ordered, rhythm, end_day),
        *_presence(presence),
        *login_figures(activity.login_tiles, past, end_day, ordered.last_day),
        *(ticket_figures(activity.tickets, end_day) if activity.tickets else _NO_TICKETS),
        *(_reviews(activity, end_day) if activity.review_tiles or activity.cancellations else _NO_REVIEWS),
    ]


def _gaps(orders: Rhythm, rhythm: Rhythm, end_day: int) -> Values:
    """`orders` for what is said of gaps between orders, `rhythm` for what the present silence is measured by."""
    days = rhythm.days
    if not days:
        return _NO_GAPS
    mean = spread = 0.0
    slowdown = 1.0
    gaps = orders.days - 1
    if gaps > 0:
        span = orders.last_day - orders.first_day
        mean = span / gaps
        spread = _deviation(orders.gap_squares, span, gaps) if gaps > 1 else 0.0
        slowdown = (orders.gap_last + GAP_PRIOR_DAYS) / (mean + GAP_PRIOR_DAYS)
    silence = end_day - 1 - rhythm.last_day
    span = rhythm.last_day - rhythm.first_day + GAP_PRIOR_DAYS
    usual = span / days
    # The prior gap's variance is its square, as if gaps were exponential. At least a day: that is how fine gaps are counted.
    deviation = _deviation(rhythm.gap_squares + 2 * GAP_PRIOR_DAYS**2, span, days)
    deviations = (silence - usual) / (deviation if deviation > 1.0 else 1.0)
    if deviations > DEVIATIONS_MAX:
        deviations = DEVIATIONS_MAX
    elif deviations < -DEVIATIONS_MAX:
        deviations = -DEVIATIONS_MAX
    return (mean, spread, float(orders.gap_max), float(orders.gap_last), slowdown, silence / usual, deviations)


def _deviation(squares: int, total: int, count: int) -> float:
    """Standard deviation of `count` integers by their sum of squares and sum, without cancellation."""
    spread = squares * count - total * total
    return sqrt(spread) / count if spread > 0 else 0.0


def _lifetime(
    first_seen_ms: int | None, orders: int, amount: int, ordered: Rhythm, rhythm: Rhythm, end_day: int
) -> Values:
    today = end_day - 1
    tenure = today - first_seen_ms // DAY_MS if first_seen_ms is not None else 0
    if tenure < 0:
        tenure = 0
    if not rhythm.days:
        return (float(tenure), *_NO_LIFE[1:])
    first_day = rhythm.first_day
    repeats, span, age = rhythm.days - 1, rhythm.last_day - first_day, today - first_day
    alive, quiet = (indices_of_few if repeats < FEW_REPEATS else indices)(repeats, span, age)
    return (
        float(tenure),
        float(ordered.days),
        30 * repeats / (age + 30),
        span / age if age else 1.0,
        alive,
        quiet,
        amount / orders / 1_000 if orders else 0.0,
        amount / 1_000,
    )


@lru_cache(maxsize=1 << len(PRESENCE))
def _presence(bits: int) -> Values:
    return tuple(float(bits >> stretch & 1) for stretch in range(len(PRESENCE)))


def _login_rhythm(activity: Activity, end_day: int) -> Rhythm:
    past = NO_RHYTHM if activity.past is None else activity.past.login_rhythm
    return extend(past, [tile.day for tile in activity.login_tiles if tile.day < end_day])


def _reviews(activity: Activity, end_day: int) -> Values:
    cancelled = 0
    if activity.cancellations:
        end_ms = end_day * DAY_MS
        cancelled = sum(end_ms - 180 * DAY_MS <= at_ms < end_ms for at_ms in activity.cancellations)
    return (*review_figures(activity.review_tiles, activity.past, end_day), float(cancelled))
