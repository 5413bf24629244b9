"""Alert scores of predictions: as the product would lift them."""

import numpy as np
import pytest

from alerts.change import lift, lifted
from churnwatch.alert_scores import alert_scores
from tests.unit.churnwatch.test_evaluation import WEEK_MS, rows

RISK = [0.3, 0.5, 0.4, 0.5, 0.45]
FOUND = rows([0, 0, WEEK_MS, WEEK_MS, 2 * WEEK_MS], [0, 1, 0, 1, 0], RISK, silence_days=[7.0, 40.0, 14.0, 47.0, 21.0])


def test_a_risk_is_held_against_the_same_customers_snapshot_before() -> None:
    before = [None, None, 0.3, 0.5, 0.4]
    silence = FOUND.silence_days.tolist()
    expected = [
        lifted(risk, lift(risk, was, days, 60), 0.0) for risk, was, days in zip(RISK, before, silence, strict=True)
    ]
    scores = alert_scores(FOUND, 60, 1.0)
    assert scores.tolist() == pytest.approx(expected)
    assert scores[2] > scores[3], "a fresh rise goes before an old silence"


def test_without_earliness_it_is_the_risk() -> None:
    assert np.array_equal(alert_scores(FOUND, 60, 0.0), FOUND.risk)


def test_nothing_said_has_no_scores() -> None:
    assert alert_scores(rows([], [], []), 60, 1.0).size == 0
