"""Tiles in their places, and numbers as integers."""

from itertools import permutations

import pytest

from features.tiles import OrderTile, any_between, tenths, thousandths, tile_on


def test_tiles_stay_ascending_in_whatever_order_days_come() -> None:
    for days in permutations([1, 5, 5, 9]):
        tiles: list[OrderTile] = []
        for day in days:
            tile_on(tiles, day, OrderTile).orders += 1
        assert [(tile.day, tile.orders) for tile in tiles] == [(1, 1), (5, 2), (9, 1)]


@pytest.mark.parametrize(
    ("first", "end", "found"), [(0, 5, False), (0, 6, True), (5, 6, True), (6, 9, False), (9, 99, True)]
)
def test_between_is_half_open(first: int, end: int, found: bool) -> None:
    assert any_between([OrderTile(5), OrderTile(9)], first, end) is found


@pytest.mark.parametrize(
    ("amount", "whole"), [(0.0, 0), (11.77, 11_770), (0.1 + 0.2, 300), (1e12, 10**15), (0.0004, 0)]
)
def test_money_is_counted_in_thousandths(amount: float, whole: int) -> None:
    assert thousandths(amount) == whole


@pytest.mark.parametrize(("number", "whole"), [(4.5, 45), (3, 30), (0.04, 0), (0.05, 1), (1e9, 10**10)])
def test_ratings_and_items_are_counted_in_tenths(number: float, whole: int) -> None:
    assert tenths(number) == whole
