"""Segments: groups of customers who are warned about by their own measure.

Ranked against all customers, the riskiest are one-time buyers who were always likely to go; a regular who is leaving
never gets among them. So thresholds and budgets are kept per segment, and this file says who belongs where.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SEGMENTS: Final = ("new", "loyal", "high_value", "standard")


@dataclass(frozen=True, slots=True)
class SegmentRules:
    """Where the segments begin.

    Attributes:
        new_tenure_days: a customer known for fewer days is new.
        new_order_days: so is one with fewer distinct days with an order.
        loyal_order_days: loyal takes at least so many distinct days with an order,
        loyal_gap_days_max: and on average no more than so many days between them.
    """

    new_tenure_days: float = 60.0
    new_order_days: int = 2
    loyal_order_days: int = 5
    loyal_gap_days_max: float = 90.0


DEFAULT_RULES: Final = SegmentRules()


def segment_of(
    *,
    tenure_days: float,
    order_days: int,
    mean_gap_days: float | None,
    value: float,
    value_cut: float | None,
    override: str | None = None,
    rules: SegmentRules = DEFAULT_RULES,
) -> str:
    """Return a customer's segment, one of `SEGMENTS`.

    Args:
        tenure_days: days since the customer was first seen.
        order_days: distinct days with an order.
        mean_gap_days: mean days between those; None where there are fewer than two.
        value: expected spend of a year (`value.annual_value`).
        value_cut: from which such a value is high; None or 0 while nothing is known about that.
        override: the segment that the customer's profile states; ignored where it is none of ours.
        rules: where the segments begin.

    >>> segment_of(tenure_days=400, order_days=9, mean_gap_days=41.0, value=80, value_cut=300)
    'loyal'
    >>> segment_of(tenure_days=400, order_days=9, mean_gap_days=41.0, value=310, value_cut=300)
    'high_value'
    """
    if override in SEGMENTS:
        return override
    if tenure_days < rules.new_tenure_days or order_days < rules.new_order_days:
        return "new"
    if value_cut and value >= value_cut:
        return "high_value"
    regular = mean_gap_days is not None and mean_gap_days <= rules.loyal_gap_days_max
    return "loyal" if regular and order_days >= rules.loyal_order_days else "standard"
