"""The base learners, in arrays: an update is a handful of array operations, a fifth of the time of River's dictionaries.

    Scaler              river.preprocessing.StandardScaler: running mean and variance (Welford, 1962)
    Logistic            river.linear_model.LogisticRegression with river.optim.AdaGrad (Duchi et al., 2011)
    WithinRegression    linear regression on what differs between customers asked about at the same instant

The first two do what River's of the same name do with the same settings, operation by operation; a test holds them
together. Nothing draws a random number. Each learns one example at a time, in order: how examples are cut into batches
changes no bit of the result.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.blas import dsyr

from models.logits import sigmoid

Vector = NDArray[np.float64]

LEARNING_RATE: Final = 0.03
INTERCEPT_RATE: Final = 0.01
ADAGRAD_EPS: Final = 1e-8
VARIANCE_MIN: Final = 1e-300
"""Stands in for a variance of 0, where the deviation from the mean is 0 as well."""

RIDGE: Final = 0.005
"""Added to the diagonal of the correlations: many inputs say nearly the same."""

PRIOR_ROWS: Final = 100.0
"""Examples that the belief in slopes of 0 counts as much as: what the first few seem to say is mostly chance."""

DEVIATION_MIN: Final = 1e-5
"""An input that varies less than by this within groups, for its size, counts as one that never does."""

GROUPS_MAX: Final = 64
"""Groups whose examples may still come: two months of daily questions, or a year of weekly ones."""


class Scaler:
    """Mean and variance of each of `size` inputs, so far.

    Attributes:
        count: examples seen.
        means, variances: (size), of the population.
    """

    def __init__(self, size: int) -> None:
        self.count = 0
        self.means = np.zeros(size)
        self.variances = np.zeros(size)

    def learn_transform(self, x: Vector) -> Vector:
        """Take an example in and return it standardised by what is known then; 0 where an input has never varied."""
        self.count += 1
        before = x - self.means
        self.means += before / self.count
        away = x - self.means
        before *= away
        before -= self.variances
        before /= self.count
        self.variances += before
        away /= np.sqrt(np.maximum(self.variances, VARIANCE_MIN))
        return away

    def per_unit(self) -> Vector:
        """Return what one unit of each input is in standard deviations; 0 for one that has never varied."""
        varies = self.variances > 0.0
        return np.where(varies, 1.0 / np.sqrt(np.where(varies, self.variances, 1.0)), 0.0)


class Logistic:
    """Logistic regression taught by AdaGrad; its value is a logit.

    Attributes:
        weights, squares: (size), and the sum of the squared gradients of each.
        intercept: taught at a constant rate.
    """

    def __init__(self, size: int) -> None:
        self.weights = np.zeros(size)
        self.squares = np.zeros(size)
        self.intercept = 0.0

    def learn(self, z: Vector, label: int) -> None:
        """Learn a standardised example."""
        slope = sigmoid(float(self.weights.dot(z)) + self.intercept) - label
        gradient = z * slope
        self.intercept -= INTERCEPT_RATE * slope
        self.squares += gradient * gradient
        gradient *= LEARNING_RATE
        gradient /= np.sqrt(self.squares + ADAGRAD_EPS)
        self.weights -= gradient


class WithinRegression:
    """Linear regression on 0 and 1 whose slopes come from within groups only: the fixed-effects estimator of panels.

    Between one week and another the share of those who leave moves, with the season and the age of the log, and with it
    the mean of nearly every input: a plain regression reads that as a cause. Held against the others asked about at the
    same instant, it is gone. The level is that of all examples.

        within = sum z z' - sum over groups of rows m m'     m: the group's mean
        slopes = (within, as correlations, + (RIDGE + PRIOR_ROWS / rows) I)^-1 (the same of z and label)

    Method: Mundlak, "On the pooling of time series and cross section data" (1978); Wooldridge, "Econometric analysis of
    cross section and panel data" (2010), section 10.5.

    Attributes:
        rows, churned: examples, and those of label 1.
        products: (size, size), sum of z z'; only the upper triangle is kept, in columns, as BLAS wants it.
        sums, churned_sums: (size), of the inputs, and of those of label 1.
        between: (size, size), sum of rows m m' over the groups that are complete; upper triangle.
        between_labels: (size), sum of rows m q over them, q the group's share of label 1.
        groups: the others, at most `GROUPS_MAX`: the oldest is complete when there are more.
    """

    def __init__(self, size: int) -> None:
        self.rows = 0
        self.churned = 0
        self.products = np.zeros((size, size), order="F")
        self.sums = np.zeros(size)
        self.churned_sums = np.zeros(size)
        self.between = np.zeros((size, size), order="F")
        self.between_labels = np.zeros(size)
        self.groups: dict[int, tuple[int, int, Vector]] = {}

    def learn(self, x: Vector, label: int, group: int) -> None:
        """Learn an example (its inputs not standardised) of a group."""
        self.rows += 1
        self.sums += x
        dsyr(1.0, x, a=self.products, overwrite_a=1)
        if label:
            self.churned += 1
            self.churned_sums += x
        found = self.groups.get(group)
        if found is None:
            if len(self.groups) >= GROUPS_MAX:
                _add_mean(self.groups.pop(min(self.groups)), self.between, self.between_labels)
            found = (0, 0, np.zeros_like(self.sums))
        rows, churned, sums = found
        sums += x
        self.groups[group] = (rows + 1, churned + label, sums)

    def folded(self) -> tuple[float, Vector]:
        """Return (value at the mean of all examples, slopes (size)); an input that never varies within a group has slope 0."""
        if not self.rows:
            return 0.5, np.zeros_like(self.sums)
        between, between_labels = self.between.copy(order="F"), self.between_labels.copy()
        for key in sorted(self.groups):
            _add_mean(self.groups[key], between, between_labels)
        within = (self.products - between) / self.rows
        deviations = np.sqrt(np.maximum(np.diagonal(within), 0.0))
        sizes = np.sqrt(np.diagonal(self.products) / self.rows)
        varies = deviations > DEVIATION_MIN * np.maximum(sizes, 1.0)
        scale = np.where(varies, 1.0 / np.where(varies, deviations, 1.0), 0.0)
        correlations = within * scale * scale[:, np.newaxis]
        np.fill_diagonal(correlations, 1.0 + RIDGE + PRIOR_ROWS / self.rows)
        with_label = (self.churned_sums - between_labels) / self.rows * scale
        try:
            slopes: Vector = cho_solve(cho_factor(correlations), with_label) * scale
        except np.linalg.LinAlgError:
            # No sums of examples get here: only a state that somebody forged has correlations above 1.
            slopes = np.zeros_like(self.sums)
        return self.churned / self.rows, slopes


def _add_mean(group: tuple[int, int, Vector], between: Vector, between_labels: Vector) -> None:
    rows, churned, sums = group
    dsyr(1.0 / rows, sums, a=between, overwrite_a=1)
    between_labels += sums * (churned / rows)
