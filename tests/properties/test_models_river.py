"""The base learners against slow ones: River's own, and a regression on rows from which their group's mean is taken."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from river.linear_model import LogisticRegression
from river.optim import AdaGrad
from river.preprocessing import StandardScaler

from models.guide import Scale
from models.linear import DEVIATION_MIN, GROUPS_MAX, PRIOR_ROWS, RIDGE, WithinRegression
from models.logits import transform
from models.pipeline import ChurnModel

WIDTH = 7
NAMES = [f"f{number}" for number in range(WIDTH)]
SCALES: list[Scale] = ["log" if number % 3 else "linear" for number in range(WIDTH)]

values = st.one_of(
    st.just(0.0), st.integers(0, 300).map(float), st.floats(0, 1e5, width=32), st.floats(-50, 50, width=32)
)
rows = st.lists(values, min_size=WIDTH, max_size=WIDTH)
lessons = st.lists(st.tuples(rows, st.integers(0, 1)), min_size=1, max_size=40)


class InRiver:
    """The scaler and the logistic regression from River's own parts."""

    def __init__(self) -> None:
        self.scaler = StandardScaler()
        self.logistic = LogisticRegression(AdaGrad(0.03))

    def learn(self, vector: Sequence[float], label: int) -> None:
        x = _named(vector)
        self.scaler.learn_one(x)
        self.logistic.learn_one(self.scaler.transform_one(x), bool(label))


def _named(vector: Sequence[float]) -> dict[str, float]:
    columns = zip(NAMES, vector, SCALES, strict=True)
    return {name: transform(value, is_log=scale == "log") for name, value, scale in columns}


@given(lessons, rows)
def test_taught_the_same_river_says_the_same(said: list[tuple[list[float], int]], probe: list[float]) -> None:
    ours, river = ChurnModel(NAMES, SCALES), InRiver()
    for vector, label in said * 2:
        ours.learn(vector, label)
        river.learn(vector, label)
    assert dict(zip(NAMES, ours.scaler.means, strict=True)) == pytest.approx(dict(river.scaler.means), rel=1e-9)
    assert ours.logistic.intercept == pytest.approx(river.logistic.intercept, abs=1e-9)
    weights = dict(zip(NAMES, ours.logistic.weights, strict=True))
    assert weights == pytest.approx(river.logistic.weights, rel=1e-6, abs=1e-9)
    z = river.scaler.transform_one(_named(probe))
    away = np.array([transform(x, is_log=scale == "log") for x, scale in zip(probe, SCALES, strict=True)])
    away = (away - ours.scaler.means) * ours.scaler.per_unit()
    assert away == pytest.approx(np.array([z[name] for name in NAMES]), rel=1e-6, abs=1e-6)


panels = st.lists(
    st.tuples(st.lists(st.floats(-5, 20, width=32), min_size=3, max_size=3), st.integers(0, 1), st.integers(0, 30)),
    min_size=1,
    max_size=60,
)


@given(panels)
def test_slopes_are_those_within_groups(said: list[tuple[list[float], int, int]]) -> None:
    said.sort(key=lambda row: row[2])  # a group that is complete does not come back
    ours = WithinRegression(3)
    for vector, label, group in said:
        ours.learn(np.array(vector), label, group)
    assert len(ours.groups) <= GROUPS_MAX
    x, y, groups = (np.array(column) for column in zip(*said, strict=True))
    at_mean, slopes = ours.folded()
    assert at_mean == pytest.approx(y.mean())
    x, y = x.astype(np.float64), y.astype(np.float64)
    for group in set(groups.tolist()):
        x[groups == group] -= x[groups == group].mean(axis=0)
        y[groups == group] -= y[groups == group].mean()
    deviations = np.sqrt((x**2).mean(axis=0))
    if any(DEVIATION_MIN / 10 < deviation < DEVIATION_MIN * 10 for deviation in deviations):
        return  # on the edge of never varying
    varies = deviations > DEVIATION_MIN
    z = x[:, varies] / deviations[varies]
    expected = np.zeros(3)
    expected[varies] = np.linalg.solve(
        z.T @ z / len(y) + (RIDGE + PRIOR_ROWS / len(y)) * np.eye(varies.sum()), z.T @ y / len(y)
    )
    expected[varies] /= deviations[varies]
    assert slopes * np.maximum(deviations, 1.0) == pytest.approx(expected * np.maximum(deviations, 1.0), abs=1e-6)
