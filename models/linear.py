"""River's online learners in arrays: the same arithmetic, a tenth of the time.

River keeps a dictionary entry per feature and updates one after the other. Here all features of an example are one
array, and an update is a handful of array operations. What each class does is what River's of the same name does with
the same settings, operation by operation; the tests hold them together, in results and while learning goes on.

    Scaler                river.preprocessing.StandardScaler     running mean and variance (Welford, 1962)
    Logistic              river.linear_model.LogisticRegression  with river.optim.AdaGrad (Duchi et al., 2011)
    BayesianRegression    river.linear_model.BayesianLinearRegression, alpha and beta 1 (Bishop, 2006, section 3.3)

Nothing draws a random number. Each learns one example at a time, in order: how examples are cut into batches changes
no bit of the result.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.blas import dsyr

from models.scorer import sigmoid

Vector = NDArray[np.float64]

LEARNING_RATE: Final = 0.03
INTERCEPT_RATE: Final = 0.01
ADAGRAD_EPS: Final = 1e-8
VARIANCE_MIN: Final = 1e-300
"""Stands in for a variance of 0, where the deviation from the mean is 0 as well."""


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


class BayesianRegression:
    """Linear regression on 0 and 1 with a normal prior of variance 1, and a constant input behind the others.

    River follows the covariance matrix from example to example; here only the precision matrix is kept, and the mean
    is found when it is asked for: once a guide instead of once an example.

    Attributes:
        precision: (size + 1, size + 1), symmetric; only the upper triangle is kept, in columns, as BLAS wants it.
        natural_mean: (size + 1), the precision times the mean of the weights.
    """

    def __init__(self, size: int) -> None:
        self.precision = np.asfortranarray(np.eye(size + 1))
        self.natural_mean = np.zeros(size + 1)
        self._x = np.ones(size + 1)

    def learn(self, z: Vector, label: int) -> None:
        """Learn a standardised example."""
        x = self._x
        x[:-1] = z
        dsyr(1.0, x, a=self.precision, overwrite_a=1)
        if label:
            self.natural_mean += x

    def mean(self) -> Vector:
        """Return the mean of the weights' posterior (size + 1), the constant's last."""
        # To a unit diagonal first: of some inputs a thousand times more is known than of others.
        scale = 1.0 / np.sqrt(np.diagonal(self.precision))
        factor = cho_factor(self.precision * scale * scale[:, np.newaxis])
        mean: Vector = cho_solve(factor, self.natural_mean * scale) * scale
        return mean
