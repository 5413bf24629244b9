"""What a look sees of a customer: computed once, and what score, segment, value, decision and alerts all go by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from agents.record import Customer
from alerts.value import Buying, History, annual_value
from features.catalog import INDEX
from features.state import Activity
from features.vector import vector
from streams.time import DAY_MS

_ORDER_DAYS: Final = INDEX["order_days"]
_SILENCE_DAYS: Final = INDEX["order_silence_days"]
_GAP_MEAN_DAYS: Final = INDEX["gap_mean_days"]
_AMOUNT: Final = INDEX["amount_lifetime"]


class Sight(msgspec.Struct, frozen=True, gc=False):
    """What a look sees of a customer.

    Attributes:
        figures: the feature vector.
        tenure_days: days since the first event of theirs; a profile is none.
        order_days: distinct days with an order.
        stayed_ms: the last sign of staying (an order, by default); 0 where there is none.
        silence_days: days since then, or since the first record.
        value: expected annual spend, if they stay.
    """

    figures: list[float]
    tenure_days: float
    order_days: int
    stayed_ms: int
    silence_days: float
    value: float

    @property
    def history(self) -> History:
        """Orders in short."""
        return history_of(self.figures)

    def mean_gap_days(self, activity: Activity) -> float | None:
        """Return the mean days between order days, or between login days where there are none; None below two.

        Asked for where it is needed only: most have too few orders, and their login days have to be walked through.
        """
        if self.order_days > 1:
            return self.figures[_GAP_MEAN_DAYS]
        return activity.mean_gap_days() if activity.login_tiles or activity.past is not None else None


def history_of(figures: Sequence[float]) -> History:
    """Return orders in short, from a feature vector. Days are whole ones, as the features count them."""
    order_days = int(figures[_ORDER_DAYS])
    span_days = figures[_GAP_MEAN_DAYS] * (order_days - 1) if order_days > 1 else 0.0
    return History(order_days, figures[_AMOUNT], span_days, span_days + figures[_SILENCE_DAYS])


def see(customer: Customer, churn_on: Literal["orders", "any"], buying: Buying, *, silence: bool) -> Sight:
    """Look at the customer as of `customer.as_of_ms`, knowing how the population buys; `silence`: no event is the cause."""
    activity, at_ms = customer.activity, customer.as_of_ms
    # An event at midnight sharp belongs to the day that begins; a snapshot at midnight sees the days before it only.
    figures = vector(activity, at_ms if silence else at_ms + 1)
    order_days = int(figures[_ORDER_DAYS])
    last_order_ms, first_ms = activity.last_order_ms, activity.first_seen_ms
    if first_ms is None:
        first_ms = customer.first_ms
    age_days = figures[_SILENCE_DAYS]
    if order_days > 1:
        age_days += figures[_GAP_MEAN_DAYS] * (order_days - 1)
    stayed_ms = (last_order_ms if churn_on == "orders" else activity.last_activity_ms) or 0
    return Sight(
        figures=figures,
        tenure_days=(at_ms - first_ms) / DAY_MS,
        order_days=order_days,
        stayed_ms=stayed_ms,
        silence_days=(at_ms - (stayed_ms or first_ms)) / DAY_MS,
        value=annual_value(
            order_days=order_days,
            amount=figures[_AMOUNT],
            age_days=age_days,
            override=None if customer.attributes is None else customer.attributes.annual_value,
            buying=buying,
        ),
    )
