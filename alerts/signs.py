"""Signs: what a customer said and did that speaks for one cause, each with how far it outweighs plain disengagement.

However a customer leaves, orders and visits fall; so a model of churn finds falling engagement behind every departure. What tells the causes apart
is what was said (ticket categories, ratings, topics, words of reviews) and a few acts: discounts that ended, a basket that
shrank, orders that stop while visits go on. A sign's `lift` is in log-odds, the unit of the model's contributions.

The lifts are set by hand, for nobody tells the product the true causes that it could learn them from; what the model has
learnt comes on top (`causes`). A complaint counts the more the more there are, by log2(1 + n), at most 3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import log2
from typing import Final

from alerts.alert import Code
from alerts.wording import counted, number

Values = Mapping[str, float]

COUNTED_MAX: Final = 3.0

TOLD: Final = 0.9
"""A complaint that names its subject: as good as certain to be on the customer's mind, not to be the cause."""
TICKET: Final = 0.6
"""A ticket by its category: something went wrong, perhaps nothing that was not set right at once."""
HINT: Final = 0.3
"""What befalls many who stay."""

DISCOUNT_MIN: Final = 0.03
DISCOUNT_LEFT: Final = 1 / 3
BASKET_LEFT: Final = 0.7
VISITS_LEFT: Final = 0.8
SILENCE_OVER_GAP: Final = 2.0


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign.

    Attributes:
        code: the family that it speaks for.
        lift: log-odds of this cause over plain disengagement that it adds.
        told: the sentence, without full stop.
        shows: the figures in it, by name.
    """

    code: Code
    lift: float
    told: str
    shows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Counted:
    """A sign that is a count: of what, and what it is called."""

    name: str
    code: Code
    lift: float
    noun: str
    rest: str


_COUNTS: Final = (
    _Counted("price_complaints_90d", "price", TOLD, "poor review", "on the price in 90 days"),
    _Counted("billing_tickets_90d", "price", TICKET, "ticket", "on billing in 90 days"),
    _Counted("service_complaints_90d", "service", TOLD, "poor review", "on service or delivery in 90 days"),
    _Counted("unhappy_tickets_90d", "service", TOLD, "ticket", "rated 2 stars or fewer in 90 days"),
    _Counted("slow_tickets_90d", "service", HINT, "ticket", "took more than 3 days in 90 days"),
    _Counted("service_tickets_90d", "service", HINT, "ticket", "on service, delivery or the account in 90 days"),
    _Counted("product_complaints_90d", "product", TOLD, "poor review", "on the product in 90 days"),
    _Counted("returned_orders_90d", "product", TICKET, "order", "returned in 90 days"),
    _Counted("product_tickets_90d", "product", TICKET, "ticket", "on a product or a return in 90 days"),
    _Counted("plain_complaints_90d", "product", HINT, "poor review", "in 90 days"),
    _Counted("rival_complaints_90d", "competition", 1.5 * TOLD, "poor review", "that speaks of competitors in 90 days"),
    _Counted("leaving_tickets_90d", "competition", TICKET, "ticket", "on cancelling in 90 days"),
)


def signs_in(values: Values) -> list[Sign]:
    """Return the signs in a customer's figures (features and what was said, by name), the strongest first.

    >>> [(sign.code, sign.told) for sign in signs_in({"billing_tickets_90d": 2.0})]
    [('price', '2 tickets on billing in 90 days')]
    """
    found = [
        Sign(
            one.code,
            one.lift * log2(1 + min(count, COUNTED_MAX)),
            f"{counted(count, one.noun)} {one.rest}",
            (one.name,),
        )
        for one in _COUNTS
        if (count := values.get(one.name, 0.0)) > 0
    ]
    found += _acts(values)
    return sorted(found, key=lambda sign: -sign.lift)


def _acts(values: Values) -> Iterator[Sign]:
    before, latest = values.get("discount_share_before", 0.0), values.get("discount_share_latest", 0.0)
    if before >= DISCOUNT_MIN and latest <= before * DISCOUNT_LEFT:
        left = f"{number(100 * latest)} %" if latest else "none"
        told = f"Discounts of {number(100 * before)} % before, {left} on the latest 3 order days"
        yield Sign("price", TICKET, told, ("discount_share_latest", "discount_share_before"))
    before, latest = values.get("basket_before", 0.0), values.get("basket_latest", 0.0)
    if latest < BASKET_LEFT * before:
        told = f"Orders of {number(latest)} on the latest 3 order days, {number(before)} before"
        yield Sign("price", HINT, told, ("basket_latest", "basket_before"))
    visits, visits_before = values.get("logins_30d", 0.0), values.get("logins_prev_30d", 0.0)
    silence, gap = values.get("order_silence_days", 0.0), values.get("gap_mean_days", 0.0)
    if visits >= 3 and visits >= VISITS_LEFT * visits_before and gap and silence > SILENCE_OVER_GAP * gap:
        told = f"Still comes by ({counted(visits, 'login')} in 30 days), but no order for {counted(silence, 'day')}"
        yield Sign("competition", HINT, told, ("logins_30d", "order_silence_days"))
