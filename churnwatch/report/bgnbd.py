"""BG/NBD, the classic buy-till-you-die model, by maximum likelihood: the rival that needs no labels.

    1. A customer buys at a steady rate of their own, lambda ~ Gamma(r, alpha), and after each purchase leaves for good with a
       probability of their own, p ~ Beta(a, b).
    2. All that matters of a customer: `repeats` (days with a purchase after the first), `span` (from the first to the last)
       and `age` (from the first until now).
    3. The four parameters are fitted to all customers at once; then follows P(no purchase in the next days).

Fader, Hardie and Lee (2005), "Counting your customers the easy way", Marketing Science 24(2): likelihood (equation 6),
P(alive) from their note of 2008. Fitted cold each time: from the last fit's parameters it can stay in a far corner.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import gammaln

Floats = NDArray[np.float64]

WEEK_DAYS: Final = 7.0
START: Final = (0.0, 1.5, 0.0, 0.5)
"""Logarithms of r, alpha (in weeks), a and b to begin from; any customary shop lies around."""

LOG_MAX: Final = 6.0
"""Bound on those logarithms, either way: in a young log b grows without end for hardly any likelihood."""


class Params(NamedTuple):
    """Shape and rate (in days) of the purchase rates, and the two of the chances to leave."""

    r: float
    alpha_days: float
    a: float
    b: float


def fit(repeats: Floats, span_days: Floats, age_days: Floats) -> Params:
    """Return the maximum likelihood estimate for customers given by three arrays of equal length (1 or more)."""
    stacked = np.stack([repeats, span_days / WEEK_DAYS, age_days / WEEK_DAYS])
    (x, span, age), weights = np.unique(stacked, axis=1, return_counts=True)

    def loss(logs: Floats) -> float:
        return -float(np.dot(weights, log_likelihood(Params(*np.exp(logs)), x, span, age))) / float(weights.sum())

    found = minimize(loss, np.array(START), method="L-BFGS-B", bounds=[(-LOG_MAX, LOG_MAX)] * 4)
    r, alpha, a, b = (float(value) for value in np.exp(found.x))
    return Params(r, alpha * WEEK_DAYS, a, b)


def log_likelihood(params: Params, repeats: Floats, span: Floats, age: Floats) -> Floats:
    """Return each customer's log likelihood; `span` and `age` in the unit of `params.alpha_days`."""
    r, alpha, a, b = params
    # The gamma functions depend on the small whole number of repeats alone.
    values, place = np.unique(repeats, return_inverse=True)
    buying = gammaln(r + values) - gammaln(r) + r * np.log(alpha)
    staying = gammaln(a + b) + gammaln(b + values) - gammaln(b) - gammaln(a + b + values)
    there = -(r + repeats) * np.log(alpha + age)
    with np.errstate(divide="ignore"):
        left = np.log(a) - np.log(b + np.maximum(repeats, 1.0) - 1.0) - (r + repeats) * np.log(alpha + span)
    left = np.where(repeats > 0, left, -np.inf)
    total: Floats = (buying + staying)[place] + np.logaddexp(there, left)
    return total


def quiet(params: Params, repeats: Floats, span_days: Floats, age_days: Floats, horizon_days: float) -> Floats:
    """Return P(no purchase in the next `horizon_days`), exact under the model: gone, or there and not buying."""
    r, alpha, a, b = params
    grown = (alpha + age_days) / (alpha + span_days)
    odds_gone = np.where(repeats > 0, a / (b + np.maximum(repeats, 1.0) - 1.0) * grown ** (r + repeats), 0.0)
    alive = 1.0 / (1.0 + odds_gone)
    calm = ((alpha + age_days) / (alpha + age_days + horizon_days)) ** (r + repeats)
    answer: Floats = 1.0 - alive * (1.0 - calm)
    return answer
