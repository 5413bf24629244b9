"""What remains of tiles that no window reaches any more: the lifetime figures, and the last day for the next gap."""

import msgspec

from features.rhythm import NO_RHYTHM, Rhythm, extend
from features.tiles import SUM_MAX, AnyTile, LoginTile, OrderTile, ReviewTile


class Past(msgspec.Struct, array_like=True, gc=False):
    """Sums over tiles older than the retention, in the tiles' units."""

    orders: int = 0
    amount: int = 0
    order_rhythm: Rhythm = NO_RHYTHM
    login_rhythm: Rhythm = NO_RHYTHM
    ratings: int = 0
    rating_tenths: int = 0


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
    past.order_rhythm = extend(past.order_rhythm, [tile.day for tile in orders if tile.orders])
    past.login_rhythm = extend(past.login_rhythm, [tile.day for tile in logins])
    past.ratings += sum(tile.ratings for tile in reviews)
    past.rating_tenths += sum(tile.rating_tenths for tile in reviews)
