"""Rolling windows: one walk over a customer's tiles gives the sums of all windows at once.

All windows end at the same `end_day` and are half-open: a window of n days is [end_day - n, end_day), its predecessor
[end_day - 2n, end_day - n). A tile falls into one of five bands by its age, and the windows are sums of bands:

    end_day - 180         - 90          - 60          - 30          - 7           end_day
            |  before_90   |  d61_90     |  d31_60     |  d8_30      |  d1_7        )
                           |  90 days = d1_7 + d8_30 + d31_60 + d61_90              )
                                         | 30 before  |  30 days = d1_7 + d8_30     )
"""

from typing import Final

import msgspec

from features.past import Past
from features.tiles import LoginTile, OrderTile, ReviewTile

NO_PAST: Final = Past()


class OrderSums(msgspec.Struct, gc=False):
    """Orders as of a day: counts (n), amounts (a, thousandths) by window, gaps (days), lifetime figures."""

    n7: int
    n30: int
    n_before_30: int
    n90: int
    n_before_90: int
    a7: int
    a30: int
    a_before_30: int
    a90: int
    items: int
    discount: int
    cancelled: int
    returned: int
    orders: int
    amount: int
    days: int
    first_day: int
    last_day: int
    gap_squares: int
    gap_max: int
    gap_last: int


def order_sums(tiles: list[OrderTile], past: Past, end_day: int) -> OrderSums:
    """Sums over `tiles` (ascending) of days before `end_day`; lifetime figures start from `past`."""
    n7 = n8 = n31 = n61 = n91 = a7 = a8 = a31 = a61 = items = discount = cancelled = returned = gap_last = 0
    orders, amount, days = past.orders, past.amount, past.order_days
    first_day, last_day = past.first_order_day, past.last_order_day
    squares, gap_max = past.gap_squares, past.gap_max
    for tile in tiles:
        day = tile.day
        if day >= end_day:
            break
        n, a, age = tile.orders, tile.amount, end_day - day
        if n:
            orders += n
            amount += a
            days += 1
            if last_day < 0:
                first_day = last_day = day
            elif day > last_day:
                gap_last = day - last_day
                squares += gap_last * gap_last
                if gap_last > gap_max:
                    gap_max = gap_last
                last_day = day
        if age > 90:
            if age <= 180:
                n91 += n
            continue
        items += tile.items
        discount += tile.discount
        cancelled += tile.cancelled
        returned += tile.returned
        if age <= 7:
            n7 += n
            a7 += a
        elif age <= 30:
            n8 += n
            a8 += a
        elif age <= 60:
            n31 += n
            a31 += a
        else:
            n61 += n
            a61 += a
    n30, a30 = n7 + n8, a7 + a8
    return OrderSums(
        n7, n30, n31, n30 + n31 + n61, n91, a7, a30, a31, a30 + a31 + a61, items, discount, cancelled, returned,
        orders, amount, days, first_day, last_day, squares, gap_max, gap_last,
    )  # fmt: skip


class LoginSums(msgspec.Struct, gc=False):
    """Logins as of a day: counts by window, days and timed sessions in 30 days, channels (bit set) in 90."""

    n7: int
    n30: int
    n_before_30: int
    n90: int
    days_30: int
    timed_30: int
    seconds_30: int
    channels_90: int
    last_day: int


def login_sums(tiles: list[LoginTile], past: Past, end_day: int) -> LoginSums:
    """Sums over `tiles` (ascending) of days before `end_day`."""
    n7 = n8 = n31 = n61 = days = timed = seconds = channels = 0
    last_day = past.last_login_day
    for tile in tiles:
        day = tile.day
        if day >= end_day:
            break
        last_day = day
        age = end_day - day
        if age > 90:
            continue
        n = tile.logins
        channels |= tile.channels
        if age > 60:
            n61 += n
        elif age > 30:
            n31 += n
        else:
            days += 1
            timed += tile.timed
            seconds += tile.seconds
            if age > 7:
                n8 += n
            else:
                n7 += n
    return LoginSums(n7, n7 + n8, n31, n7 + n8 + n31 + n61, days, timed, seconds, channels, last_day)


class ReviewSums(msgspec.Struct, gc=False):
    """Reviews as of a day: ratings in 90 days and before, survey answers in 180, mentions of topics in 90."""

    ratings_90: int
    rating_sum_90: int
    ratings_before: int
    rating_sum_before: int
    surveys_180: int
    nps_sum_180: int
    price: int
    service: int
    product: int
    other: int


def review_sums(tiles: list[ReviewTile], past: Past, end_day: int) -> ReviewSums:
    """Sums over `tiles` (ascending) of days before `end_day`; ratings before the window start from `past`."""
    sums = ReviewSums(0, 0, past.ratings, past.rating_sum, 0, 0, 0, 0, 0, 0)
    for tile in tiles:
        age = end_day - tile.day
        if age <= 0:
            break
        if age <= 180:
            sums.surveys_180 += tile.surveys
            sums.nps_sum_180 += tile.nps_sum
        if age > 90:
            sums.ratings_before += tile.ratings
            sums.rating_sum_before += tile.rating_sum
            continue
        sums.ratings_90 += tile.ratings
        sums.rating_sum_90 += tile.rating_sum
        sums.price += tile.price
        sums.service += tile.service
        sums.product += tile.product
        sums.other += tile.other
    return sums
