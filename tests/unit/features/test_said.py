"""What a customer said and did, counted for reasons; and what-ifs that leave the customer as is."""

from typing import Any

import pytest

from features.catalog import INDEX, NAMES
from features.said import SAID, said
from features.state import Activity, apply
from features.suppose import open_tickets, with_order, with_tickets_closed, with_visit
from features.vector import vector
from streams.forms import event_of
from streams.time import DAY_MS

START = 19_700
END_MS = (START + 100) * DAY_MS


class Customer:
    """An activity, told by day after the start."""

    def __init__(self) -> None:
        self.activity = Activity.empty()
        self._events = 0

    def does(self, day: float, stream: str, **fields: Any) -> None:
        self._events += 1
        event = {"event_id": f"e{self._events}", "customer_id": "c", "occurred_at": int((START + day) * DAY_MS)}
        apply(self.activity, stream, event_of(stream, event | fields))

    def orders(self, day: float, amount: float = 50.0, discount: float = 0.0) -> None:
        self.does(day, "orders", order_id=f"o{day}", amount=amount, discount=discount)

    def says(self) -> dict[str, float]:
        defaults = {feature.name: feature.default for feature in SAID}
        return {name: figure for name, figure in said(self.activity, END_MS).items() if figure != defaults[name]}


def test_names_are_not_those_of_features() -> None:
    assert not {feature.name for feature in SAID} & set(NAMES)


def test_nothing_said_is_all_defaults() -> None:
    assert Customer().says() == {}


def test_poor_reviews_by_what_they_name() -> None:
    one = Customer()
    one.does(95, "reviews", rating=2.0, topics=["price"], text="and it broke")
    one.does(96, "reviews", nps=3.0, text="Lieferung verspätet; nächstes Mal woanders")
    one.does(97, "reviews", rating=1.0)
    one.does(97, "reviews", rating=1.0, topics=["other"])
    one.does(98, "reviews", rating=5.0, text="expensive but good")
    one.does(5, "reviews", rating=1.0, topics=["price"])
    assert one.says() == {
        "price_complaints_90d": 1, "product_complaints_90d": 1, "service_complaints_90d": 1, "rival_complaints_90d": 1,
        "plain_complaints_90d": 1,
    }  # fmt: skip


def test_no_text_is_kept() -> None:
    import msgspec

    one = Customer()
    one.does(95, "reviews", rating=2.0, text="SECRETWORD expensive")
    assert b"SECRET" not in msgspec.msgpack.encode(one.activity)


def test_tickets_by_what_they_are_on_and_how_they_ended() -> None:
    one = Customer()
    one.does(60, "tickets", ticket_id="a", status="opened", category="delivery")
    one.does(62, "tickets", ticket_id="a", status="resolved", satisfaction=2.0)
    one.does(63, "tickets", ticket_id="b", status="opened", category="billing")
    one.does(64, "tickets", ticket_id="b", status="resolved", satisfaction=1.0)
    one.does(2, "tickets", ticket_id="c", status="opened", category="service")
    assert one.says() == {"service_tickets_90d": 1, "unhappy_tickets_90d": 2}


def test_the_latest_orders_are_held_against_those_before() -> None:
    one = Customer()
    for day in (40, 50, 60):
        one.orders(day, amount=80.0, discount=20.0)
    for day in (70, 80):
        one.orders(day, amount=40.0)
    assert one.says() == {}  # too few order days to say
    one.orders(90, amount=40.0)
    assert one.says() == {
        "discount_share_before": pytest.approx(0.2), "basket_latest": 40.0, "basket_before": 80.0,
    }  # fmt: skip


def test_what_comes_later_does_not_count() -> None:
    one = Customer()
    one.does(100, "reviews", rating=1.0, topics=["price"])
    one.does(101, "tickets", ticket_id="a", status="opened", category="service")
    assert one.says() == {}


def test_what_if_leaves_the_customer_as_is() -> None:
    one = Customer()
    one.orders(50)
    one.orders(100, amount=70.0)
    one.does(60, "logins")
    one.does(90, "tickets", ticket_id="a", status="opened")
    one.does(91, "tickets", ticket_id="b", status="opened")
    one.does(92, "tickets", ticket_id="b", status="resolved")
    before = vector(one.activity, END_MS + 1)
    assert open_tickets(one.activity, END_MS) == 1

    def told(activity: Activity, name: str) -> float:
        return vector(activity, END_MS + 1)[INDEX[name]]

    ordered = with_order(one.activity, END_MS + 1_000)
    assert (told(ordered, "orders_7d"), told(ordered, "amount_7d")) == (2, 130.0)
    assert told(with_visit(one.activity, END_MS), "activity_silence_days") == 0
    assert told(with_tickets_closed(one.activity, END_MS), "open_tickets") == 0
    assert vector(one.activity, END_MS + 1) == before
