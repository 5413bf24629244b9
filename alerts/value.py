"""What a customer is expected to spend, from their own orders: if they stay, whether they have, and in what range.

    orders     posterior rate of a Poisson process under a gamma prior:  (shape + repeats) / (rate_days + age)
    staying    odds of having left:  a / (b + repeats) · ((rate_days + age) / (rate_days + span)) ^ (shape + repeats)
    an order   mean of the customer's order days and of `PRIOR_ORDERS` typical ones
    spend      orders a day × days × an order, if staying; times the chance of staying, all told

`repeats` are the days with an order after the first, `span` the days from the first to the last, `age` from the first until now.
The process is BG/NBD's (Fader, Hardie and Lee, "Counting your customers the easy way", Marketing Science 24, 2005), with
a chance to leave after the first order already (Batislam, Denizel and Filiztekin, 2007). That a customer who stays now may leave
within the horizon is left out: on the two real logs sums then come closest to what was spent, `docs/alerts.md` has the figures.

The five figures of the population (`Buying`) are learnt from counts (`value_fit`) and travel with the model. No season, no cost of goods.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import exp, expm1, inf, isfinite, log, log1p, sqrt
from statistics import NormalDist
from typing import Any, Final, NamedTuple

HORIZON_DAYS: Final = 365
"""Of the value in an alert."""

HORIZONS_DAYS: Final = (30, 90, 180, 365)

PRIOR_ORDERS: Final = 2.0
"""So many typical orders count beside the customer's own. Against the plain mean: +.02 rank correlation with what was spent on
CDNOW, -.003 to +.02 on Online Retail II; more of them are better there and worse here."""

LOWER, UPPER = 0.1, 0.9
"""Quantiles of the interval: eight of ten lie within, and one of ten above."""

ORDER_SPREAD: Final = 1.0
"""Coefficient of variation, of one customer's orders and of typical orders between customers: about 0.7 to 1 on both logs."""

LOG_ODDS_MAX: Final = 600.0
"""Beyond, the exponential function overflows; certain is certain."""

_NORMAL: Final = NormalDist()


class Buying(NamedTuple):
    """How a population buys: gamma prior of the rate (shape, rate in days), beta prior of leaving after an order, a typical order.

    `typical_order` is in the shop's currency; 0 while unknown, then only the customer's own orders count.
    """

    shape: float
    rate_days: float
    leave_a: float
    leave_b: float
    typical_order: float = 0.0


DEFAULT_BUYING: Final = Buying(0.5, 40.0, 0.8, 2.0)
"""Before anything was counted: about what fits CDNOW, and what fits are held to while customers are few."""


