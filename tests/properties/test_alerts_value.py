"""What must hold of every customer's value, whatever their history: no absurd figure, no dependence on the currency, silence never helps."""

from dataclasses import astuple
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.value import Buying, History, annual_value, at_risk, forecast

days = st.floats(0, 3_000)
amounts = st.floats(0.01, 1e7)
horizons = st.integers(1, 1_000)
anything = st.floats() | st.sampled_from([1e300, -1e300, 5e-324])
shops = st.builds(
    Buying, st.floats(0.01, 20), st.floats(0.5, 500), st.floats(0.01, 20), st.floats(0.05, 50), st.just(0.0) | st.floats(0.5, 5_000)
)  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> History:
    order_days, span = draw(st.integers(1, 400)), draw(days)
    span = span if order_days > 1 else 0.0
    return History(order_days, draw(amounts), span, span + draw(days))


@given(histories(), horizons, shops)
def test_a_forecast_makes_sense(history: History, horizon_days: int, shop: Buying) -> None:
    told = forecast(history, horizon_days, shop)
    assert 0.0 <= told.staying <= 1.0
    assert 0.0 <= told.nothing <= 1.0
    assert 0.0 <= told.low <= told.high
    assert 0.0 <= told.expected <= told.if_staying
    assert told.low == 0.0 or told.nothing < 0.1


@given(histories(), horizons, shops, st.floats(0.1, 1_000))
def test_silence_never_helps(history: History, horizon_days: int, shop: Buying, more_days: float) -> None:
    later = history._replace(age_days=history.age_days + more_days)
    now, then = forecast(history, horizon_days, shop), forecast(later, horizon_days, shop)
    assert then.staying <= now.staying + 1e-12
    assert then.if_staying <= now.if_staying
    assert then.expected <= now.expected + 1e-9


@given(histories(), horizons, shops, st.floats(0.001, 1_000))
def test_a_currency_is_a_unit(history: History, horizon_days: int, shop: Buying, rate: float) -> None:
    told = forecast(history, horizon_days, shop)
    other = forecast(
        history._replace(amount=history.amount * rate),
        horizon_days,
        shop._replace(typical_order=shop.typical_order * rate),
    )
    assert other.staying == told.staying
    for ours, theirs in zip((told.expected, told.low, told.high), (other.expected, other.low, other.high), strict=True):
        assert theirs == pytest.approx(ours * rate, rel=1e-6)


@given(histories(), shops)
def test_the_value_of_an_alert_is_the_forecast_of_a_year(history: History, shop: Buying) -> None:
    worth = annual_value(order_days=history.order_days, amount=history.amount, age_days=history.age_days, buying=shop)
    assert worth == pytest.approx(forecast(history, 365, shop).if_staying, rel=1e-9)
    assert at_risk(worth, 1.0) == worth


@given(st.integers(-5, 10**12), anything, anything, anything, horizons, shops)
def test_nothing_absurd_comes_of_absurd_input(
    order_days: int, amount: float, span: float, age: float, horizon_days: int, shop: Buying
) -> None:
    told = forecast(History(order_days, amount, span, age), horizon_days, shop)
    assert all(figure >= 0.0 for figure in astuple(told))
    if not amount > 1e290:
        assert all(isfinite(figure) for figure in astuple(told))
        assert annual_value(order_days=order_days, amount=amount, age_days=age, buying=shop) >= 0.0
