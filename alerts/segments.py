"""Segments: groups of customers who are warned about by their own measure.

Ranked against all customers, the riskiest are one-time buyers who were always likely to go; a regular who is leaving
never gets among them. So thresholds and budgets are kept per segment, and this file says who belongs where: regulars
(`loyal`, `high_value`) apart from those who bought once or a few times (`standard`), newcomers (`new`) apart from both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SEGMENTS: Final = ("new", "loyal", "high_value", "standard")


@dataclass(frozen=True, slots=True)
class SegmentRules:
    """Where the segments begin.

    Attributes:
        regular_order_days: with so many distinct days with an order a customer is a regular, `loyal` or `high_value`.
        new_tenure_days: others are new while they are known for fewer days.
        repeated_order_days: one who bought less often than this is of no high value yet, whatever was spent.
    """

    regular_order_days: int = 5
    new_tenure_days: float = 60.0
    repeated_order_days: int = 2


DEFAULT_RULES: Final = SegmentRules()


def segment_of(
    *,
    tenure_days: float,
    order_days: int,
    value: float,
    value_cut: float | None,
    override: str | None = None,
    rules: SegmentRules = DEFAULT_RULES,
) -> str:
    """Return a customer's segment, one of `SEGMENTS`.

        order days      1           2 to 4         5 and more
        known < 60 d    new         new            high_value from the value cut on, else loyal
        known longer    standard    high_value from the value cut on, else standard      likewise

    Args:
        tenure_days: days since the customer was first seen.
        order_days: distinct days with an order.
        value: expected spend of a year (`value.annual_value`).
        value_cut: from which such a value is high; None or 0 while nothing is known about that.
        override: the segment that the customer's profile states; ignored where it is none of ours.
        rules: where the segments begin.

    >>> segment_of(tenure_days=400, order_days=9, value=80, value_cut=300)
    'loyal'
    >>> segment_of(tenure_days=400, order_days=1, value=310, value_cut=300)
    'standard'
    """
    if override in SEGMENTS:
        return override
    regular = order_days >= rules.regular_order_days
    if not regular and tenure_days < rules.new_tenure_days:
        return "new"
    if value_cut and value >= value_cut and order_days >= rules.repeated_order_days:
        return "high_value"
    return "loyal" if regular else "standard"
