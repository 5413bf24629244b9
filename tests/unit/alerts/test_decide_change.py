"""Alerting on change: what is new is alerted below the threshold, what is old above it."""

import pytest

from tests.unit.alerts.test_decide import OPENED, Case


@pytest.fixture
def case() -> Case:
    """Threshold .6, floor .3; ordered on day 0, looked at then."""
    case = Case()
    assert case.look(0.5, 0.1) == []
    return case


def test_a_rise_is_alerted_below_the_threshold_under_one_of_its_own(case: Case) -> None:
    assert case.look(7, 0.52) == []
    assert case.look(8, 0.53, lift=0.5) == OPENED
    step = case.raised[0]
    assert (step.risk, step.band) == (0.53, "watch")
    assert step.threshold == pytest.approx(0.476, abs=0.001)
    assert case.look(9, 0.48) == []
    assert case.look(10, 0.37) == [("resolved", "fall")]


def test_nobody_below_the_floor_is_alerted_for_a_rise(case: Case) -> None:
    assert case.look(7, 0.29, lift=5.0) == []
    assert case.look(8, 0.3, lift=5.0) == OPENED
    assert case.raised[0].threshold == 0.3


def test_what_rests_on_a_long_silence_is_alerted_above_the_threshold_only(case: Case) -> None:
    assert case.look(60, 0.65, lift=-0.5) == []
    assert case.look(61, 0.72, lift=-0.5) == OPENED
    assert case.raised[0].threshold == pytest.approx(0.712, abs=0.001)


def test_a_lift_that_fades_neither_closes_nor_opens_anything(case: Case) -> None:
    assert case.look(8, 0.53, lift=0.5) == OPENED
    assert [case.look(9 + day, 0.53, lift=0.5 - day / 10) for day in range(10)] == [[]] * 10
