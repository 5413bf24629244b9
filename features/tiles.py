"""Sparse daily tiles: what one customer did on one UTC day, as counts and sums.

A tile is a sum, so it does not matter in which order the events of a day arrive, nor in which order the days do. Only
days on which something happened have one. All sums are integers: floating-point addition depends on the order of its
terms, and then two workers that saw the same events in another order would hold different states.

>>> tiles: list[OrderTile] = []
>>> tile_on(tiles, 10_000, OrderTile).orders += 1
>>> tile_on(tiles, 9_998, OrderTile).orders += 1
>>> [tile.day for tile in tiles]
[9998, 10000]
"""

from bisect import bisect_left
from operator import attrgetter
from typing import Final, TypeVar

import msgspec

WINDOW_DAYS_MAX: Final = 180
"""How far back from its instant a feature vector reads tiles."""

RETENTION_DAYS: Final = WINDOW_DAYS_MAX + 14
"""Days before the present for which tiles are kept: a vector may be computed up to two weeks late and is still exact."""

SUM_MAX: Final = 2**62
"""Sums stop here: MessagePack knows no integer above 64 bits, and a value that cannot be written stops a partition."""

_THOUSANDTHS: Final = 1_000
_TENTHS: Final = 10


class Tile(msgspec.Struct, array_like=True, gc=False):
    """A day's tile. `day` is the UTC day number since 1970-01-01."""

    day: int


class OrderTile(Tile, array_like=True, gc=False):
    """Orders of a day. The first four are of placed orders: count, amount and discount in thousandths, items in tenths."""

    orders: int = 0
    amount: int = 0
    discount: int = 0
    items: int = 0
    cancelled: int = 0
    returned: int = 0


class LoginTile(Tile, array_like=True, gc=False):
    """Logins of a day. `timed` are those that state how long the session took; `channels` is a bit set."""

    logins: int = 0
    timed: int = 0
    seconds: int = 0
    channels: int = 0


class ReviewTile(Tile, array_like=True, gc=False):
    """Reviews and surveys of a day: ratings (1 to 5) and survey answers (0 to 10), and how many mention a topic."""

    ratings: int = 0
    rating_tenths: int = 0
    surveys: int = 0
    nps_tenths: int = 0
    price: int = 0
    service: int = 0
    product: int = 0
    other: int = 0


AnyTile = TypeVar("AnyTile", bound=Tile)
_DAY_OF_TILE = attrgetter("day")


def tile_on(tiles: list[AnyTile], day: int, new: type[AnyTile]) -> AnyTile:
    """The tile of `day` in `tiles` (ascending by day), put in its place if there is none yet."""
    if not tiles or tiles[-1].day < day:
        tiles.append(new(day))
        return tiles[-1]
    if tiles[-1].day == day:
        return tiles[-1]
    index = bisect_left(tiles, day, key=_DAY_OF_TILE)
    if tiles[index].day != day:
        tiles.insert(index, new(day))
    return tiles[index]


def any_between(tiles: list[AnyTile], first_day: int, end_day: int) -> bool:
    """Whether a tile lies in [first_day, end_day)."""
    index = bisect_left(tiles, first_day, key=_DAY_OF_TILE)
    return index < len(tiles) and tiles[index].day < end_day


def thousandths(amount: float) -> int:
    """Money as a whole number of thousandths: no currency in common use has more than three decimals.

    >>> thousandths(11.77)
    11770
    """
    return int(amount * _THOUSANDTHS + 0.5)


def tenths(number: float) -> int:
    """A rating or a number of items as a whole number of tenths.

    >>> tenths(4.5)
    45
    """
    return int(number * _TENTHS + 0.5)
