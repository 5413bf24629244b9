"""The rivals of `make quality`: what they may learn from, and when. Their libraries are an extra, so a stand-in takes their place."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from churnwatch.compose import NAMES, SCALES
from churnwatch.evaluation import CENSORED, Rows
from models.labels import pack_vector
from models.logits import transform
from studies.rivals import by_batch, logistic, matrix, trees
from tests.unit.churnwatch.test_evaluation import WEEK_MS, rows


class Remembers:
    """A model that says the share of churned it was shown; keeps how many rows that were."""

    shown: list[int]

    def fit(self, figures: NDArray[np.float64], label: NDArray[np.int64]) -> "Remembers":
        assert len(figures) == label.size
        type(self).shown.append(label.size)
        self.share = label.mean()
        return self

    def predict_proba(self, figures: NDArray[np.float64]) -> NDArray[np.float64]:
        said = np.full(len(figures), self.share)
        return np.column_stack([1 - said, said])


def weekly(weeks: int, **fields: Any) -> Rows:
    """Two customers a week, one of whom leaves; labels are known two weeks later."""
    taken = [week * WEEK_MS for week in range(weeks) for _ in range(2)]
    matured = [at_ms + 2 * WEEK_MS for at_ms in taken]
    whole = {"label": [0, 1] * weeks, "matured_ms": matured} | fields
    return rows(taken, [0, 1] * weeks, [0.5] * 2 * weeks, **whole)


def test_a_refit_sees_what_had_matured_by_then() -> None:
    Remembers.shown = []
    told: list[int] = []
    found = weekly(12)
    risk = by_batch(found, np.zeros((len(found), 1)), 3 * WEEK_MS, Remembers, told.append)
    assert told == [3 * WEEK_MS, 7 * WEEK_MS, 11 * WEEK_MS]
    assert Remembers.shown == [4, 12, 20]  # weeks 0 and 1; 0 to 5; 0 to 9
    assert np.isnan(risk[:6]).all()
    assert risk[6:].tolist() == [0.5] * 18


def test_without_both_outcomes_a_rival_says_nothing() -> None:
    Remembers.shown = []
    for label in ([1, 1] * 8, [CENSORED, CENSORED] * 8):
        risk = by_batch(found := weekly(8, label=label), np.zeros((len(found), 1)), 0, Remembers, lambda _: None)
        assert np.isnan(risk).all()
    assert Remembers.shown == []


def test_rivals_see_the_features_as_the_product_s_models_do() -> None:
    raw = [[float(place) for place in range(len(NAMES))], [-3.0] * len(NAMES), [1e30] * len(NAMES)]
    vectors = np.fromiter(map(pack_vector, raw), dtype=np.object_, count=3)
    found = matrix(rows([0, 0, 0], [0, 1, 2], [0.5] * 3, vectors=vectors))
    for seen, row in zip(found, raw, strict=True):
        wanted = [transform(value, is_log=scale == "log") for value, scale in zip(row, SCALES, strict=True)]
        assert seen.tolist() == pytest.approx(wanted)


def test_the_real_rivals_learn_where_they_are_installed() -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("lightgbm")
    rng = np.random.default_rng(3)
    figures = rng.normal(size=(3_000, 4))
    label = (figures[:, 0] + rng.normal(size=3_000) > 0).astype(np.int64)
    for make in (logistic, trees):
        said = make().fit(figures, label).predict_proba(figures)[:, 1]
        assert said[label == 1].mean() > said[label == 0].mean() + 0.2
