"""Differences between treated and held out, with their uncertainty, from sums alone.

Shares are compared within strata (customers alike, in the same months) and put together with Mantel and Haenszel's weights,
which suit strata of few as of many customers and give none to a stratum that lacks an arm:

    difference = sum of w_s (share treated_s - share held_s),   w_s in proportion to n1_s n0_s / (n1_s + n0_s)

Its interval is the score interval of Miettinen and Nurminen ("Comparative analysis of two rates", Statistics in Medicine 4,
1985), the constrained estimate by Farrington and Manning (Statistics in Medicine 9, 1990): right for few customers, where the
usual "plus or minus two standard errors" is not, and never beyond -1 and 1. Means are compared in the same way, with Welch's
degrees of freedom. The boundary for whoever looks again and again is the normal mixture (Robbins, "Statistical methods
related to the law of the iterated logarithm", 1970; Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central
limit theory and asymptotic confidence sequences", Annals of Statistics 52, 2024).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Final, NamedTuple

from scipy.special import stdtrit

Z_95: Final = NormalDist().inv_cdf(0.975)
STEPS_MAX: Final = 60
EDGE: Final = 1.0 - 1e-9
CLOSE: Final = 1e-6
NEARBY: Final = 1e-4
EXPECTED_DIFFERENCE: Final = 0.05
"""Where the boundary for repeated looks is tightest: retention rarely moves by more than a few points."""


class Arm(NamedTuple):
    """Customers of one arm of a stratum.

    Attributes:
        n: how many.
        kept: how many of them stayed.
        spend: sum of what they spent; `squares`: sum of the squares of that.
        expected: sum of what they would spend if all of them stayed.
    """

    n: int
    kept: int = 0
    spend: float = 0.0
    squares: float = 0.0
    expected: float = 0.0


class Stratum(NamedTuple):
    """Customers alike, treated and held out."""

    treated: Arm
    held: Arm


class Interval(NamedTuple):
    """An estimate with the bounds of its interval."""

    estimate: float
    low: float
    high: float

    def times(self, factor: float) -> Interval:
        """Return the interval of a multiple (`factor` >= 0)."""
        return Interval(self.estimate * factor, self.low * factor, self.high * factor)


def weights(strata: Sequence[Stratum]) -> list[float]:
    """Return the strata's weights, with sum 1; empty where no stratum has both arms."""
    raw = [s.treated.n * s.held.n / max(s.treated.n + s.held.n, 1) for s in strata]
    total = sum(raw)
    return [weight / total for weight in raw] if total else []


def share_difference(strata: Sequence[Stratum], z: float = Z_95) -> Interval | None:
    """Return the difference of the shares kept, treated less held out; None where nothing can be compared.

    >>> found = share_difference([Stratum(Arm(90, 45), Arm(10, 4))])
    >>> [round(bound, 3) for bound in found]
    [0.1, -0.21, 0.361]
    """
    return _score(_weighted(strata), z)


def share_error(strata: Sequence[Stratum], difference: float = 0.0) -> float:
    """Return the standard error of the difference of shares, were `difference` the truth; infinite where there is none."""
    pairs = _weighted(strata)
    return math.sqrt(_variance(pairs, difference)) if pairs else math.inf


def mean_difference(strata: Sequence[Stratum], level: float = 0.975) -> Interval | None:
    """Return the difference of mean spend a customer, treated less held out; None where a spread cannot be told.

    >>> found = mean_difference([Stratum(Arm(100, 0, 500.0, 3000.0), Arm(10, 0, 40.0, 200.0))])
    >>> [round(bound, 2) for bound in found]
    [1.0, -0.55, 2.55]
    """
    pairs = [(w, s) for w, s in _weighted(strata) if min(s.treated.n, s.held.n) > 1]
    total = sum(w for w, _ in pairs)
    if not pairs:
        return None
    estimate = variance = spread = 0.0
    for weight, stratum in pairs:
        share = weight / total
        estimate += share * (stratum.treated.spend / stratum.treated.n - stratum.held.spend / stratum.held.n)
        for arm in stratum:
            part = share * share * _spread(arm) / arm.n
            variance += part
            spread += part * part / (arm.n - 1)
    if not spread:
        return None
    margin = float(stdtrit(variance * variance / spread, level)) * math.sqrt(variance)
    return Interval(estimate, estimate - margin, estimate + margin)


