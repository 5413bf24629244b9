"""What remains of tiles that no sum reaches any more: lifetime figures, and the days with an order of a year."""

from typing import Final

import msgspec

from features.rhythm import NO_RHYTHM, Rhythm, extend
from features.tiles import SUM_MAX, WINDOW_DAYS_MAX, AnyTile, LoginTile, OrderTile, ReviewTile
from streams.bounds import Day, Sum

PRESENCE_DAYS_MAX: Final = 365
"""How far back from its instant a feature vector asks whether there was an order on a day."""

ORDER_DAYS_SPAN: Final = PRESENCE_DAYS_MAX - WINDOW_DAYS_MAX - 1
"""Days before the latest folded one that are kept. That one is older than `tiles.RETENTION_DAYS`, so whatever is older
still by more than this is beyond the reach of every vector that may yet be computed."""


class Past(msgspec.Struct, array_like=True, gc=False):
    """Sums over tiles older than the retention, in the tiles' units; `order_days` ascending."""

    orders: Sum = 0
    amount: Sum = 0
    order_rhythm: Rhythm = NO_RHYTHM
    login_rhythm: Rhythm = NO_RHYTHM
    ratings: Sum = 0
    rating_tenths: Sum = 0
    order_days: list[Day] = []


def take_before(tiles: list[AnyTile], day: int) -> list[AnyTile]:
    """Remove the tiles of days before `day` from `tiles` (ascending) and return them."""
    count = 0
    for tile in tiles:
        if tile.day >= day:
            break
        count += 1
    taken = tiles[:count]
    del tiles[:count]
    return taken


def fold(past: Past, orders: list[OrderTile], logins: list[LoginTile], reviews: list[ReviewTile]) -> None:
    """Add tiles (each list ascending) to `past`."""
    past.orders += sum(tile.orders for tile in orders)
    past.amount = min(past.amount + sum(tile.amount for tile in orders), SUM_MAX)
    days = [tile.day for tile in orders if tile.orders]
    past.order_rhythm = extend(past.order_rhythm, days)
    if days:
        known = sorted({*past.order_days, *days})
        past.order_days = [day for day in known if day >= known[-1] - ORDER_DAYS_SPAN]
    past.login_rhythm = extend(past.login_rhythm, [tile.day for tile in logins])
    past.ratings += sum(tile.ratings for tile in reviews)
    past.rating_tenths += sum(tile.rating_tenths for tile in reviews)
