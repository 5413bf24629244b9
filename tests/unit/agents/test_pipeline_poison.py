"""A record or a customer that cannot be worked on, for whatever reason, must not stop the others."""

import logging
from typing import Any

import pytest

from agents.look import Desk
from agents.pipeline import Pipeline
from agents.record import Customer, encode_customer
from features import state
from streams.events import Order
from streams.time import DAY_MS
from tests.unit.agents.samples import KEEPING, POLICY, QUESTION, TOPICS, event, herald, order
from tests.unit.agents.shop import NOON_MS, Shop

ORDERS = TOPICS.inputs["orders"]


class Fragile(Desk):
    """Cannot look at customers whose id begins with x."""

    def look(self, customer_id: str, customer: Customer, *args: Any, **kwargs: Any) -> None:
        Desk.look(self, customer_id, customer, *args, **kwargs)
        if customer_id.startswith("x"):
            raise ZeroDivisionError("division by zero, " * 100)


def fragile() -> Shop:
    return Shop(Pipeline(Fragile(POLICY, herald(QUESTION), QUESTION), QUESTION, KEEPING))


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "churnwatch.pipeline")


def test_a_record_that_fails_is_undone_and_dead_lettered() -> None:
    shop = fragile()
    shop.take(event("profiles", "x", NOON_MS, plan="gold"))
    before = encode_customer(shop.customers["x"])
    effects = shop.take(order("ann", NOON_MS), order("x", NOON_MS), order("xaver", NOON_MS), order("bob", NOON_MS))
    assert effects.outcomes == {(ORDERS, "applied"): 2, (ORDERS, "dead_lettered"): 2}
    assert effects.dead_letters == {(ORDERS, "invalid"): 2}
    assert (effects.failures, effects.customers_added) == (2, 2)
    assert shop.customers.keys() == {"x", "ann", "bob"}
    assert effects.touched == {"ann", "bob"}
    assert encode_customer(shop.customers["x"]) == before
    letters = [sent for sent in effects.outgoing if sent.topic == TOPICS.dlq(ORDERS)]
    assert [letter.key for letter in letters] == [b"x", b"xaver"]
    assert [sent.key for sent in effects.outgoing if sent not in letters] == [b"ann", b"bob"]
    told = dict(letters[0].headers)
    assert told["__connect.errors.stage"] == b"pipeline"
    assert told["__connect.errors.exception.class.name"] == b"ZeroDivisionError"
    assert len(told["__connect.errors.exception.message"]) < 1_000


def test_its_id_is_not_remembered_so_that_it_can_be_replayed() -> None:
    shop = fragile()
    failing = order("x", NOON_MS)
    shop.take(event("profiles", "x", NOON_MS), failing)
    mended = Shop()
    mended.customers = shop.customers
    assert mended.take(failing).outcomes == {(ORDERS, "applied"): 1}


def test_a_failure_half_way_through_counting_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop()
    shop.take(order("ann", NOON_MS))
    before = encode_customer(shop.customers["ann"])
    count_order = state._COUNT["orders"]

    def half(activity: state.Activity, counted: Order, day: int) -> None:
        count_order(activity, counted, day)
        raise OverflowError("too much")

    monkeypatch.setitem(state._COUNT, "orders", half)
    assert shop.take(order("ann", NOON_MS + 1)).dead_letters == {(ORDERS, "invalid"): 1}
    assert encode_customer(shop.customers["ann"]) == before


def test_a_wake_up_that_fails_is_tried_again_a_day_later() -> None:
    shop = fragile()
    healthy = Shop()
    for name in ("ann", "x"):
        healthy.take(order(name, NOON_MS))
    shop.customers = healthy.customers
    effects = shop.wait(10)
    days = 9  # the first wake-up was due a day after noon, half a day after midnight
    assert effects.failures == days
    assert effects.scorings["silence"] > days
    assert shop.customers["x"].wake_ms == NOON_MS + (days + 1) * DAY_MS
    assert shop.customers["ann"].as_of_ms >= NOON_MS + 7 * DAY_MS
    assert effects.touched == {"ann", "x"}
