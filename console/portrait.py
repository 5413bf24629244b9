"""What the console shows of one customer, and where it has it from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from alerts.alert import Reason

MomentKind = Literal[
    "orders", "cancelled", "returned", "logins", "reviews", "ticket_opened", "ticket_resolved", "cancellation"
]


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that the customer did: on a day, or at an instant of it.

    Attributes:
        at_ms: the instant, or the midnight that begins the day.
        kind: what.
        count: how many of them.
        amount: sum of the orders; of reviews the mean rating in stars; None where there is none.
    """

    at_ms: int
    kind: MomentKind
    count: int = 1
    amount: float | None = None


@dataclass(frozen=True, slots=True)
class Contribution:
    """A feature by its name in the catalogue, the customer's value, and by how much it moves the log-odds of leaving from the mean customer's."""

    name: str
    value: float
    effect: float


@dataclass(frozen=True, slots=True)
class Portrait:
    """A customer as of `as_of_ms`.

    Attributes:
        customer_id, partition: who, and where their state is.
        as_of_ms: when the customer was last looked at.
        risk, basis: 0 to 1, and what it rests on (`model` or `rule`).
        band, segment: as last said; `band` is empty before the first score.
        facts: names of facts (`order_days`, `amount` …) to numbers, those that are known.
        currency: of amounts; None where no order stated one.
        profile: what the business has told: `owner`, `plan` …
        do_not_contact: the business does not want the customer to be contacted.
        reasons: why the risk is what it is, the strongest first.
        outlook: what would bring it down, in words; empty where nothing that was tried would.
        worth: what is expected of the customer, in sentences.
        risks: (instant, risk) as said at the latest weekly looks and at the last one, oldest first.
        moments: what the customer did, the latest first.
        contributions: the features that move the model's risk most, the strongest first; none where it rests on the rule.
    """

    customer_id: str
    partition: int
    as_of_ms: int
    risk: float
    basis: str
    band: str
    segment: str
    facts: dict[str, float]
    currency: str | None
    profile: dict[str, str]
    do_not_contact: bool
    reasons: Sequence[Reason]
    outlook: str
    worth: Sequence[str]
    risks: Sequence[tuple[int, float]]
    moments: Sequence[Moment]
    contributions: Sequence[Contribution] = ()


class Portraits(Protocol):
    """The way to customers' states."""

    async def of(self, customer_id: str) -> Portrait | None:
        """Return a customer's portrait; None for one of whom nothing is known. Raises TransportError where the store is away."""
