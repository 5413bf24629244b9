"""Where windows begin and end: each test is drawn above its assertion, one column for each side of a border.

`E` is the first day that does not count; ages are counted back from it, so the day before E has age 1.
"""

import pytest

from features.past import Past
from features.rhythm import Rhythm
from features.tiles import LoginTile, OrderTile, ReviewTile
from features.windows import NO_PAST, login_sums, order_sums, review_sums

E = 20_000
AGES = (181, 180, 91, 90, 61, 60, 31, 30, 8, 7, 1, 0, -1)


def test_a_count_falls_into_the_windows_of_its_age() -> None:
    #             age  181 180 91 90 61 60 31 30  8  7  1 | 0 -1
    drawn = {
        "orders_7": "     .   .  .  .  .  .  .  .  .  x  x   .  .",
        "orders_30": "    .   .  .  .  .  .  .  x  x  x  x   .  .",
        "orders_before_30": ".  .  .  .  .  x  x  .  .  .  .   .  .",
        "orders_90": "    .   .  .  x  x  x  x  x  x  x  x   .  .",
        "orders_before_90": ".  x  x  .  .  .  .  .  .  .  .   .  .",
        "orders": "       x   x  x  x  x  x  x  x  x  x  x   .  .",
    }
    for window, row in drawn.items():
        for age, mark in zip(AGES, row.split(), strict=True):
            sums = order_sums([OrderTile(E - age, orders=1)], NO_PAST, E)
            assert getattr(sums, window) == (mark == "x"), f"{window}, age {age}"


def test_logins_fall_into_the_windows_of_their_age() -> None:
    #             age  181 180 91 90 61 60 31 30  8  7  1 | 0 -1
    drawn = {
        "logins_7": "     .   .  .  .  .  .  .  .  .  x  x   .  .",
        "logins_30": "    .   .  .  .  .  .  .  x  x  x  x   .  .",
        "logins_before_30": ".  .  .  .  .  x  x  .  .  .  .   .  .",
        "logins_90": "    .   .  .  x  x  x  x  x  x  x  x   .  .",
        "days_30": "      .   .  .  .  .  .  .  x  x  x  x   .  .",
        "seconds_30": "   .   .  .  .  .  .  .  x  x  x  x   .  .",
        "channels_90": "  .   .  .  x  x  x  x  x  x  x  x   .  .",
    }
    for window, row in drawn.items():
        for age, mark in zip(AGES, row.split(), strict=True):
            sums = login_sums([LoginTile(E - age, 1, 1, 1, 1)], NO_PAST, E)
            assert getattr(sums, window) == (mark == "x"), f"{window}, age {age}"


def test_reviews_fall_into_the_windows_of_their_age() -> None:
    #             age  181 180 91 90 61 60 31 30  8  7  1 | 0 -1
    drawn = {
        "ratings_90": "   .   .  .  x  x  x  x  x  x  x  x   .  .",
        "ratings_before": "x  x  x  .  .  .  .  .  .  .  .   .  .",
        "surveys_180": "  .   x  x  x  x  x  x  x  x  x  x   .  .",
        "price_90": "     .   .  .  x  x  x  x  x  x  x  x   .  .",
    }
    for window, row in drawn.items():
        for age, mark in zip(AGES, row.split(), strict=True):
            sums = review_sums([ReviewTile(E - age, 1, 40, 1, 70, price=1)], NO_PAST, E)
            assert getattr(sums, window) == (mark == "x"), f"{window}, age {age}"


@pytest.mark.parametrize(("age", "counts"), [(91, False), (90, True), (1, True), (0, False)])
def test_what_is_summed_over_90_days_only(age: int, counts: bool) -> None:
    tile = OrderTile(E - age, orders=1, amount=5_000, discount=300, items=20, cancelled=2, returned=3)
    sums = order_sums([tile], NO_PAST, E)
    wanted = (5_000, 300, 20, 2, 3) if counts else (0, 0, 0, 0, 0)
    assert (sums.amount_90, sums.discount_90, sums.items_90, sums.cancelled_90, sums.returned_90) == wanted


@pytest.mark.parametrize("remembered", [False, True], ids=["tile", "past"])
def test_a_day_with_an_order_is_seen_in_its_stretch_of_the_year(remembered: bool) -> None:
    #     stretch   0     1      2       3       4       5     9     10         12        none
    ages = {1: 0, 7: 0, 8: 1, 14: 1, 15: 2, 21: 2, 22: 3, 180: 9, 181: 10, 306: 12, 365: 12}
    for age, stretch in ages.items():
        tiles = [] if remembered else [OrderTile(E - age, orders=1)]
        past = Past(order_days=[E - age]) if remembered else NO_PAST
        assert order_sums(tiles, past, E).presence == 1 << stretch, age
    for age in (-1, 0, 366, 5_000):
        assert order_sums([], Past(order_days=[E - age]), E).presence == 0
        assert order_sums([OrderTile(E - age, orders=1)], NO_PAST, E).presence == 0
    assert order_sums([OrderTile(E - 3, cancelled=1)], NO_PAST, E).presence == 0


def test_a_day_with_cancellations_only_is_no_order_day() -> None:
    sums = order_sums([OrderTile(E - 5, cancelled=1), OrderTile(E - 3, orders=2)], NO_PAST, E)
    assert sums.rhythm == Rhythm(1, E - 3, E - 3)


def test_lifetime_figures_go_on_from_the_past() -> None:
    past = Past(4, 8_000, Rhythm(3, E - 400, E - 300, 5_000, 70, 30), Rhythm(1, E - 250, E - 250), 2, 70)
    orders = order_sums([OrderTile(E - 200, orders=2, amount=500)], past, E)
    assert (orders.orders, orders.amount) == (6, 8_500)
    assert orders.rhythm == Rhythm(4, E - 400, E - 200, 15_000, 100, 100)
    assert login_sums([LoginTile(E - 240, 1)], past, E).rhythm == Rhythm(2, E - 250, E - 240, 100, 10, 10)
    reviews = review_sums([ReviewTile(E - 100, 1, 50)], past, E)
    assert (reviews.ratings_before, reviews.rating_tenths_before) == (3, 120)
