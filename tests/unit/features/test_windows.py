"""Where windows begin and end: each test is drawn above its assertion, one column for each side of a border.

`E` is the first day that does not count; ages are counted back from it, so the day before E has age 1.
"""

import pytest

from features.catalog import LOGINS, ORDERS, REVIEWS, Feature
from features.past import Past
from features.rhythm import NO_RHYTHM, Rhythm
from features.tiles import LoginTile, OrderTile, ReviewTile
from features.windows import Values, login_figures, order_figures, review_figures

E = 20_000
AGES = (181, 180, 91, 90, 61, 60, 31, 30, 8, 7, 1, 0, -1)


def named(group: tuple[Feature, ...], values: Values) -> dict[str, float]:
    return {feature.name: value for feature, value in zip(group, values, strict=False)}


def test_a_count_falls_into_the_windows_of_its_age() -> None:
    #             age  181 180 91 90 61 60 31 30  8  7  1 | 0 -1
    drawn = {
        "orders_7d": "     .   .  .  .  .  .  .  .  .  x  x   .  .",
        "orders_30d": "    .   .  .  .  .  .  .  x  x  x  x   .  .",
        "orders_prev_30d": ".  .  .  .  .  x  x  .  .  .  .   .  .",
        "orders_90d": "    .   .  .  x  x  x  x  x  x  x  x   .  .",
        "orders_prev_90d": ".  x  x  .  .  .  .  .  .  .  .   .  .",
        "ever": "          x   x  x  x  x  x  x  x  x  x  x   .  .",
    }
    for window, row in drawn.items():
        for age, mark in zip(AGES, row.split(), strict=True):
            values, _, _, ever, _ = order_figures([OrderTile(E - age, orders=1)], None, E)
            assert (named(ORDERS, values) | {"ever": ever})[window] == (mark == "x"), f"{window}, age {age}"


def test_logins_fall_into_the_windows_of_their_age() -> None:
    #             age  181 180 91 90 61 60 31 30  8  7  1 | 0 -1
    drawn = {
        "logins_7d": "     .   .  .  .  .  .  .  .  .  x  x   .  .",
        "logins_30d": "    .   .  .  .  .  .  .  x  x  x  x   .  .",
        "logins_prev_30d": ".  .  .  .  .  x  x  .  .  .  .   .  .",
        "logins_90d": "    .   .  .  x  x  x  x  x  x  x  x   .  .",
        "login_days_30d": ".   .  .  .  .  .  .  x  x  x  x   .  .",
        "session_minutes_30d": ". . . .  .  .  .  x  x  x  x   .  .",
        "login_channels_90d": ". . .  x  x  x  x  x  x  x  x   .  .",
    }
    for window, row in drawn.items():
        for age, mark in zip(AGES, row.split(), strict=True):
            figures = named(LOGINS, login_figures([LoginTile(E - age, 1, 1, 60, 1)], None, E, -1))
            assert figures[window] == (mark == "x"), f"{window}, age {age}"


def test_reviews_fall_into_the_windows_of_their_age() -> None:
    #             age  181 180 91 90 61 60 31 30  8  7  1 | 0 -1
    drawn = {
        "rating_90d": "    .   .  .  x  x  x  x  x  x  x  x   .  .",
        "nps_180d": "      .   x  x  x  x  x  x  x  x  x  x   .  .",
        "price_mentions_90d": ". . .  x  x  x  x  x  x  x  x   .  .",
    }
    wanted = {"rating_90d": (3.0, 4.0), "nps_180d": (7.0, 8.0), "price_mentions_90d": (0.0, 1.0)}
    for window, row in drawn.items():
        for age, mark in zip(AGES, row.split(), strict=True):
            figures = named(REVIEWS, review_figures([ReviewTile(E - age, 1, 40, 1, 80, price=1)], None, E))
            assert figures[window] == wanted[window][mark == "x"], f"{window}, age {age}"


@pytest.mark.parametrize(("age", "trend"), [(181, 1.5), (91, 1.5), (90, 0.0), (2, 0.0)])
def test_a_rating_is_held_against_those_before_its_window(age: int, trend: float) -> None:
    tiles = [ReviewTile(E - age, 1, 30), ReviewTile(E - 1, 1, 45)]
    assert review_figures(tiles, None, E)[1] == trend


@pytest.mark.parametrize(("age", "counts"), [(91, False), (90, True), (1, True), (0, False)])
def test_what_is_summed_over_90_days_only(age: int, counts: bool) -> None:
    tile = OrderTile(E - age, orders=1, amount=4_500, discount=500, items=20, cancelled=2, returned=3)
    figures = named(ORDERS, order_figures([tile], None, E)[0])
    names = ("amount_90d", "discount_share_90d", "items_90d", "cancelled_orders_90d", "returned_orders_90d")
    assert tuple(figures[name] for name in names) == ((4.5, 0.1, 2, 2, 3) if counts else (0, 0, 0, 0, 0))


@pytest.mark.parametrize("remembered", [False, True], ids=["tile", "past"])
def test_a_day_with_an_order_is_seen_in_its_stretch_of_the_year(remembered: bool) -> None:
    #     stretch   0     1      2       3       4       5     9     10         12        none
    ages = {1: 0, 7: 0, 8: 1, 14: 1, 15: 2, 21: 2, 22: 3, 180: 9, 181: 10, 306: 12, 365: 12}

    def presence(age: int) -> int:
        if remembered:
            return order_figures([], Past(order_days=[E - age]), E)[2]
        return order_figures([OrderTile(E - age, orders=1)], None, E)[2]

    for age, stretch in ages.items():
        assert presence(age) == 1 << stretch, age
    assert [presence(age) for age in (-1, 0, 366, 5_000)] == [0, 0, 0, 0]
    assert order_figures([OrderTile(E - 3, cancelled=1)], None, E)[2] == 0


def test_a_day_with_cancellations_only_is_no_order_day() -> None:
    _, rhythm, *_ = order_figures([OrderTile(E - 5, cancelled=1), OrderTile(E - 3, orders=2)], None, E)
    assert rhythm == Rhythm(1, E - 3, E - 3)
    assert order_figures([OrderTile(E - 5, cancelled=1)], None, E)[1] == NO_RHYTHM


def test_lifetime_figures_go_on_from_the_past() -> None:
    past = Past(4, 8_000, Rhythm(3, E - 400, E - 300, 5_000, 70, 30), Rhythm(1, E - 250, E - 250), 2, 70)
    _, rhythm, _, orders, amount = order_figures([OrderTile(E - 200, orders=2, amount=500)], past, E)
    assert (orders, amount) == (6, 8_500)
    assert rhythm == Rhythm(4, E - 400, E - 200, 15_000, 100, 100)
    assert review_figures([ReviewTile(E - 100, 1, 50), ReviewTile(E - 1, 1, 50)], past, E)[1] == 5.0 - 120 / 3 / 10


def test_the_last_login_is_that_of_the_tiles_or_of_the_past_and_an_order_is_a_sign_of_life_too() -> None:
    past = Past(login_rhythm=Rhythm(1, E - 250, E - 250))
    assert login_figures([], past, E, -1)[0] == 249
    assert login_figures([LoginTile(E - 240, 1)], past, E, -1)[0] == 239
    assert login_figures([LoginTile(E - 240, 1), LoginTile(E, 1)], past, E, E - 6)[0] == 5
