"""Curves and what-ifs, on rows that can be counted by hand."""

import numpy as np
import pytest

from churnwatch.report.curves import gain, histogram, reliability, tenths, weekly_rates
from churnwatch.report.rivals import OrderDays, by_bgnbd, by_silence, order_days, refits
from churnwatch.report.whatif import by_budget, by_threshold, spells
from models.rule import silence_risk
from streams.time import DAY_MS
from tests.unit.churnwatch.test_evaluation import WEEK_MS, rows


def test_reliability_holds_what_was_said_against_what_came() -> None:
    bins = reliability(np.array([0.1, 0.12, 0.95, 1.0]), np.array([0, 1, 1, 1]))
    assert [(round(one.said, 3), one.came, one.rows) for one in bins] == [(0.11, 0.5, 2), (0.975, 1.0, 2)]


def test_weekly_rates() -> None:
    told = weekly_rates(np.array([0.2, 0.4, 0.9]), np.array([0, 1, 1]), np.array([7, 7, 14]))
    assert told == [(7, pytest.approx(0.3), 0.5), (14, 0.9, 1.0)]


def test_gain_is_within_the_weeks() -> None:
    """The second week's risks are all lower, which must not matter."""
    risk, label = np.array([0.9, 0.8, 0.2, 0.1]), np.array([1, 0, 1, 0])
    assert gain(risk, label, np.array([0, 0, 1, 1]), (0.0, 0.5, 1.0)) == [(0.0, 0.0), (0.5, 1.0), (1.0, 1.0)]
    assert gain(risk, np.zeros(4, dtype=np.int64), np.array([0, 0, 1, 1])) == []


def test_tenths_of_twenty_rows_are_pairs() -> None:
    risk = np.linspace(1.0, 0.0, 20)
    label = np.array([1, 1, 1, 0] + [0] * 16)
    assert tenths(risk, label, np.zeros(20, dtype=np.int64)) == [1.0, 0.5] + [0.0] * 8


def test_a_histogram_of_nothing_is_empty() -> None:
    assert histogram([], 5.0) == []


def example() -> tuple[list[int], list[int], list[float], list[int], list[float]]:
    """Weeks of two customers; c0 orders between the second and third, so it has two spells."""
    taken = [week * WEEK_MS for week in (1, 1, 2, 2, 3, 3)]
    customer = [0, 1, 0, 1, 0, 1]
    silence = [3.0, 2.0, 10.0, 9.0, 1.0, 16.0]
    return taken, customer, [0.4, 0.1, 0.7, 0.6, 0.5, 0.8], [0, 1, 0, 1, 1, 1], silence


def test_a_spell_is_warned_about_once() -> None:
    taken, customer, risk, label, silence = example()
    found = spells(rows(taken, customer, risk, label=label, silence_days=silence), np.array(risk), WEEK_MS)
    assert len(set(found.spell.tolist())) == 3
    half, high = by_threshold(found, [0.5, 0.75])
    # c0 at .7 (stayed), c1 at .6 (left), c0's new spell at .5 (left): three in three weeks
    assert [half.per_day, half.precision, half.recall] == pytest.approx([3 / 21, 2 / 3, 1.0])
    assert (high.precision, high.recall) == (1.0, 0.5)
    (one_a_week,) = by_budget(found, [1 / 7])
    # c0 at .4, then c1 at .6 (c0 has been called), then c0's new spell (c1 has been called)
    assert [one_a_week.precision, one_a_week.recall] == pytest.approx([2 / 3, 1.0])


def test_a_threshold_that_nobody_reaches_warns_nobody() -> None:
    taken, customer, risk, label, silence = example()
    found = spells(rows(taken, customer, risk, label=label, silence_days=silence), np.array(risk), WEEK_MS)
    (never,) = by_threshold(found, [0.99])
    assert (never.per_day, never.precision, never.recall) == (0.0, None, 0.0)
    nothing = spells(rows([], [], []), np.zeros(0), WEEK_MS)
    assert [(one.per_day, one.precision, one.recall) for one in by_budget(nothing, [1.0])] == [(0.0, None, None)]


def test_order_days_until_a_day_know_nothing_later() -> None:
    found = order_days(
        rows([0], [0], [0.5]), {"c0": [(DAY_MS, 1.0), (DAY_MS + 5, 1.0), (9 * DAY_MS, 1.0)], "x": [(3 * DAY_MS, 1.0)]}
    )
    assert [values.tolist() for values in found.until(9)] == [[0.0, 0.0], [0.0, 0.0], [8.0, 6.0]]
    assert [values.tolist() for values in found.until(10)] == [[1.0, 0.0], [8.0, 0.0], [9.0, 7.0]]
    assert [values.size for values in found.until(1)] == [0, 0, 0]


def test_refits_come_every_four_weeks_and_leave_no_row_out() -> None:
    taken = np.array([week * WEEK_MS for week in range(10)])
    parts = list(refits(taken, WEEK_MS))
    assert [at_ms // WEEK_MS for at_ms, _ in parts] == [1, 5, 9]
    assert np.stack([mask for _, mask in parts]).sum(axis=0).tolist() == [0] + [1] * 9
    assert list(refits(taken, 11 * WEEK_MS)) == []


def test_silence_is_the_product_s_own_rule() -> None:
    found = rows([0, 0], [0, 1], [0.5, 0.5], silence_days=[28.0, 5.0], gap_days=[10.0, 0.0], order_days=[5, 1])
    assert by_silence(found).tolist() == [silence_risk(28.0, 10.0, 5), silence_risk(5.0, None, 1)]


def test_bgnbd_does_not_look_ahead() -> None:
    """Orders after a refit change nothing of what it says until the next."""
    taken = [week * WEEK_MS for week in range(4, 8)]
    found = rows(taken, [0] * 4, [0.5] * 4, silence_days=[1.0, 8.0, 15.0, 22.0], order_days=[2] * 4)
    known = {"c0": [(DAY_MS, 1.0), (26 * DAY_MS, 1.0)], "c9": [(2 * DAY_MS, 1.0)]}
    later = known | {"c8": [(29 * DAY_MS, 1.0)], "c7": [(40 * DAY_MS, 1.0)]}
    said = [by_bgnbd(found, order_days(found, orders), 4 * WEEK_MS, 60.0) for orders in (known, later)]
    assert said[0].tolist() == said[1].tolist()
    assert np.all(np.diff(said[0]) > 0)  # ever more silent


def test_before_anybody_ordered_bgnbd_says_nothing() -> None:
    found = rows([WEEK_MS], [0], [0.5])
    nothing = OrderDays(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.full(1, 99))
    assert np.isnan(by_bgnbd(found, nothing, 0, 60.0)).all()
