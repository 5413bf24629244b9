"""What a customer is worth: the figures, and what must hold of them whatever the input."""

from dataclasses import astuple
from itertools import pairwise
from math import isfinite

import pytest

from alerts.value import (
    DEFAULT_BUYING,
    HORIZON_DAYS,
    HORIZONS_DAYS,
    Buying,
    History,
    annual_value,
    at_risk,
    buying_in,
    forecast,
    staying,
)

SHOP = Buying(0.7, 50.0, 0.4, 3.0, 30.0)
REGULAR = History(order_days=12, amount=600.0, span_days=330.0, age_days=340.0)


def test_a_long_history_speaks_for_itself() -> None:
    weekly = annual_value(order_days=105, amount=105 * 20.0, age_days=104 * 7.0)
    assert weekly == pytest.approx(52 * 20.0, rel=0.1)


def test_two_orders_on_one_weekend_are_no_habit() -> None:
    assert annual_value(order_days=2, amount=100.0, age_days=1.0) < 700.0


def test_one_order_leaves_the_population_s_rate() -> None:
    shop = Buying(1.0, 100.0, 1.0, 1.0)
    assert annual_value(order_days=1, amount=50.0, age_days=0.0, buying=shop) == pytest.approx(HORIZON_DAYS / 100 * 50)


def test_a_typical_order_steadies_a_single_large_one() -> None:
    large, small = (annual_value(order_days=1, amount=amount, age_days=10.0, buying=SHOP) for amount in (300.0, 30.0))
    assert large / small == pytest.approx((300.0 + 60.0) / (30.0 + 60.0))


def test_no_order_is_worth_nothing_that_is_known() -> None:
    assert annual_value(order_days=0, amount=0.0, age_days=0.0) == 0.0
    assert astuple(forecast(History(0, 0.0, 0.0, 0.0), 180)) == (180, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0)


def test_what_the_profile_states_counts() -> None:
    assert annual_value(order_days=9, amount=900.0, age_days=90.0, override=1234.5) == 1234.5
    assert annual_value(order_days=9, amount=900.0, age_days=90.0, override=-1.0) == 0.0


def test_the_forecast_of_a_year_is_the_annual_value() -> None:
    year = forecast(REGULAR, HORIZON_DAYS, SHOP)
    worth = annual_value(order_days=12, amount=600.0, age_days=340.0, buying=SHOP)
    assert year.if_staying == pytest.approx(worth)
    assert year.expected == pytest.approx(worth * staying(REGULAR, SHOP))


def test_more_is_expected_of_a_longer_time() -> None:
    told = [forecast(REGULAR, days, SHOP) for days in HORIZONS_DAYS]
    for shorter, longer in pairwise(told):
        assert shorter.expected < longer.expected
        assert shorter.high < longer.high
        assert shorter.nothing > longer.nothing


def test_silence_is_told_as_doubt() -> None:
    quiet = forecast(REGULAR._replace(age_days=600.0), 180, SHOP)
    busy = forecast(REGULAR, 180, SHOP)
    assert quiet.staying < 0.1
    assert busy.staying > 0.9
    assert (quiet.low, quiet.high) == (0.0, 0.0)
    assert busy.low > 0.0


@pytest.mark.parametrize("history", [REGULAR, History(1, 1e300, 0.0, 0.0), History(10**9, 1.0, 5.0, 1e12)])
def test_nothing_becomes_absurd(history: History) -> None:
    for days in HORIZONS_DAYS:
        told = forecast(history, days, SHOP)
        assert all(isfinite(figure) and figure >= 0.0 for figure in astuple(told))
        assert told.low <= told.high


@pytest.mark.parametrize(
    "extra",
    [{}, {"buying": None}, {"buying": [1.0, 2.0]}, {"buying": [1.0, 2.0, 3.0, float("nan"), 5.0]}, {"buying": "12345"}, {"buying": [0.0] * 5}],
)  # fmt: skip
def test_a_guide_that_tells_nothing_sensible_leaves_the_default(extra: dict[str, object]) -> None:
    assert buying_in(extra) is DEFAULT_BUYING


def test_a_guide_tells_of_the_population() -> None:
    assert buying_in({"buying": [0.7, 50.0, 0.4, 3, 30.0]}) == SHOP


def test_value_at_risk_is_value_times_risk() -> None:
    assert at_risk(400.0, 0.25) == 100.0
