"""The input events as every room works with them: records that have passed their form.

What producers may send is declared in `streams.forms`, which is the definition; `streams.codec` makes these of it. The bounds stand
in both: the annotations of a record are what `streams.quick` decodes by.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Final, Literal

from msgspec import Meta, Struct

IDENTIFIER_MAX: Final = 256
CUSTOMER_ID_MAX: Final = 128
TEXT_MAX: Final = 20_000
NOTE_MAX: Final = 2_000
TOPICS_MAX: Final = 16
MONEY_MAX: Final = 1e12
COUNT_MAX: Final = 1e9

Channel = Literal["web", "app", "store", "call", "other"]
OrderStatus = Literal["placed", "cancelled", "returned"]
TicketStatus = Literal["opened", "updated", "resolved", "reopened"]
TicketCategory = Literal["billing", "delivery", "product", "service", "account", "return", "cancellation", "other"]
Severity = Literal["low", "normal", "high"]
ReviewKind = Literal["review", "survey"]
Theme = Literal["price", "service", "product", "delivery", "other"]
LossReason = Literal["price", "service", "product", "competition", "other"]
OutcomeStatus = Literal["acknowledged", "contacted", "accepted", "declined", "false_alarm", "snoozed"]

Identifier = Annotated[str, Meta(min_length=1, max_length=IDENTIFIER_MAX)]
CustomerId = Annotated[str, Meta(min_length=1, max_length=CUSTOMER_ID_MAX)]
Money = Annotated[float, Meta(ge=0, le=MONEY_MAX)]
Count = Annotated[float, Meta(ge=0, le=COUNT_MAX)]
Stars = Annotated[float, Meta(ge=1, le=5)]
PromoterScore = Annotated[float, Meta(ge=0, le=10)]
Text = Annotated[str, Meta(max_length=TEXT_MAX)]
Currency = Annotated[str, Meta(min_length=3, max_length=3)]

if TYPE_CHECKING:
    Instant = int
else:
    # In the JSON it may be text, and a fraction must not pass for an integer: `streams.quick` turns it into milliseconds.
    Instant = int | str | float


class InputEvent(Struct, frozen=True, gc=False, kw_only=True):
    """What every event has. The same `event_id` again is a duplicate and has no effect. `occurred_at` is in epoch milliseconds."""

    event_id: Identifier
    customer_id: CustomerId
    occurred_at: Instant


class Login(InputEvent, frozen=True, gc=False, kw_only=True):
    """A customer came by."""

    channel: Channel | None = None
    session_seconds: Count | None = None


class Order(InputEvent, frozen=True, gc=False, kw_only=True):
    """An order, or its cancellation or return (an event of its own)."""

    order_id: Identifier
    amount: Money
    currency: Currency | None = None
    items: Count | None = None
    discount: Money | None = None
    status: OrderStatus = "placed"


class Ticket(InputEvent, frozen=True, gc=False, kw_only=True):
    """A step in the life of a support ticket."""

    ticket_id: Identifier
    status: TicketStatus
    category: TicketCategory | None = None
    severity: Severity | None = None
    satisfaction: Stars | None = None


class Review(InputEvent, frozen=True, gc=False, kw_only=True):
    """A review or the answer to a survey; at least one of `rating` and `nps`."""

    rating: Stars | None = None
    nps: PromoterScore | None = None
    kind: ReviewKind = "review"
    topics: Annotated[list[Theme], Meta(max_length=TOPICS_MAX)] | None = None
    text: Text | None = None


class Profile(InputEvent, frozen=True, gc=False, kw_only=True):
    """What the business knows of a customer; the latest counts. A tombstone on the topic erases it."""

    signed_up_at: Instant | None = None
    plan: str | None = None
    segment: str | None = None
    owner: str | None = None
    annual_value: float | None = None
    country: str | None = None
    do_not_contact: bool | None = None


class Cancellation(InputEvent, frozen=True, gc=False, kw_only=True):
    """Explicit churn, for businesses with contracts."""

    reason: LossReason | None = None
    effective_at: Instant | None = None


class Outcome(InputEvent, frozen=True, gc=False, kw_only=True):
    """What the retention team did about an alert, and what came of it."""

    alert_id: str
    status: OutcomeStatus
    action: str | None = None
    snooze_until: Instant | None = None
    cost: float | None = None
    note: str | None = None


STREAMS: Final[Mapping[str, type[InputEvent]]] = {
    "logins": Login,
    "orders": Order,
    "tickets": Ticket,
    "reviews": Review,
    "profiles": Profile,
    "cancellations": Cancellation,
    "outcomes": Outcome,
}
"""The input streams by the names that files and settings use."""