class History(NamedTuple):
    """A customer's orders: distinct days with one, their sum, days from the first to the last, days from the first until now."""

    order_days: int
    amount: float
    span_days: float
    age_days: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is expected of the next `horizon_days`, in the currency of the orders.

    Attributes:
        horizon_days: how far it looks.
        staying: the chance that the customer has not left, 0 to 1.
        if_staying: expected spend of one who has not.
        expected: expected spend, all told.
        nothing: the chance that nothing at all is spent.
        low, high: eight of ten such customers spend between these, one of ten more. `low` is 0 where one of ten spends nothing.
    """

    horizon_days: int
    staying: float
    if_staying: float
    expected: float
    nothing: float
    low: float
    high: float


def buying_in(extra: Mapping[str, Any]) -> Buying:
    """Return the population that a guide tells of in its `extra`; the default where it tells of none, or nonsense.

    >>> buying_in({}) == DEFAULT_BUYING
    True
    """
    known = extra.get("buying")
    return _checked(tuple(known)) if isinstance(known, list | tuple) else DEFAULT_BUYING


@lru_cache(maxsize=64)
def _checked(figures: tuple[Any, ...]) -> Buying:
    fits = len(figures) == len(DEFAULT_BUYING) and all(isinstance(f, int | float) and isfinite(f) for f in figures)
    return Buying(*figures) if fits and min(figures[:4]) > 0 and figures[4] >= 0 else DEFAULT_BUYING


def annual_value(
    *,
    order_days: int,
    amount: float,
    age_days: float,
    override: float | None = None,
    buying: Buying = DEFAULT_BUYING,
) -> float:
    """Return the expected spend of 365 days if the customer stays, in the currency of `amount`; never negative.

    Args:
        order_days: distinct days with an order.
        amount: sum of all orders.
        age_days: days from the first order until now; what silence there is, is in it.
        override: the annual value that the customer's profile states.
        buying: the population.

    >>> round(annual_value(order_days=11, amount=550.0, age_days=320.0), 2)
    532.29
    """
    if override is not None:
        return max(0.0, override)
    if order_days < 1:
        return 0.0
    # Asked like this a sum that is not a number becomes 0.
    age, spent = age_days if age_days > 0.0 else 0.0, amount if amount > 0.0 else 0.0
    shape, rate_days, _, _, typical_order = buying
    orders_a_day = (shape + order_days - 1) / (rate_days + age)
    return orders_a_day * HORIZON_DAYS * _order(order_days, spent, typical_order)


def _order(order_days: int, amount: float, typical_order: float) -> float:
    """Return what the customer is expected to spend on a day with an order."""
    if not typical_order:
        return amount / order_days
    return (amount + PRIOR_ORDERS * typical_order) / (order_days + PRIOR_ORDERS)


def staying(history: History, buying: Buying = DEFAULT_BUYING) -> float:
    """Return the chance that the customer has not left for good, 0 to 1.

    >>> regular = History(order_days=10, amount=500.0, span_days=270.0, age_days=275.0)
    >>> round(staying(regular), 2), round(staying(regular._replace(age_days=450.0)), 2)
    (0.92, 0.15)
    """
    repeats, span, age = _counted(history)
    shape, rate, a, b, _ = buying
    odds = log(a / (b + repeats)) + (shape + repeats) * log((rate + age) / (rate + span))
    return 1.0 / (1.0 + exp(min(odds, LOG_ODDS_MAX)))


def forecast(history: History, horizon_days: int, buying: Buying = DEFAULT_BUYING) -> Forecast:
    """Return what is to be expected of the next `horizon_days` (1 or more), with its uncertainty.

    The interval is of a mixture: nothing with the probability that follows from the model, else a log-normal with the mean and
    variance of the sum of a negative binomial number of orders, at least one, whose own mean is uncertain too.

    >>> told = forecast(History(order_days=10, amount=500.0, span_days=270.0, age_days=275.0), 180)
    >>> round(told.expected), round(told.low), round(told.high)
    (250, 43, 507)
    """
    if history.order_days < 1:
        return Forecast(horizon_days, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    repeats, _, age = _counted(history)
    order = _order(history.order_days, _bounded(history.amount), buying.typical_order)
    shape = buying.shape + repeats
    orders = shape * horizon_days / (buying.rate_days + age)
    some = -expm1(-shape * log1p(horizon_days / (buying.rate_days + age)))
    there = staying(history, buying)
    buys = there * some
    own = order * orders
    low, high = 0.0, 0.0
    if own and buys:
        mean_orders = orders / some
        variance = max(some * (1.0 / orders + 1.0 + 1.0 / shape) - 1.0, 0.0)
        variance += ORDER_SPREAD**2 * (1.0 / mean_orders + PRIOR_ORDERS / (history.order_days + PRIOR_ORDERS))
        low, high = (_quantile(share, 1.0 - buys, order * mean_orders, variance) for share in (LOWER, UPPER))
    return Forecast(horizon_days, there, own, there * own, 1.0 - buys, low, high)


def _quantile(share: float, nothing: float, mean: float, variance: float) -> float:
    """Quantile of: 0 with the chance `nothing`, else log-normal of this mean and relative variance."""
    if share <= nothing:
        return 0.0
    spread = sqrt(log1p(variance))
    deviations = _NORMAL.inv_cdf((share - nothing) / (1.0 - nothing))
    return mean * exp(spread * deviations - spread * spread / 2.0)


def _counted(history: History) -> tuple[float, float, float]:
    """Return repeats, span and age, made to fit each other: absurd input must not become an absurd answer."""
    age = _bounded(history.age_days)
    return float(max(0, history.order_days - 1)), min(_bounded(history.span_days), age), age


def _bounded(figure: float) -> float:
    """Return a finite number that is not negative; 0 for what is none."""
    return figure if 0.0 <= figure < inf else 0.0


def at_risk(annual: float, risk: float) -> float:
    """Return the part of a year's spend that is expected to be lost: the value times the risk (0 to 1).

    >>> at_risk(500.0, 0.8)
    400.0
    """
    return annual * risk
