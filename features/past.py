"""What remains of tiles that no window reaches any more: the lifetime figures, and the last day for the next gap."""

import msgspec

from features.tiles import SUM_MAX, AnyTile, LoginTile, OrderTile, ReviewTile


class Past(msgspec.Struct, array_like=True, gc=False):
    """Sums over tiles older than the retention. Days are UTC day numbers, -1 for none; `gap_squares` in days^2."""

    orders: int = 0
    amount: int = 0
    order_days: int = 0
    first_order_day: int = -1
    last_order_day: int = -1
    gap_squares: int = 0
    gap_max: int = 0
    login_days: int = 0
    first_login_day: int = -1
    last_login_day: int = -1
    ratings: int = 0
    rating_sum: int = 0


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


def fold_orders(past: Past, tiles: list[OrderTile]) -> None:
    """Add `tiles` (ascending) to `past`."""
    for tile in tiles:
        if not tile.orders:
            continue
        past.orders += tile.orders
        past.amount = min(past.amount + tile.amount, SUM_MAX)
        past.order_days += 1
        if past.first_order_day < 0:
            past.first_order_day = tile.day
        elif tile.day > past.last_order_day:
            gap = tile.day - past.last_order_day
            past.gap_squares += gap * gap
            past.gap_max = max(past.gap_max, gap)
        past.last_order_day = max(past.last_order_day, tile.day)


def fold_logins(past: Past, tiles: list[LoginTile]) -> None:
    """Add `tiles` (ascending) to `past`."""
    for tile in tiles:
        past.login_days += 1
        if past.first_login_day < 0:
            past.first_login_day = tile.day
        past.last_login_day = max(past.last_login_day, tile.day)


def fold_reviews(past: Past, tiles: list[ReviewTile]) -> None:
    """Add `tiles` to `past`."""
    for tile in tiles:
        past.ratings += tile.ratings
        past.rating_sum += tile.rating_sum
