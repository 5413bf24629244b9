"""The rows of an input event."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from alerts.outcomes import STATUSES
from alerts.segments import SEGMENTS
from bi.cells import day, decimal, instant, name, text, whole
from bi.rows import Cells, Row
from streams.codec import RawRecord
from streams.errors import Corrupt
from streams.events import Cancellation, InputEvent, Order, Outcome, Profile, Review, Ticket


def event_rows(customer_id: str, event: InputEvent, record: RawRecord) -> Iterator[Row]:
    """Yield the rows of an event; raises Corrupt where a table cannot hold them."""
    at_ms = event.occurred_at
    at, on = instant(at_ms), day(at_ms)
    known: Cells = {"customer_id": customer_id, "event_id": name(event.event_id)}
    customer: Cells = {"customer_id": customer_id}
    match event:
        case Order():
            if event.status == "placed":
                customer |= {"first_order_at": at, "last_order_at": at}
            yield Row("fact_order", known | {"ordered_at": at, "ordered_on": on} | _order(event))
        case Cancellation():
            until = _maybe(event.effective_at)
            stated = {"reason": event.reason, "effective_at": until}
            yield Row("fact_cancellation", known | {"cancelled_at": at, "cancelled_on": on} | stated)
        case Ticket():
            yield Row("fact_ticket", known | {"happened_at": at, "happened_on": on} | _ticket(event))
        case Review():
            yield Row("fact_review", known | {"reviewed_at": at, "reviewed_on": on} | _review(event))
        case Outcome():
            yield Row("fact_outcome", known | {"reported_at": at, "reported_on": on} | _outcome(event))
        case Profile():
            customer |= _profile(event) | {"profile_offset": whole(record.offset)}
            if event.segment and event.segment not in SEGMENTS:
                named: Cells = {"segment": name(event.segment), "title": text(event.segment), "computed": False}
                yield Row("dim_segment", named)
        case _:
            raise Corrupt(f"{type(event).__name__} is not kept in the star schema")
    yield Row("dim_customer", customer)


def _order(event: Order) -> Cells:
    return {
        "order_id": text(event.order_id),
        "status": event.status,
        "amount": decimal(event.amount),
        "discount": decimal(event.discount),
        "items": decimal(event.items),
        "currency": text(event.currency),
    }


def _ticket(event: Ticket) -> Cells:
    return {
        "ticket_id": text(event.ticket_id),
        "status": event.status,
        "category": event.category,
        "severity": event.severity,
        "satisfaction": decimal(event.satisfaction),
    }


def _review(event: Review) -> Cells:
    return {
        "kind": event.kind,
        "rating": decimal(event.rating),
        "nps": decimal(event.nps),
        "topics": ", ".join(sorted(set(event.topics))) if event.topics else None,
    }


def _outcome(event: Outcome) -> Cells:
    return {
        "alert_id": name(event.alert_id),
        "status": event.status,
        "status_rank": STATUSES.index(event.status),
        "action": text(event.action),
        "cost": decimal(event.cost),
        "snoozed_until": _maybe(event.snooze_until),
    }


def _profile(event: Profile) -> Cells:
    """Return the profile's columns; all null after its tombstone."""
    return {
        "plan": text(event.plan),
        "owner": text(event.owner),
        "country": text(event.country),
        "profile_segment": text(event.segment),
        "annual_value": decimal(event.annual_value),
        "do_not_contact": event.do_not_contact,
        "signed_up_at": _maybe(event.signed_up_at),
    }


def _maybe(at_ms: int | None) -> datetime | None:
    return None if at_ms is None else instant(at_ms)
