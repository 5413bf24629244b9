from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.change import RISE_MAX, STALE_MAX, WORTH_MAX, lift, lifted, own_threshold, typical_in, worth

RISKS = st.floats(0.0, 1.0)
LIFTS = st.floats(-2.0, 2.0)


def logit(risk: float) -> float:
    return log(risk / (1.0 - risk))


def test_a_rise_lifts_by_what_it_is_up_to_a_bound() -> None:
    assert lift(0.45, 0.35, 20, 60) == pytest.approx(logit(0.45) - logit(0.35))
    assert lift(0.9, 0.1, 20, 60) == RISE_MAX


def test_a_fall_and_an_unknown_past_are_no_news() -> None:
    assert lift(0.35, 0.45, 20, 60) == lift(0.35, None, 20, 60) == 0.0


@pytest.mark.parametrize(("silence_days", "off"), [(0, 0.0), (30, 0.0), (45, 0.125), (60, 0.25), (90, 0.5), (400, 0.5)])
def test_what_rests_on_a_long_silence_is_lowered(silence_days: float, off: float) -> None:
    assert lift(0.7, 0.7, silence_days, 60) == pytest.approx(-off)


def test_the_horizon_is_the_measure_of_silence() -> None:
    assert lift(0.7, 0.7, 21, 28) == lift(0.7, 0.7, 45, 60)


@given(RISKS, st.none() | RISKS, st.floats(0, 1e4), st.integers(1, 120))
def test_the_lift_is_bounded(risk: float, before: float | None, silence_days: float, horizon_days: int) -> None:
    assert -STALE_MAX <= lift(risk, before, silence_days, horizon_days) <= RISE_MAX


@given(RISKS, RISKS, LIFTS, RISKS)
def test_lifting_keeps_the_order_of_risks(one: float, other: float, by: float, floor: float) -> None:
    low, high = sorted((one, other))
    assert lifted(low, by, floor) <= lifted(high, by, floor)
    assert 0.0 <= lifted(low, by, floor) <= 1.0
    assert lifted(low, 0.0, floor) == low


@given(RISKS, st.floats(0.0, 2.0), RISKS)
def test_nobody_below_the_floor_is_raised(risk: float, by: float, floor: float) -> None:
    if risk < floor:
        assert lifted(risk, by, floor) == risk


@given(RISKS, LIFTS, st.floats(0.005, 1.0), RISKS)
def test_who_reaches_the_threshold_lifted_stands_above_an_own_one(
    risk: float, by: float, threshold: float, floor: float
) -> None:
    own = own_threshold(threshold, by, risk, floor)
    if lifted(risk, by, floor) >= threshold:
        assert risk >= own >= min(floor, threshold, risk)
        if by > 0.0:
            assert own <= max(threshold, floor) + 1e-9
    assert own_threshold(threshold, 0.0, risk, floor) == threshold


@given(st.floats(0.0, 1e12), st.floats(0.0, 1e12), st.floats(1e-2, 1e9))
def test_worth_rises_with_the_value_within_bounds(one: float, other: float, typical: float) -> None:
    low, high = sorted((one, other))
    assert -WORTH_MAX <= worth(low, typical) <= worth(high, typical) <= WORTH_MAX
    assert worth(typical, typical) == 0.0


@pytest.mark.parametrize("typical", [None, 0.0])
def test_where_nothing_is_known_of_values_they_do_not_count(typical: float | None) -> None:
    assert worth(1e6, typical) == 0.0


@pytest.mark.parametrize("told", [None, "80", [80.0], [80.0, "x"], [80.0, None], [80.0, -1.0], {"high_value": 1.0}])
def test_nonsense_about_values_is_passed_over(told: object) -> None:
    assert typical_in({"typical_values": told}, "high_value") is None
