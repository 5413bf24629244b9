"""What a customer is worth, with its uncertainty, in figures and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from agents.record import Customer
from agents.sight import history_of
from alerts.value import HORIZON_DAYS, HORIZONS_DAYS, Forecast, annual_value, at_risk, buying_in, forecast
from models.guide import Guide


@dataclass(frozen=True, slots=True)
class Worth:
    """What is expected of a customer.

    Attributes:
        source: where the value of a year is from: `profile` (the business has stated it), or the customer's own `orders`.
        currency: of all amounts; None where no order stated one.
        annual_value: expected spend of 365 days, if the customer stays.
        at_risk: that times the risk: what an alert of this instant would say.
        forecasts: from orders alone, by horizon.
        words: the same in sentences.
    """

    source: Literal["profile", "orders"]
    currency: str | None
    annual_value: float
    at_risk: float
    forecasts: list[Forecast]
    words: list[str]


def worth_of(customer: Customer, guide: Guide, figures: Sequence[float], risk: float) -> Worth:
    """Return what a customer with this feature vector and risk (0 to 1) is worth, as far as `guide` knows how the shop's customers buy."""
    history, buying = history_of(figures), buying_in(guide.extra)
    stated = None if customer.attributes is None else customer.attributes.annual_value
    value = annual_value(
        order_days=history.order_days,
        amount=history.amount,
        age_days=history.age_days,
        override=stated,
        buying=buying,
    )
    forecasts = [forecast(history, days, buying) for days in HORIZONS_DAYS]
    currency = customer.activity.currency
    lost = at_risk(value, risk)
    said = "as the profile says" if stated is not None else "by their orders"
    words = [
        f"Worth {_money(value, currency)} in {HORIZON_DAYS} days if they stay, {said}; {_money(lost, currency)} of it at risk"
    ]
    if history.order_days:
        words.append(f"By their orders they have not left with a chance of {forecasts[0].staying:.0%}; then, all told,")
        words += [_sentence(told, currency) for told in forecasts]
    return Worth("orders" if stated is None else "profile", currency, value, lost, forecasts, words)


def _sentence(told: Forecast, currency: str | None) -> str:
    """Tell what to expect, and how sure that is."""
    expected, low, high = (_money(amount, currency) for amount in (told.expected, told.low, told.high))
    if not told.high:
        return f"  in {told.horizon_days} days {expected} are expected; nine of ten such customers order nothing"
    if not told.low:
        return (
            f"  in {told.horizon_days} days {expected} are expected; {told.nothing:.0%} of such customers order nothing, "
            f"nine of ten no more than {high}"
        )
    return f"  in {told.horizon_days} days {expected} are expected; eight of ten such customers spend {low} to {high}"


def _money(amount: float, currency: str | None) -> str:
    return f"{amount:,.2f} {currency or ''}".rstrip()
