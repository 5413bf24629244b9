"""The forms of the input events: what producers may send, to the letter of the published format. They define it.

Strict about values: a number in quotes or a boolean for a number is an error. Lenient about form: a field that nobody knows is
ignored, and an optional field that is null is as good as absent, since many serialisers write every field they know.
Instants come as RFC 3339 with an offset or as integer epoch milliseconds, and are integer milliseconds from then on.

What passes becomes a record of `streams.events`. Most events come a shorter way (`streams.quick`), which accepts nothing that
would not pass here and gives the same; the JSON Schemas and what is said of a bad event are made from the forms alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from streams import events
from streams.events import (
    COUNT_MAX,
    CUSTOMER_ID_MAX,
    IDENTIFIER_MAX,
    MONEY_MAX,
    NOTE_MAX,
    TEXT_MAX,
    TOPICS_MAX,
    Channel,
    InputEvent,
    LossReason,
    OrderStatus,
    OutcomeStatus,
    ReviewKind,
    Severity,
    Theme,
    TicketCategory,
    TicketStatus,
)
from streams.time import INSTANT_MAX_MS, INSTANT_MIN_MS, RFC_3339, parse_instant

Instant = Annotated[
    int,
    BeforeValidator(parse_instant),
    WithJsonSchema(
        {
            "description": "RFC 3339 with an offset, or integer epoch milliseconds",
            "anyOf": [
                {"type": "string", "format": "date-time", "pattern": f"^{RFC_3339.pattern}$"},
                {"type": "integer", "minimum": INSTANT_MIN_MS, "maximum": INSTANT_MAX_MS},
            ],
        }
    ),
]
# `strict` refuses "12" and true for 12; JSON has one kind of number, so 12 is a fine amount.
Money = Annotated[float, Field(strict=True, ge=0, le=MONEY_MAX, allow_inf_nan=False)]
Count = Annotated[float, Field(strict=True, ge=0, le=COUNT_MAX, allow_inf_nan=False)]
Identifier = Annotated[str, Field(strict=True, min_length=1, max_length=IDENTIFIER_MAX)]
Label = Annotated[str, Field(strict=True, max_length=256)]
Currency = Annotated[str, Field(strict=True, max_length=3, pattern=r"^[A-Z]{3}$")]
Stars = Annotated[float, Field(strict=True, ge=1, le=5, allow_inf_nan=False)]
PromoterScore = Annotated[float, Field(strict=True, ge=0, le=10, allow_inf_nan=False)]


def _null_is(default: str, allowed: Any) -> BeforeValidator:
    return BeforeValidator(lambda given: default if given is None else given, json_schema_input_type=allowed | None)


class EventForm(BaseModel):
    """What every event has. The same `event_id` again is a duplicate and has no effect."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    event_id: Identifier
    customer_id: Annotated[str, Field(strict=True, min_length=1, max_length=CUSTOMER_ID_MAX)]
    occurred_at: Instant


class LoginForm(EventForm, title="Login"):
    """A customer came by."""

    channel: Channel | None = None
    session_seconds: Count | None = None


class OrderForm(EventForm, title="Order"):
    """An order, or its cancellation or return (an event of its own)."""

    order_id: Identifier
    amount: Money
    currency: Currency | None = None
    items: Count | None = None
    discount: Money | None = None
    status: Annotated[OrderStatus, _null_is("placed", OrderStatus)] = "placed"


class TicketForm(EventForm, title="Ticket"):
    """A step in the life of a support ticket."""

    ticket_id: Identifier
    status: TicketStatus
    category: TicketCategory | None = None
    severity: Severity | None = None
    satisfaction: Stars | None = None


class ReviewForm(EventForm, title="Review"):
    """A review or the answer to a survey; at least one of `rating` and `nps`."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [{"required": [name], "properties": {name: {"type": "number"}}} for name in ("rating", "nps")]
        }
    )

    rating: Stars | None = None
    nps: PromoterScore | None = None
    kind: Annotated[ReviewKind, _null_is("review", ReviewKind)] = "review"
    topics: Annotated[list[Theme], Field(max_length=TOPICS_MAX)] | None = None
    text: Annotated[str, Field(strict=True, max_length=TEXT_MAX)] | None = None

    @model_validator(mode="after")
    def _rated(self) -> ReviewForm:
        if self.rating is None and self.nps is None:
            raise ValueError("a review needs a rating (1 to 5) or an nps (0 to 10)")
        return self


class ProfileForm(EventForm, title="Profile"):
    """What the business knows of a customer; the latest counts. A tombstone on the topic erases it."""

    signed_up_at: Instant | None = None
    plan: Label | None = None
    segment: Label | None = None
    owner: Label | None = None
    annual_value: Money | None = None
    country: Label | None = None
    do_not_contact: Annotated[bool, Field(strict=True)] | None = None


class CancellationForm(EventForm, title="Cancellation"):
    """Explicit churn, for businesses with contracts."""

    reason: LossReason | None = None
    effective_at: Instant | None = None


class OutcomeForm(EventForm, title="Outcome"):
    """What the retention team did about an alert, and what came of it."""

    alert_id: Identifier
    status: OutcomeStatus
    action: Label | None = None
    snooze_until: Instant | None = None
    cost: Money | None = None
    note: Annotated[str, Field(strict=True, max_length=NOTE_MAX)] | None = None


FORMS: Final[Mapping[str, type[EventForm]]] = {
    "logins": LoginForm,
    "orders": OrderForm,
    "tickets": TicketForm,
    "reviews": ReviewForm,
    "profiles": ProfileForm,
    "cancellations": CancellationForm,
    "outcomes": OutcomeForm,
}
"""The forms of the input streams, by the names that files and settings use."""


def event_in(stream: str, value: bytes) -> InputEvent:
    """Return the event of `stream` that is in JSON; raises pydantic's ValidationError, a ValueError, where there is none.

    >>> event_in("reviews", b'{"event_id": "e", "customer_id": "c", "occurred_at": 5, "rating": 4}').rating
    4.0
    """
    return _record(stream, FORMS[stream].model_validate_json(value))


def event_of(stream: str, fields: Mapping[str, Any]) -> InputEvent:
    """Return the event of `stream` that has these fields; raises as `event_in` does."""
    return _record(stream, FORMS[stream].model_validate(fields))


def _record(stream: str, form: EventForm) -> InputEvent:
    return events.STREAMS[stream](**vars(form))
