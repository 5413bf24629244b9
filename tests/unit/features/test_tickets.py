"""Tickets: what one is at an instant, and what is forgotten when there are too many."""

from typing import Any

import pytest

from features.tickets import CATEGORIES, EVENTS_MAX, SEVERITIES, TICKETS_MAX, Ticket, forget_before, record, standing
from streams.events import Ticket as TicketEvent
from tests.unit.features.samples import at, event


def touched(tickets: list[Ticket], day: float, status: str, **fields: Any) -> list[Ticket]:
    happened = event("tickets", day, status=status, **fields)
    assert isinstance(happened, TicketEvent)
    record(tickets, happened)
    return tickets


@pytest.mark.parametrize(("day", "closed_day"), [(1.5, None), (3, None), (3.5, 3), (5.5, 3), (6.5, None), (8.5, 8)])
def test_a_ticket_is_what_it_was_at_the_instant(day: float, closed_day: float | None) -> None:
    tickets: list[Ticket] = []
    for happened, status in [(8, "resolved"), (1, "opened"), (6, "reopened"), (5, "updated"), (3, "resolved")]:
        touched(tickets, happened, status)
    found = standing(tickets[0], at(day))
    assert found is not None
    assert found.opened_ms == at(1)
    assert found.closed_ms == (None if closed_day is None else at(closed_day))


def test_before_its_first_event_there_is_no_ticket() -> None:
    tickets = touched([], 2, "opened")
    assert standing(tickets[0], at(2)) is None


def test_a_ticket_whose_opening_was_never_seen_is_as_old_as_its_first_event() -> None:
    found = standing(touched([], 2, "updated")[0], at(4))
    assert found is not None
    assert (found.opened_ms, found.closed_ms) == (at(2), None)


def test_the_latest_statement_counts_and_the_highest_severity() -> None:
    tickets = touched([], 1, "opened", category="billing", severity="high")
    touched(tickets, 2, "updated", category="product", severity="low")
    touched(tickets, 3, "resolved", satisfaction=4.5)
    touched(tickets, 4, "updated")
    found = standing(tickets[0], at(5))
    assert found is not None
    assert (found.category, found.severity, found.star_tenths) == (CATEGORIES["product"], SEVERITIES["high"], 45)
    assert (found.closed_ms, found.last_ms) == (at(3), at(4))


def test_of_a_long_history_the_first_event_and_the_latest_are_kept() -> None:
    tickets: list[Ticket] = []
    for day in range(EVENTS_MAX + 5, 0, -1):
        touched(tickets, day, "updated")
    kept = [event >> 14 for event in tickets[0].events]
    assert kept == [at(1), *(at(day) for day in range(7, EVENTS_MAX + 6))]


def test_of_too_many_tickets_the_oldest_resolved_goes_first_then_the_oldest() -> None:
    tickets: list[Ticket] = []
    for n in range(TICKETS_MAX):
        touched(tickets, n, "opened", ticket_id=f"t{n}")
    touched(tickets, 50, "resolved", ticket_id="t30")
    touched(tickets, 50, "resolved", ticket_id="t20")
    opened = []
    for n in range(3):
        touched(tickets, 100, "opened", ticket_id=f"new{n}")
        assert len(tickets) == TICKETS_MAX
        opened.append(sorted(ticket.events[0] >> 14 for ticket in tickets))
    assert at(20) not in opened[0]
    assert at(30) in opened[0]
    assert at(30) not in opened[1]
    assert at(0) in opened[1]
    assert at(0) not in opened[2]


def test_a_ticket_is_forgotten_by_its_latest_event() -> None:
    tickets = touched([], 1, "opened", ticket_id="a")
    touched(tickets, 2, "opened", ticket_id="b")
    touched(tickets, 9, "updated", ticket_id="a")
    forget_before(tickets, at(3))
    assert [ticket.events[0] >> 14 for ticket in tickets] == [at(1)]
