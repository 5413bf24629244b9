"""The model in arrays is the model in River: taught the same, they say the same."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river.linear_model import BayesianLinearRegression, LogisticRegression
from river.optim import AdaGrad
from river.preprocessing import StandardScaler

from models.guide import Scale
from models.pipeline import ChurnModel
from models.scorer import clipped_logit, sigmoid, transform

WIDTH = 7
NAMES = [f"f{number}" for number in range(WIDTH)]
SCALES: list[Scale] = ["log" if number % 3 else "linear" for number in range(WIDTH)]

values = st.one_of(
    st.just(0.0), st.integers(0, 300).map(float), st.floats(0, 1e5, width=32), st.floats(-50, 50, width=32)
)
rows = st.lists(values, min_size=WIDTH, max_size=WIDTH)
lessons = st.lists(st.tuples(rows, st.integers(0, 1)), min_size=1, max_size=40)


class InRiver:
    """The same pipeline from River's own parts."""

    def __init__(self) -> None:
        self.scaler = StandardScaler()
        self.logistic = LogisticRegression(AdaGrad(0.03))
        self.regression: Any = BayesianLinearRegression()

    def learn(self, vector: Sequence[float], label: int) -> None:
        x = _named(vector)
        self.scaler.learn_one(x)
        z = self.scaler.transform_one(x)
        self.logistic.learn_one(z, bool(label))
        self.regression.learn_one(z | {"constant": 1.0}, label)

    def predict(self, vector: Sequence[float]) -> float:
        z = self.scaler.transform_one(_named(vector))
        logit = self.logistic.intercept + sum(self.logistic.weights.get(name, 0.0) * z[name] for name in z)
        return sigmoid(0.5 * (logit + clipped_logit(self.regression.predict_one(z | {"constant": 1.0}))))


def _named(vector: Sequence[float]) -> dict[str, float]:
    columns = zip(NAMES, vector, SCALES, strict=True)
    return {name: transform(value, is_log=scale == "log") for name, value, scale in columns}


@settings(max_examples=60, deadline=None)
@given(lessons, rows)
def test_taught_the_same_they_say_the_same(said: list[tuple[list[float], int]], probe: list[float]) -> None:
    ours, river = ChurnModel(NAMES, SCALES), InRiver()
    for vector, label in said * 2:
        ours.learn(vector, label)
        river.learn(vector, label)
    assert dict(zip(NAMES, ours.scaler.means, strict=True)) == pytest.approx(dict(river.scaler.means), rel=1e-9)
    weights = dict(zip(NAMES, ours.logistic.weights, strict=True))
    assert weights == pytest.approx(river.logistic.weights, rel=1e-6, abs=1e-9)
    for vector in [probe, said[0][0], said[-1][0]]:
        assert ours.predict(vector) == pytest.approx(river.predict(vector), abs=1e-6)
