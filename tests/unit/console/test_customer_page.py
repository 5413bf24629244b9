"""One customer's page: the portrait, the timeline, the chart's figures; and what the store's troubles look like."""

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace
from starlette.testclient import TestClient

from alerts.alert import Reason
from console.access import Access, Rules
from console.app import create_app
from console.board import Board
from console.customer_page import timeline
from console.history import cases
from console.inbox import Inbox
from console.portrait import Contribution, Moment, Portrait
from streams.errors import Corrupt, TransportError
from streams.time import DAY_MS
from tests.unit.console.shop import NOW_MS, alert, outcome
from tests.unit.console.test_app import EDITOR, HOSTILE, Idle, Nothing, Reporter

PORTRAIT = Portrait(
    customer_id=HOSTILE,
    partition=3,
    as_of_ms=NOW_MS,
    risk=0.71,
    basis="model",
    band="high",
    segment="loyal",
    facts={"orders": 12, "amount": 480.5},
    currency="EUR",
    profile={"owner": "<b>ann</b>"},
    do_not_contact=True,
    reasons=[Reason("price", 0.6, "Discounts of <40 %>", {"discount_share_90d": 0.4})],
    outlook="An order now would bring the risk from 0.71 to 0.40",
    worth=["Worth 500 EUR"],
    risks=[(NOW_MS - 7 * DAY_MS, 0.5), (NOW_MS, 0.71)],
    moments=[Moment(NOW_MS - DAY_MS, "reviews", 1, 2.5), Moment(NOW_MS - 3 * DAY_MS, "orders", 2, 80.0)],
    contributions=[Contribution("discount_share_90d", 0.4, 0.625)],
)


class Portraits:
    """Knows one customer; may be away."""

    error: Exception | None = None

    async def of(self, customer_id: str) -> Portrait | None:
        if self.error is not None:
            raise self.error
        return PORTRAIT if customer_id == HOSTILE else None


@pytest.fixture
def portraits() -> Portraits:
    return Portraits()


@pytest.fixture
def editor(portraits: Portraits) -> Iterator[TestClient]:
    inbox = Inbox()
    told = alert(HOSTILE)
    inbox.take_alerts([(told, None), (alert("gone"), None)])
    inbox.take_outcomes([outcome(told, "contacted", NOW_MS)])
    board = Board(inbox, Reporter(), portraits, Nothing(), Idle(), lambda: NOW_MS)
    with TestClient(create_app(board, Access(Rules(EDITOR), lambda: 0.0), lambda: 0.0)) as client:
        client.post("/sign-in", data={"token": EDITOR})
        yield client


def test_the_page_tells_all_there_is(editor: TestClient) -> None:
    text = editor.get("/customer", params={"id": HOSTILE}).text
    for told in (
        "71%",
        "€480",
        "price",
        "An order now would bring",
        "Make an offer",
        "2.5 stars",
        "× 2",
        "contacted",
        "not be contacted",
        "discount_share_90d",
        "+0.62",
    ):
        assert told in text


@pytest.mark.parametrize("hostile", ["<script>alert", "<b>ann", "<40"])
def test_whatever_is_told_is_text(editor: TestClient, hostile: str) -> None:
    assert hostile not in editor.get("/customer", params={"id": HOSTILE}).text


def test_the_inbox_leads_to_the_customer_whatever_the_id(editor: TestClient) -> None:
    text = editor.get("/alerts").text
    assert "/customer?id=%3Cscript%3Ealert%281%29%3C/script%3E%22%27%26/../%7B%7B7%2A7%7D%7D" in text


def test_of_one_who_is_gone_the_alerts_remain(editor: TestClient) -> None:
    answer = editor.get("/customer", params={"id": "gone"})
    assert answer.status_code == 200
    assert "Nothing is known" in answer.text
    assert "Discounts of 40 %" in answer.text


@pytest.mark.parametrize("customer_id", ["nobody", "", "x" * 129])
def test_of_a_stranger_nothing_is_known(editor: TestClient, customer_id: str) -> None:
    assert editor.get("/customer", params={"id": customer_id}).status_code == 404
    assert editor.get("/customer/series", params={"id": customer_id}).status_code == 404


@pytest.mark.parametrize("error", [TransportError("Redis is away"), Corrupt("the key that ends in c:x")])
def test_a_store_in_trouble_is_said(editor: TestClient, portraits: Portraits, error: Exception) -> None:
    portraits.error = error
    answer = editor.get("/customer", params={"id": HOSTILE})
    assert answer.status_code == 503
    assert str(error) in answer.text


def test_the_chart_has_a_place_for_every_instant(editor: TestClient) -> None:
    told = editor.get("/customer/series", params={"id": HOSTILE}).json()
    day = DAY_MS // 1000
    assert told == {
        "at": [NOW_MS // 1000 - 7 * day, NOW_MS // 1000 - 3 * day, NOW_MS // 1000 - day + 60, NOW_MS // 1000],
        "risk": [0.5, None, 0.7, 0.71],
        "amount": [None, 80.0, None, None],
    }


def test_the_timeline_is_one_list_the_latest_first(editor: TestClient) -> None:
    told = alert(HOSTILE)
    entries = timeline(PORTRAIT, [told], [{"occurred_at": NOW_MS, "status": "contacted"}])
    assert [entry.at_ms for entry in entries] == sorted((entry.at_ms for entry in entries), reverse=True)
    assert len(entries) == 6
    for entry in entries:
        assert sum(told is not None for told in (entry.moment, entry.alert, entry.outcome, entry.risk)) == 1


def test_what_was_done_and_what_came_of_it_stand_together() -> None:
    first, last = alert("a"), alert("a", seq=2, kind="resolved")
    other = replace(alert("a", seq=9), episode_id="later")
    reports: list[dict[str, Any]] = [
        {"alert_id": last.alert_id, "n": 2},
        {"alert_id": "unknown"},
        {"alert_id": first.alert_id, "n": 1},
    ]
    later, case = cases([other, last, first], reports)
    assert (later.episode_id, later.ended, later.reports) == ("later", "", [])
    assert (case.opened, case.latest, case.ended) == (first, last, "resolved")
    assert [report["n"] for report in case.reports] == [1, 2]
    assert case.opened_ms < case.ended_ms


def test_an_open_alert_can_be_worked_on_here(editor: TestClient) -> None:
    text = editor.get("/customer", params={"id": HOSTILE}).text
    assert text.count("data-episode=") == 1
    assert text.count("data-act=") == 6
    assert "What was done" in text
