import numpy as np
import pytest

from models.rule import RHYTHM_PRIOR_DAYS, RuleInputs, rhythm_days, silence_risk


def test_half_at_twice_the_rhythm() -> None:
    rhythm = rhythm_days(12.0, 9)
    assert silence_risk(2 * rhythm, 12.0, 9) == pytest.approx(0.5)
    assert silence_risk(rhythm, 12.0, 9) == pytest.approx(0.2)
    assert silence_risk(4 * rhythm, 12.0, 9) == pytest.approx(0.8)


def test_risk_rises_with_silence_from_zero_on() -> None:
    risks = [silence_risk(days, 12.0, 9) for days in range(-3, 400)]
    assert risks[:4] == [0.0] * 4
    assert risks[4:] == sorted(set(risks[4:]))
    assert risks[-1] < 1.0


def test_the_more_is_known_the_closer_the_rhythm_is_to_the_own_one() -> None:
    assert [round(rhythm_days(4.0, days), 1) for days in (2, 5, 20)] == [17.0, 9.2, 5.3]


@pytest.mark.parametrize(("gap", "order_days"), [(None, 0), (None, 1), (None, 7), (3.0, 1)])
def test_without_a_gap_the_prior_is_the_rhythm(gap: float | None, order_days: int) -> None:
    assert rhythm_days(gap, order_days) == RHYTHM_PRIOR_DAYS


def test_orders_within_a_day_of_each_other_do_not_make_an_alarm_of_a_weekend() -> None:
    assert silence_risk(2.0, 0.0, 3) < 0.02


def test_the_rule_asked_after_the_fact_says_what_it_would_have_said() -> None:
    rows = [(silence, gap, days) for silence in (-1.0, 0.0, 30.0, 90.0) for gap in (0.0, 12.0) for days in (0, 1, 2, 9)]
    inputs = np.array([(0.0, days, gap, silence) for silence, gap, days in rows])
    places = RuleInputs(silence_days=3, gap_mean_days=2, order_days=1)
    assert places.risks(inputs).tolist() == pytest.approx([silence_risk(*row) for row in rows])
    assert places.silence(inputs).tolist() == [row[0] for row in rows]
