import pytest

from alerts.value import HORIZON_DAYS, ValuePrior, annual_value, at_risk


def test_a_long_history_speaks_for_itself() -> None:
    weekly = annual_value(order_days=105, amount=105 * 20.0, span_days=104 * 7.0)
    assert weekly == pytest.approx(52 * 20.0, rel=0.1)


def test_two_orders_on_one_weekend_are_no_habit() -> None:
    assert annual_value(order_days=2, amount=100.0, span_days=1.0) < 500.0


def test_one_order_leaves_the_prior() -> None:
    prior = ValuePrior(orders=1.0, days=100.0)
    assert annual_value(order_days=1, amount=50.0, span_days=0.0, prior=prior) == pytest.approx(HORIZON_DAYS / 100 * 50)


def test_no_order_is_worth_nothing_that_is_known() -> None:
    assert annual_value(order_days=0, amount=0.0, span_days=0.0) == 0.0


def test_what_the_profile_states_counts() -> None:
    assert annual_value(order_days=9, amount=900.0, span_days=90.0, override=1234.5) == 1234.5
    assert annual_value(order_days=9, amount=900.0, span_days=90.0, override=-1.0) == 0.0


def test_a_first_order_before_the_first_sign_of_life_does_no_harm() -> None:
    assert annual_value(order_days=2, amount=100.0, span_days=-5.0) == annual_value(
        order_days=2, amount=100.0, span_days=0.0
    )


def test_value_at_risk_is_value_times_risk() -> None:
    assert at_risk(400.0, 0.25) == 100.0
