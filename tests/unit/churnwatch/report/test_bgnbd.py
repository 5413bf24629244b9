"""BG/NBD: its likelihood term by term, its answer from the likelihood alone, and its estimate from customers drawn from it."""

from math import exp, lgamma, log

import numpy as np
import pytest

from churnwatch.report.bgnbd import Params, fit, log_likelihood, quiet

CDNOW = Params(0.243, 30.9, 0.793, 2.426)


def slow(params: Params, repeats: int, span: float, age: float) -> float:
    """Equation 6 of Fader, Hardie and Lee (2005), as printed."""
    r, alpha, a, b = params

    def beta(x: float, y: float) -> float:
        return exp(lgamma(x) + lgamma(y) - lgamma(x + y))

    lead = exp(lgamma(r + repeats) - lgamma(r)) * alpha**r
    there = beta(a, b + repeats) / beta(a, b) * lead / (alpha + age) ** (r + repeats)
    if not repeats:
        return log(there)
    return log(there + beta(a + 1, b + repeats - 1) / beta(a, b) * lead / (alpha + span) ** (r + repeats))


CUSTOMERS = [(0, 0.0, 10.0), (0, 0.0, 300.0), (1, 5.0, 5.0), (3, 40.0, 200.0), (12, 190.0, 200.0)]


@pytest.mark.parametrize("customer", CUSTOMERS)
def test_the_likelihood_is_the_printed_one(customer: tuple[int, float, float]) -> None:
    found = log_likelihood(CDNOW, *(np.array([value], dtype=np.float64) for value in customer))
    assert found[0] == pytest.approx(slow(CDNOW, *customer))


@pytest.mark.parametrize("customer", CUSTOMERS)
def test_quiet_is_how_much_likelier_nothing_is_for_longer(customer: tuple[int, float, float]) -> None:
    """P(nothing until age + h | nothing until age) is the ratio of the two likelihoods."""
    repeats, span, age = customer
    said = quiet(CDNOW, np.array([float(repeats)]), np.array([span]), np.array([age]), 60.0)
    assert said[0] == pytest.approx(exp(slow(CDNOW, repeats, span, age + 60.0) - slow(CDNOW, repeats, span, age)))


def test_the_estimate_finds_back_what_customers_were_drawn_from() -> None:
    rng = np.random.default_rng(5)
    true, age = Params(0.8, 40.0, 0.9, 3.0), 400.0
    drawn = [_draw(rng, true, age) for _ in range(2_000)]
    repeats, span = (np.array(column, dtype=np.float64) for column in zip(*drawn, strict=True))
    ages = np.full(len(drawn), age)
    found = fit(repeats, span, ages)
    assert found.r == pytest.approx(true.r, rel=0.25)
    assert found.alpha_days == pytest.approx(true.alpha_days, rel=0.25)
    assert found.a / (found.a + found.b) == pytest.approx(true.a / (true.a + true.b), rel=0.25)
    assert log_likelihood(found, repeats, span, ages).sum() >= log_likelihood(true, repeats, span, ages).sum() - 0.01


def _draw(rng: np.random.Generator, params: Params, age: float) -> tuple[int, float]:
    rate, leaving = rng.gamma(params.r, 1 / params.alpha_days), rng.beta(params.a, params.b)
    at, last, repeats = 0.0, 0.0, 0
    while (at := at + rng.exponential(1 / rate)) < age:
        last, repeats = at, repeats + 1
        if rng.random() < leaving:
            break
    return repeats, last


def test_a_handful_of_customers_gives_an_answer() -> None:
    one = np.array([0.0])
    assert all(0.0 < value < 1e6 for value in fit(one, one, np.array([30.0])))
