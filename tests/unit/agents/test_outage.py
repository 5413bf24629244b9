"""A source that stops: nobody is warned about for it, and what comes late is as if it had come in time. Live."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from random import Random
from typing import Any

import pytest

from agents.effects import Effects
from agents.pipeline import Pipeline
from alerts.alert import Alert
from alerts.alert import decode as decode_alert
from models.labels import pseudonym
from models.question import Question
from streams.codec import Arrival
from streams.time import DAY_MS, HOUR_MS, iso
from tests.unit.agents.live import LiveWorld, Outage
from tests.unit.agents.samples import KEEPING, QUESTION, START_MS, TOPICS, desk, event, order, silence_guide
from tests.unit.agents.shop import Shop
from tests.unit.agents.shop import said as told

NOON_MS = START_MS + 12 * HOUR_MS
NEVER = Outage(frozenset(), 0, 0)
DOWN_MS, BACK_MS = NOON_MS + 41 * DAY_MS, NOON_MS + 43 * DAY_MS
LONG_BACK_MS = NOON_MS + 51 * DAY_MS
END_MS = START_MS + 60 * DAY_MS


def regulars() -> list[Arrival]:
    """Four who order every other day and log in every day; and one of them, eve, stops a week before the outage."""
    items = []
    for number, customer in enumerate(("ann", "bob", "cyn", "eve")):
        for day in range(34 if customer == "eve" else 60):
            at_ms = NOON_MS + day * DAY_MS + number * HOUR_MS
            items.append(event("logins", customer, at_ms, event_id=f"{customer} in {day}"))
            if day % 2 == 0:
                items.append(order(customer, at_ms, event_id=f"{customer} {day}"))
    return items


def shop(until_ms: int = END_MS, **fields: Any) -> LiveWorld:
    return LiveWorld([], until_ms, guide=silence_guide(), **fields)


def said(world: LiveWorld, from_ms: int, until_ms: int) -> list[Alert]:
    """The alerts published in between, by the wall."""
    return [
        decode_alert(message.value or b"")
        for place, message in enumerate(world.published)
        if message.topic == TOPICS.alerts and from_ms <= world.said_at_ms[place] < until_ms
    ]


@pytest.mark.parametrize("partitions", [1, 4])
@pytest.mark.parametrize("back_ms", [BACK_MS, LONG_BACK_MS])
def test_nobody_is_warned_about_on_the_strength_of_an_outage(back_ms: int, partitions: int) -> None:
    items = regulars()
    outage = Outage(frozenset({"orders"}), DOWN_MS, back_ms)
    undisturbed = shop(partitions=partitions).live(NEVER.delayed(items), START_MS)
    disturbed = shop(partitions=partitions).live(outage.delayed(items), START_MS)
    # Who has really left is warned about when it is known, as of the time at which it would have been said.
    assert {alert.customer_id for alert in undisturbed.alerts} == {"eve"}
    assert said(undisturbed, DOWN_MS + DAY_MS, back_ms)
    assert said(disturbed, DOWN_MS + DAY_MS, back_ms) == []
    assert disturbed.alerts == undisturbed.alerts
    assert (disturbed.learnt, disturbed.kept) == (undisturbed.learnt, undisturbed.kept)


def test_without_waiting_an_outage_looks_like_an_exodus() -> None:
    outage = Outage(frozenset({"orders"}), DOWN_MS, LONG_BACK_MS)
    world = shop(telling=frozenset()).live(outage.delayed(regulars()), START_MS)
    assert {alert.customer_id for alert in world.alerts} == {"ann", "bob", "cyn", "eve"}


def test_labels_wait_for_the_orders_that_decide_them() -> None:
    question = Question(horizon_days=7, active_days=28)
    outage = Outage(frozenset({"orders"}), DOWN_MS, LONG_BACK_MS)
    world = shop(question=question).live(outage.delayed(regulars()), START_MS)
    labels = {(e.customer, iso(e.taken_ms)[:10]): e.label for e in world.examples}
    assert labels[pseudonym("ann"), "1996-12-16"] == 0  # all its orders came with the backlog, five days after its time
    assert labels[pseudonym("eve"), "1996-12-16"] == 1
    early = shop(question=question, telling=frozenset()).live(outage.delayed(regulars()), START_MS)
    assert {(e.customer, iso(e.taken_ms)[:10]): e.label for e in early.examples}[pseudonym("ann"), "1996-12-16"] == 1


def test_a_worker_that_is_replaced_in_the_middle_waits_on() -> None:
    items = regulars()
    outage = Outage(frozenset({"orders", "logins"}), DOWN_MS, LONG_BACK_MS)
    undisturbed = shop().live(NEVER.delayed(items), START_MS)
    disturbed = shop().live(outage.delayed(items), START_MS, restarts=range(0, 240, 5))
    assert disturbed.learnt == undisturbed.learnt
    assert disturbed.kept == undisturbed.kept
    assert disturbed.alerts == undisturbed.alerts


# -- late events mend snapshots ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days_late", "mended"), [(1, True), (13.9, True), (18, False)])
def test_a_late_event_is_in_the_snapshots_that_it_should_have_been_in(days_late: float, mended: bool) -> None:
    last_ms = START_MS + 20 * DAY_MS
    orders = [order("ann", NOON_MS + day * DAY_MS) for day in range(0, 60, 3)]
    ticket = event("tickets", "ann", last_ms - HOUR_MS, ticket_id="t", status="opened")
    in_time = shop(tick_ms=HOUR_MS).live(NEVER.delayed([*orders, ticket]), START_MS)
    coming = [*NEVER.delayed(orders), (ticket.event.occurred_at + int(days_late * DAY_MS), ticket)]
    late = shop(tick_ms=HOUR_MS).live(coming, START_MS)
    assert (late.kept == in_time.kept) is mended
    assert list(late.customer("ann").pending)[-1] == list(in_time.customer("ann").pending)[-1]
    # What was said was said: only the vectors are other ones.
    assert [(p.taken_ms, p.version) for p in late.customer("ann").pending] == [
        (p.taken_ms, p.version) for p in in_time.customer("ann").pending
    ]


# -- a year's backlog --------------------------------------------------------------------------------------------------

YEAR_END_MS = START_MS + 365 * DAY_MS
LATER_MS = YEAR_END_MS + DAY_MS


def year() -> list[Arrival]:
    """What twelve customers do in a year, on four topics, and two signs of life at its end."""
    random = Random(4)
    items = []
    for number in range(900):
        stream = random.choice(("orders", "orders", "logins", "tickets", "reviews"))
        fields: dict[str, dict[str, Any]] = {
            "tickets": {"ticket_id": f"t{number}", "status": "opened"},
            "reviews": {"rating": 2},
        }
        at_ms = START_MS + random.randrange(364 * DAY_MS)
        customer = f"c{random.randrange(12)}"
        items.append(event(stream, customer, at_ms, event_id=f"e{number}", **fields.get(stream, {})))
    items += [event(stream, "zed", YEAR_END_MS - HOUR_MS, event_id=f"z {stream}") for stream in ("orders", "logins")]
    return sorted(items, key=lambda item: item.event.occurred_at)


def at_once(items: Sequence[Arrival], **fields: Any) -> LiveWorld:
    """All of it lies there before the worker starts."""
    coming = [(YEAR_END_MS, item) for item in items]
    return shop(LATER_MS, partitions=2, **fields).live(coming, YEAR_END_MS)


def test_a_backlog_of_a_year_gives_the_same_in_whatever_order_its_topics_are_fetched() -> None:
    items = year()
    aligned = shop(LATER_MS, partitions=2, tick_ms=2 * DAY_MS).live(NEVER.delayed(items), START_MS)
    assert {example.label for example in aligned.examples} == {0, 1}
    topics = [TOPICS.inputs[stream] for stream in ("orders", "logins", "tickets", "reviews")]
    for in_turn in list(permutations(topics))[::8]:
        backlog = at_once(items, in_turn=in_turn, fetch=50)
        assert (backlog.learnt, backlog.kept) == (aligned.learnt, aligned.kept)


def test_orders_that_were_taken_in_a_year_ahead_of_the_rest_give_the_same_labels() -> None:
    items = year()
    aligned = at_once(items)
    rest_ms = YEAR_END_MS + DAY_MS // 2
    coming = [(YEAR_END_MS if item.stream == "orders" else rest_ms, item) for item in items]
    ahead = shop(LATER_MS, partitions=2).live(coming, YEAR_END_MS)
    assert [row[:4] for row in ahead.learnt] == [row[:4] for row in aligned.learnt]
    assert ahead.learnt != aligned.learnt  # the features know of no logins, for they were not there


def test_no_event_that_is_ahead_warns_while_a_source_is_silent_as_a_whole() -> None:
    silent = True
    one = Shop(Pipeline(replace(desk(), held=lambda: silent), QUESTION, KEEPING))
    last_ms = one.regular("ann", orders=8)
    one.hold_ms = last_ms

    def rated(day: int) -> Effects:
        at_ms = last_ms + day * DAY_MS
        return one.take(event("reviews", "ann", at_ms, rating=3), until_ms=last_ms)

    assert told(rated(20)) == []
    silent = False
    assert [(alert.kind, alert.trigger.kind) for alert in told(rated(25))] == [("opened", "event")]


def test_silence_that_is_known_to_be_silence_is_spoken_of_even_then() -> None:
    one = Shop(Pipeline(replace(desk(), held=lambda: True), QUESTION, KEEPING))
    one.regular("ann", orders=8)
    assert {alert.trigger.kind for alert in told(one.wait(25))} == {"silence"}
