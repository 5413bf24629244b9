"""Rolling windows: one walk over a customer's tiles gives the sums of all windows at once.

All windows end at the same `end_day` and are half-open: a window of n days is [end_day - n, end_day), the one before it
[end_day - 2n, end_day - n). A tile falls into one band by its age, and a window is a sum of bands:

    end_day - 180          - 90           - 60           - 30           - 7       end_day
            |    band 4      |    band 3    |    band 2    |    band 1    |  band 0  )
                                                                          |  7 days  )
                                                           |         30 days         )
                                            |  30 before   )
                             |                        90 days                        )
            |   90 before    )

Beside the sums, `presence` says in which stretches of the past year (`catalog.PRESENCE_ENDS`) there was an order at all: one
bit each, from the tiles and, beyond them, from the days that `past` remembers.
"""

from bisect import bisect_left
from typing import Final

import msgspec

from features.catalog import PRESENCE_ENDS
from features.past import Past
from features.rhythm import Rhythm, extend
from features.tiles import WINDOW_DAYS_MAX, LoginTile, OrderTile, ReviewTile

NO_PAST: Final = Past()

_BAND_ENDS: Final = (7, 30, 60, 90, WINDOW_DAYS_MAX)
_BANDS: Final = len(_BAND_ENDS) + 1
_AGE_MAX: Final = WINDOW_DAYS_MAX + 1
_BAND_OF_AGE: Final = bytes(bisect_left(_BAND_ENDS, age) for age in range(_AGE_MAX + 1))
"""Band by age in days, where the day before `end_day` has age 1; the last band is beyond all windows."""

_PRESENCE_AGE_MAX: Final = PRESENCE_ENDS[-1] + 1
_BIT_OF_AGE: Final = (*(1 << bisect_left(PRESENCE_ENDS, age) for age in range(_PRESENCE_AGE_MAX)), 0)
"""Bit of `presence` by age; the last is for all days beyond the past year."""


class OrderSums(msgspec.Struct, frozen=True, gc=False):
    """Placed orders before a day: counts and amounts (thousandths) by window, lifetime figures, rhythm, presence."""

    orders_7: int
    orders_30: int
    orders_before_30: int
    orders_90: int
    orders_before_90: int
    amount_7: int
    amount_30: int
    amount_before_30: int
    amount_90: int
    discount_90: int
    items_90: int
    cancelled_90: int
    returned_90: int
    orders: int
    amount: int
    rhythm: Rhythm
    presence: int


class LoginSums(msgspec.Struct, frozen=True, gc=False):
    """Logins before a day: counts by window, days and timed sessions in 30 days, channels (bit set) in 90, rhythm."""

    logins_7: int
    logins_30: int
    logins_before_30: int
    logins_90: int
    days_30: int
    timed_30: int
    seconds_30: int
    channels_90: int
    rhythm: Rhythm


class ReviewSums(msgspec.Struct, gc=False):
    """Reviews before a day: ratings in 90 days and before, survey answers in 180, mentions of topics in 90."""

    ratings_90: int = 0
    rating_tenths_90: int = 0
    ratings_before: int = 0
    rating_tenths_before: int = 0
    surveys_180: int = 0
    nps_tenths_180: int = 0
    price_90: int = 0
    service_90: int = 0
    product_90: int = 0
    other_90: int = 0


def order_sums(tiles: list[OrderTile], past: Past, end_day: int) -> OrderSums:
    """Sum `tiles` (ascending) of days before `end_day`; lifetime figures start from `past`."""
    counts, amounts, days = [0] * _BANDS, [0] * _BANDS, []
    discount = items = cancelled = returned = presence = 0
    for tile in tiles:
        age = end_day - tile.day
        if age <= 0:
            break
        band = _BAND_OF_AGE[age if age < _AGE_MAX else _AGE_MAX]
        if tile.orders:
            days.append(tile.day)
            presence |= _BIT_OF_AGE[age if age < _PRESENCE_AGE_MAX else _PRESENCE_AGE_MAX]
            counts[band] += tile.orders
            amounts[band] += tile.amount
        if age <= 90:
            discount += tile.discount
            items += tile.items
            cancelled += tile.cancelled
            returned += tile.returned
    for day in past.order_days:
        age = end_day - day
        presence |= _BIT_OF_AGE[age if 0 < age < _PRESENCE_AGE_MAX else _PRESENCE_AGE_MAX]
    n7, n8, n31, n61, n91, _ = counts
    a7, a8, a31, a61, _, _ = amounts
    n30, a30 = n7 + n8, a7 + a8
    orders, amount = past.orders + sum(counts), past.amount + sum(amounts)
    rhythm = extend(past.order_rhythm, days)
    return OrderSums(
        n7, n30, n31, n30 + n31 + n61, n91, a7, a30, a31, a30 + a31 + a61,
        discount, items, cancelled, returned, orders, amount, rhythm, presence,
    )  # fmt: skip


def login_sums(tiles: list[LoginTile], past: Past, end_day: int) -> LoginSums:
    """Sum `tiles` (ascending) of days before `end_day`; the rhythm starts from `past`."""
    counts, days = [0] * _BANDS, []
    days_30 = timed = seconds = channels = 0
    for tile in tiles:
        age = end_day - tile.day
        if age <= 0:
            break
        days.append(tile.day)
        counts[_BAND_OF_AGE[age if age < _AGE_MAX else _AGE_MAX]] += tile.logins
        if age <= 90:
            channels |= tile.channels
        if age <= 30:
            days_30 += 1
            timed += tile.timed
            seconds += tile.seconds
    n7, n8, n31, n61, _, _ = counts
    n30 = n7 + n8
    rhythm = extend(past.login_rhythm, days)
    return LoginSums(n7, n30, n31, n30 + n31 + n61, days_30, timed, seconds, channels, rhythm)


def review_sums(tiles: list[ReviewTile], past: Past, end_day: int) -> ReviewSums:
    """Sum `tiles` (ascending) of days before `end_day`; ratings before the window start from `past`."""
    sums = ReviewSums(ratings_before=past.ratings, rating_tenths_before=past.rating_tenths)
    for tile in tiles:
        age = end_day - tile.day
        if age <= 0:
            break
        if age <= WINDOW_DAYS_MAX:
            sums.surveys_180 += tile.surveys
            sums.nps_tenths_180 += tile.nps_tenths
        if age > 90:
            sums.ratings_before += tile.ratings
            sums.rating_tenths_before += tile.rating_tenths
            continue
        sums.ratings_90 += tile.ratings
        sums.rating_tenths_90 += tile.rating_tenths
        sums.price_90 += tile.price
        sums.service_90 += tile.service
        sums.product_90 += tile.product
        sums.other_90 += tile.other
    return sums
