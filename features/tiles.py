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

from streams.bounds import Day, Sum

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

    day: Day


class OrderTile(Tile, array_like=True, gc=False):
    """Orders of a day. The first four are of placed orders: count, amount and discount in thousandths, items in tenths."""

    orders: Sum = 0
    amount: Sum = 0
    discount: Sum = 0
    items: Sum = 0
    cancelled: Sum = 0
    returned: Sum = 0


class LoginTile(Tile, array_like=True, gc=False):
    """Logins of a day. `timed` are those that state how long the session took; `channels` is a bit set."""

    logins: Sum = 0
    timed: Sum = 0
    seconds: Sum = 0
    channels: Sum = 0


class ReviewTile(Tile, array_like=True, gc=False):
    """Reviews and surveys of a day: ratings (1 to 5) and survey answers (0 to 10), and how many mention a topic.

    The last five are of poor ones (`complaints`): how many complain of what, and how many name nothing.
    """

    ratings: Sum = 0
    rating_tenths: Sum = 0
    surveys: Sum = 0
    nps_tenths: Sum = 0
    price: Sum = 0
    service: Sum = 0
    product: Sum = 0
    other: Sum = 0
    poor_price: Sum = 0
    poor_service: Sum = 0
    poor_product: Sum = 0
    poor_rivals: Sum = 0
    poor_mute: Sum = 0


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
