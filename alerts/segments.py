"""Segments: groups of customers who are warned about by their own measure.

Ranked against all customers, the riskiest are one-time buyers who were always likely to go; a regular who is leaving
never gets among them. So thresholds and budgets are kept per segment, and this file says who belongs where: regulars
(`loyal`, `high_value`) apart from those who bought once or a few times (`standard`), newcomers (`new`) apart from both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

SEGMENTS: Final = ("new", "loyal", "high_value", "standard")


@dataclass(frozen=True, slots=True)
class SegmentRules:
    """Where the segments begin.

    Attributes:
        regular_order_days: with so many distinct days with an order a customer is a regular, `loyal` or `high_value`, unless so
            many customers have as many that more is asked of them (`frequent_days`).
        new_tenure_days: others are new while they are known for fewer days.
        repeated_order_days: one who bought less often than this is of no high value yet, whatever was spent.
    """

    regular_order_days: int = 5
    new_tenure_days: float = 60.0
    repeated_order_days: int = 2


DEFAULT_RULES: Final = SegmentRules()


def frequent_in(extra: Mapping[str, Any]) -> int:
    """Return the `frequent_days` that a guide tells of in its `extra`; 0 where it tells of none, or nonsense.

    >>> frequent_in({"frequent_days": 7}), frequent_in({})
    (7, 0)
    """
    known = extra.get("frequent_days")
    return known if isinstance(known, int) else 0


def segment_of(
    *,
    tenure_days: float,
    order_days: int,
    value: float,
    value_cut: float | None,
    frequent_days: int = 0,
    override: str | None = None,
    rules: SegmentRules = DEFAULT_RULES,
) -> str:
    """Return a customer's segment, one of `SEGMENTS`.

        order days      1           2 to 4         5 and more (or what the most frequent third has)
        known < 60 d    new         new            high_value from the value cut on, else loyal
        known longer    standard    high_value from the value cut on, else standard      likewise

    Args:
        tenure_days: days since the customer was first seen.
        order_days: distinct days with an order.
        value: expected spend of a year, if the customer stays (`value.annual_value`).
        value_cut: from which such a value is high; None or 0 while nothing is known about that.
        frequent_days: days with an order that the most frequent third of the customers has reached, as counted by the learner.
            With less nobody is a regular in a shop where everybody comes weekly; it never asks for less than `rules` do.
        override: the segment that the customer's profile states; ignored where it is none of ours.
        rules: where the segments begin.

    >>> segment_of(tenure_days=400, order_days=9, value=80, value_cut=300)
    'loyal'
    >>> segment_of(tenure_days=400, order_days=1, value=310, value_cut=300)
    'standard'
    """
    if override is not None and override in SEGMENTS:
        return override
    regular = order_days >= rules.regular_order_days and order_days >= frequent_days
    if not regular and tenure_days < rules.new_tenure_days:
        return "new"
    if value_cut and value >= value_cut and order_days >= rules.repeated_order_days:
        return "high_value"
    return "loyal" if regular else "standard"
