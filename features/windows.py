"""Rolling windows: one walk over a customer's tiles of a stream gives that stream's figures of all windows at once.

All windows end at the same `end_day` and are half-open: a window of n days is [end_day - n, end_day), the one before it
[end_day - 2n, end_day - n). A tile falls into them by its age, which is 1 on the day before `end_day`:

    end_day - 180          - 90           - 60           - 30           - 7       end_day
            |              |              |              |              |  7 days  )
            |              |              |              |        30 days          )
            |              |              |  30 before   )
            |              |                       90 days                         )
            |  90 before   )

Beside its figures, the walk over orders says in which stretches of the past year (`catalog.PRESENCE_ENDS`) there was an
order at all: one bit each, from the tiles and, beyond them, from the days that `past` remembers.

Every look pays for these walks. Most customers have few tiles, and then what is built around the walk costs more than the
walk: so sums are plain locals, a customer of whom a stream knows nothing gets the catalogue's defaults as they are, and a
count becomes a float by `* 1.0`, which takes half the time of a call.
"""

from bisect import bisect_left
from typing import Final

from features.catalog import CATALOG, INDEX, LOGINS, ORDERS, PRESENCE_ENDS, Feature
from features.past import Past
from features.rhythm import NO_RHYTHM, Rhythm, extend
from features.tiles import WINDOW_DAYS_MAX, LoginTile, OrderTile, ReviewTile

Values = tuple[float, ...]

_AGE_MAX: Final = PRESENCE_ENDS[-1]
_BIT_OF_AGE: Final = tuple(1 << bisect_left(PRESENCE_ENDS, age) for age in range(_AGE_MAX + 1))


def defaults(group: tuple[Feature, ...]) -> Values:
    """The values of a group of features for a customer of whom there is nothing to compute them from."""
    return tuple(float(feature.default) for feature in group)


_NO_ORDERS: Final = defaults(ORDERS)
_NO_LOGINS: Final = defaults(LOGINS)
_RATING, _NPS = (float(CATALOG[INDEX[name]].default) for name in ("rating_90d", "nps_180d"))


def order_figures(tiles: list[OrderTile], past: Past | None, end_day: int) -> tuple[Values, Rhythm, int, int, int]:
    """Walk over `tiles` (ascending) of days before `end_day`; lifetime figures and the rhythm start from `past`.

    Returns the values of `ORDERS`; the rhythm of the days with an order; presence; orders, and their amount in thousandths, ever.
    """
    if past is None and not tiles:
        return _NO_ORDERS, NO_RHYTHM, 0, 0, 0
    orders = amount = presence = 0
    rhythm = NO_RHYTHM
    if past is not None:
        orders, amount, rhythm = past.orders, past.amount, past.order_rhythm
        presence = _presence_of(past.order_days, end_day)
    n7 = n30 = n60 = n90 = n180 = a7 = a30 = a60 = a90 = discount = items = cancelled = returned = 0
    days = []
    for tile in tiles:
        age = end_day - tile.day
        if age <= 0:
            break
        placed = tile.orders
        if placed:
            days.append(tile.day)
            orders += placed
            paid = tile.amount
            amount += paid
            if age <= 90:
                n90 += placed
                a90 += paid
                if age <= 30:
                    n30 += placed
                    a30 += paid
                    if age <= 7:
                        n7 += placed
                        a7 += paid
                elif age <= 60:
                    n60 += placed
                    a60 += paid
            elif age <= WINDOW_DAYS_MAX:
                n180 += placed
            presence |= _BIT_OF_AGE[age] if age <= _AGE_MAX else 0
        if age <= 90:
            discount += tile.discount
            items += tile.items
            cancelled += tile.cancelled
            returned += tile.returned
    rhythm = extend(rhythm, days)
    values = (
        float(end_day - 1 - rhythm.last_day) if orders else 0.0,
        n7 * 1.0,
        n30 * 1.0,
        n60 * 1.0,
        n90 * 1.0,
        n180 * 1.0,
        a7 / 1_000,
        a30 / 1_000,
        a60 / 1_000,
        a90 / 1_000,
        (n30 + 1) / (n60 + 1),
        (n90 + 1) / (n180 + 1),
        items / 10,
        discount / (a90 + discount) if discount else 0.0,
        a90 / n90 / (amount / orders) if n90 and amount else 1.0,
        cancelled * 1.0,
        returned * 1.0,
    )
    return values, rhythm, presence, orders, amount


def _presence_of(days: list[int], end_day: int) -> int:
    presence = 0
    for day in days:
        age = end_day - day
        presence |= _BIT_OF_AGE[age] if 0 < age <= _AGE_MAX else 0
    return presence


def login_figures(tiles: list[LoginTile], past: Past | None, end_day: int, ordered_day: int) -> Values:
    """The values of `LOGINS` from `tiles` (ascending) of days before `end_day`; `ordered_day` is the last day with an order, -1 for none."""
    last_day = ordered_day
    if past is not None and past.login_rhythm.last_day > last_day:
        last_day = past.login_rhythm.last_day
    if not tiles:
        return (float(end_day - 1 - last_day) if last_day >= 0 else 0.0, *_NO_LOGINS[1:])
    n7 = n30 = n60 = n90 = days = timed = seconds = channels = 0
    for tile in reversed(tiles):
        age = end_day - tile.day
        if age <= 0:
            continue
        if tile.day > last_day:
            last_day = tile.day
        if age > 90:
            break
        logins = tile.logins
        n90 += logins
        channels |= tile.channels
        if age <= 30:
            n30 += logins
            days += 1
            timed += tile.timed
            seconds += tile.seconds
            if age <= 7:
                n7 += logins
        elif age <= 60:
            n60 += logins
    return (
        float(end_day - 1 - last_day) if last_day >= 0 else 0.0,
        n7 * 1.0,
        n30 * 1.0,
        n60 * 1.0,
        n90 * 1.0,
        days * 1.0,
        (n30 + 1) / (n60 + 1),
        seconds / timed / 60 if timed else 0.0,
        float(channels.bit_count()),
    )


def review_figures(tiles: list[ReviewTile], past: Past | None, end_day: int) -> Values:
    """The values of `REVIEWS` but the last from `tiles` (ascending) of days before `end_day`; ratings before the window start from `past`."""
    older, older_tenths = (0, 0) if past is None else (past.ratings, past.rating_tenths)
    ratings = rating_tenths = surveys = nps_tenths = price = service = product = other = 0
    for tile in tiles:
        age = end_day - tile.day
        if age <= 0:
            break
        if age <= WINDOW_DAYS_MAX:
            surveys += tile.surveys
            nps_tenths += tile.nps_tenths
        if age > 90:
            older += tile.ratings
            older_tenths += tile.rating_tenths
            continue
        ratings += tile.ratings
        rating_tenths += tile.rating_tenths
        price += tile.price
        service += tile.service
        product += tile.product
        other += tile.other
    rating, trend = _RATING, 0.0
    if ratings:
        rating = rating_tenths / ratings / 10
        if older:
            trend = rating - older_tenths / older / 10
    return (
        rating,
        trend,
        nps_tenths / surveys / 10 if surveys else _NPS,
        float(price),
        float(service),
        float(product),
        float(other),
    )
