"""The rival of `studies.value`: BG/NBD and Gamma-Gamma, fitted in batch by maximum likelihood, as the textbook has it.

    orders in the horizon   BG/NBD, fitted to everybody's (repeats, span, age)           `churnwatch.report.bgnbd`
    money an order          Gamma-Gamma, fitted to those who have repeated: the mean of their repeat days
    value                   product of the two expectations

Fader, Hardie and Lee (2005), "Counting your customers the easy way", Marketing Science 24(2), equation 10; Fader and Hardie (2013), "The Gamma-Gamma
model of monetary value", equations 1a and 5.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import gammaln, hyp2f1

from churnwatch.report.bgnbd import Params, fit

Floats = NDArray[np.float64]

STARTS: Final = ((0.0, 0.5, 0.0), (1.0, 1.0, 1.0), (2.0, 1.3, 0.0))
"""Logarithms of p, q and gamma (in mean orders) to begin from; the best of the three counts, for the likelihood is flat in places."""

LOGS_MAX: Final = (-6.0, 8.0)


class Money(NamedTuple):
    """Gamma-Gamma: shape of an order, shape of its rate among customers, and that one's scale."""

    p: float
    q: float
    gamma: float


def rival(repeats: Floats, span: Floats, age: Floats, spent_again: Floats, horizon_days: float) -> Floats:
    """Return the expected spend of each customer in the next `horizon_days`, fitted to these customers.

    Args:
        repeats: days with an order after the first.
        span: days from the first order to the last.
        age: days from the first order to now.
        spent_again: sum of the orders of the repeat days.
        horizon_days: how far to look.
    """
    mean = spent_again / np.maximum(repeats, 1.0)
    found: Floats = expected_orders(fit(repeats, span, age), repeats, span, age, horizon_days)
    return found * expected_order(fit_money(repeats, mean), repeats, mean)


def expected_orders(params: Params, repeats: Floats, span: Floats, age: Floats, horizon_days: float) -> Floats:
    """Return the conditional expectation of days with an order in the horizon."""
    r, alpha, a, b = params
    until = alpha + age + horizon_days
    later = ((alpha + age) / until) ** (r + repeats)
    grown = hyp2f1(r + repeats, b + repeats, a + b + repeats - 1.0, horizon_days / until)
    gone = a / (b + np.maximum(repeats, 1.0) - 1.0) * ((alpha + age) / (alpha + span)) ** (r + repeats)
    orders: Floats = (a + b + repeats - 1.0) / (a - 1.0) * (1.0 - later * grown)
    return orders / (1.0 + np.where(repeats > 0, gone, 0.0))


def fit_money(repeats: Floats, mean: Floats) -> Money:
    """Return the maximum likelihood estimate from customers with repeats, and something spent in them."""
    known = (repeats > 0) & (mean > 0)
    n, scale = repeats[known], float(mean[known].mean())
    m = mean[known] / scale

    def loss(logs: Floats) -> float:
        p, q, g = np.exp(logs)
        shapes = gammaln(p * n + q) - gammaln(p * n) - gammaln(q)
        sums = q * np.log(g) + (p * n - 1.0) * np.log(m) + p * n * np.log(n) - (p * n + q) * np.log(g + n * m)
        return -float(np.mean(shapes + sums))

    found = [minimize(loss, np.array(start), method="L-BFGS-B", bounds=[LOGS_MAX] * 3) for start in STARTS]
    p, q, g = np.exp(min(found, key=lambda one: float(one.fun)).x)
    return Money(float(p), float(q), float(g) * scale)


def expected_order(money: Money, repeats: Floats, mean: Floats) -> Floats:
    """Return the expected amount of a day with an order: the population's for those without repeats."""
    p, q, gamma = money
    known = p * (gamma + repeats * mean) / (p * repeats + q - 1.0)
    return np.where(repeats > 0, known, p * gamma / (q - 1.0))