def expected_difference(strata: Sequence[Stratum], z: float = Z_95) -> Interval | None:
    """Return what the difference of shares is worth a treated customer, at what those would spend who stay; None as above.

    In each stratum the difference times its customers' mean expected spend: the same interval, under other weights.
    """
    pairs = [(weight * s.treated.expected / s.treated.n, s) for weight, s in _weighted(strata)]
    whole = sum(worth for worth, _ in pairs)
    interval = _score([(worth / whole, s) for worth, s in pairs], z) if whole else None
    return None if interval is None else interval.times(whole)


def always_valid_margin(error: float, alpha: float) -> float:
    """Return the half-width of an interval that holds for all looks together, for an estimate with this standard error.

    One who looks after every single customer is ever misled with a probability of at most `alpha`.

    >>> round(always_valid_margin(0.02, 0.05) / 0.02, 2)
    3.04
    """
    if error <= 0.0:
        return 0.0
    information = (EXPECTED_DIFFERENCE / error) ** 2
    return error * math.sqrt((1.0 + 1.0 / information) * (math.log1p(information) - 2.0 * math.log(alpha)))


def _weighted(strata: Sequence[Stratum]) -> list[tuple[float, Stratum]]:
    return [(weight, s) for weight, s in zip(weights(strata), strata, strict=False) if weight]


def _share(arm: Arm) -> float:
    return arm.kept / arm.n


def _spread(arm: Arm) -> float:
    """The arm's variance of spend."""
    return max(arm.squares - arm.spend * arm.spend / arm.n, 0.0) / (arm.n - 1)


def _score(pairs: Sequence[tuple[float, Stratum]], z: float) -> Interval | None:
    if not pairs:
        return None
    estimate = sum(weight * (_share(s.treated) - _share(s.held)) for weight, s in pairs)
    return Interval(estimate, _limit(pairs, estimate, -EDGE, z), _limit(pairs, estimate, EDGE, z))


def _limit(pairs: Sequence[tuple[float, Stratum]], estimate: float, edge: float, z: float) -> float:
    """Where between estimate and edge the score statistic is `z`, by regula falsi (its Illinois variant)."""

    def beyond(difference: float) -> float:
        return (estimate - difference) ** 2 - z * z * _variance(pairs, difference)

    # Beside the estimate: on it nothing is left of the spread where all or none were kept.
    inner = estimate + NEARBY * (edge - estimate)
    outer, low, high = edge, beyond(inner), beyond(edge)
    if high <= 0.0 or low >= 0.0:
        return edge if high <= 0.0 else inner
    kept = 0
    for _ in range(STEPS_MAX):
        if abs(outer - inner) < CLOSE or not high - low:
            break
        middle = (inner * high - outer * low) / (high - low)
        value = beyond(middle)
        if abs(value) < CLOSE**2:
            return middle
        if value > 0.0:
            outer, high = middle, value
            low = low / 2.0 if kept > 0 else low
            kept = 1
        else:
            inner, low = middle, value
            high = high / 2.0 if kept < 0 else high
            kept = -1
    return (inner + outer) / 2.0


def _variance(pairs: Sequence[tuple[float, Stratum]], difference: float) -> float:
    total = 0.0
    for weight, (treated, held) in pairs:
        high, low = _constrained(treated, held, difference)
        n = treated.n + held.n
        total += weight * weight * (high * (1.0 - high) / treated.n + low * (1.0 - low) / held.n) * n / (n - 1)
    return total


def _constrained(treated: Arm, held: Arm, difference: float) -> tuple[float, float]:
    """The likeliest shares that differ by exactly so much: the middle root of a cubic."""
    ratio, p1, p0 = held.n / treated.n, _share(treated), _share(held)
    a = 1.0 + ratio
    b = -(1.0 + ratio + p1 + ratio * p0 + difference * (ratio + 2.0))
    c = difference * difference + difference * (2.0 * p1 + ratio + 1.0) + p1 + ratio * p0
    d = -p1 * difference * (1.0 + difference)
    v = (b / (3.0 * a)) ** 3 - b * c / (6.0 * a * a) + d / (2.0 * a)
    u = math.copysign(math.sqrt(max((b / (3.0 * a)) ** 2 - c / (3.0 * a), 0.0)), v)
    turn = 0.0 if not u else min(max(v / u**3, -1.0), 1.0)
    share = 2.0 * u * math.cos((math.pi + math.acos(turn)) / 3.0) - b / (3.0 * a)
    share = min(max(share, difference, 0.0), 1.0 + min(difference, 0.0))
    return share, min(max(share - difference, 0.0), 1.0)
