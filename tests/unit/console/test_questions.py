"""The list of alerts: filters, orders, pages and sums."""

import pytest

from console.inbox import Inbox
from console.questions import Filter, Order, Sums, by_segment, owners, page, since
from streams.time import DAY_MS
from tests.unit.console.shop import NOW_MS, alert, outcome


@pytest.fixture
def inbox() -> Inbox:
    inbox = Inbox()
    made = [
        (alert("c1", amount=10.0, risk=0.9, segment="new", band="watch"), "ann"),
        (alert("c2", amount=30.0, risk=0.7, reason="service"), "bob"),
        (alert("c3", amount=20.0, risk=0.8, band="critical"), None),
        (alert("c4", amount=99.0, holdout=True), "ann"),
        (alert("c5", amount=50.0), None),
        (alert("c5", amount=50.0, seq=2, kind="churned"), None),
    ]
    inbox.take_alerts(made)
    inbox.take_outcomes([outcome(made[1][0], "contacted", NOW_MS)])
    return inbox


def ids(inbox: Inbox, asked: Filter, order: Order = "amount") -> list[str]:
    return [row.customer_id for row in page(inbox, asked, NOW_MS, order=order).rows]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (Filter(), ["c2", "c3", "c1"]),
        (Filter(state="new"), ["c3", "c1"]),
        (Filter(state="contacted"), ["c2"]),
        (Filter(state="churned"), ["c5"]),
        (Filter(band="critical"), ["c3"]),
        (Filter(segment="new"), ["c1"]),
        (Filter(reason="service"), ["c2"]),
        (Filter(owner="ann"), ["c1"]),
        (Filter(text="C3"), ["c3"]),
        (Filter(text="%"), []),
        (Filter(text="' OR 1=1 --"), []),
        (Filter(held_out=True), ["c4"]),
    ],
)
def test_a_filter_keeps_what_it_says(inbox: Inbox, asked: Filter, found: list[str]) -> None:
    assert ids(inbox, asked) == found
    assert page(inbox, asked, NOW_MS).total == len(found)


def test_the_list_is_in_the_order_that_is_asked_for(inbox: Inbox) -> None:
    assert ids(inbox, Filter(), "risk") == ["c1", "c3", "c2"]


def test_pages_come_one_after_the_other_and_the_sums_are_of_all(inbox: Inbox) -> None:
    parts = [page(inbox, Filter(), NOW_MS, first=first, rows=2) for first in (0, 2, 4)]
    assert [[row.customer_id for row in part.rows] for part in parts] == [["c2", "c3"], ["c1"], []]
    assert {(part.total, part.amount) for part in parts} == {(3, 60.0)}


def test_today_is_summed_up_by_segment(inbox: Inbox) -> None:
    assert by_segment(inbox, NOW_MS) == [Sums("loyal", 2, 50.0, 1), Sums("new", 1, 10.0, 1)]
    assert since(inbox, NOW_MS - DAY_MS) == {"opened": 5, "resolved": 0, "churned": 1}
    assert since(inbox, NOW_MS + 1) == {"opened": 0, "resolved": 0, "churned": 0}
    assert owners(inbox) == ["ann", "bob"]
