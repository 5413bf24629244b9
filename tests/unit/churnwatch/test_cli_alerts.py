"""Which alerts are listed, in what order, and what a line says."""

import random
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from alerts.alert import Action, Alert, ModelStamp, Reason, Trigger, ValueAtRisk, encode
from churnwatch.alert_list import COLUMNS, Filter, Newest, owner_of, row
from streams.time import iso

ALERT = Alert(
    schema_version=1,
    alert_id="a0",
    episode_id="e0",
    customer_id="ann",
    kind="opened",
    raised_at="1998-01-01T00:00:00Z",
    risk=0.834,
    threshold=0.6,
    band="high",
    segment="loyal",
    value_at_risk=ValueAtRisk(412.5, "EUR"),
    reasons=[Reason("engagement", 0.5, "2 logins in 30 days, 11 in the 30 before", {})],
    actions=[Action("care_call", "Call them", "it helps")],
    holdout=False,
    model=ModelStamp("7", 100),
    trigger=Trigger("silence"),
)


def alert(number: int, **changes: Any) -> Alert:
    return msgspec.structs.replace(ALERT, alert_id=f"a{number}", raised_at=iso(number * 1000), **changes)


def ids(newest: Newest) -> list[str]:
    return [kept.alert_id for kept, _ in newest]


def one(*words: str) -> frozenset[str]:
    return frozenset(words)


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        (Filter(), True),
        (Filter(bands=one("high"), segments=one("loyal"), kinds=one("opened"), customer_id="ann"), True),
        (Filter(bands=one("critical")), False),
        (Filter(bands=one("critical", "high")), True),
        (Filter(segments=one("new", "standard")), False),
        (Filter(kinds=one("resolved")), False),
        (Filter(owners=one("north", "south")), True),
        (Filter(owners=one("west")), False),
        (Filter(customer_id="bob"), False),
        (Filter(since_ms=883_612_800_000), True),
        (Filter(since_ms=883_612_800_001), False),
    ],
)
def test_only_what_is_asked_for_is_kept(wanted: Filter, kept: bool) -> None:
    assert wanted.keeps(ALERT, "north") is kept
    assert not replace(wanted, kinds=one("churned")).keeps(ALERT, "north")


def test_a_customer_without_owner_is_nobody_s() -> None:
    assert Filter().keeps(ALERT, None)
    assert not Filter(owners=one("north")).keeps(ALERT, None)
    assert owner_of([("churnwatch.plan", b"gold"), ("churnwatch.owner", "süd".encode())]) == "süd"
    assert owner_of([("churnwatch.owner", b"\xff")]) == "\ufffd"
    assert owner_of(()) is None


def test_the_newest_are_kept_whatever_order_they_come_in() -> None:
    numbers = list(range(100))
    random.Random(7).shuffle(numbers)
    newest = Newest(3)
    for number in numbers:
        newest.add(alert(number), b"")
    assert ids(newest) == ["a97", "a98", "a99"]


def test_a_redelivered_alert_is_listed_once_with_its_bytes() -> None:
    newest = Newest(5)
    for _ in range(2):
        newest.add(ALERT, encode(ALERT))
    assert [value for _, value in newest] == [encode(ALERT)]


def test_nothing_is_kept_where_nothing_is_asked_for() -> None:
    newest = Newest(0)
    newest.add(ALERT, b"")
    assert ids(newest) == []


def test_a_line_says_who_why_and_what_to_do() -> None:
    assert dict(zip(COLUMNS, row(ALERT), strict=True)) == {
        "raised": "1998-01-01T00:00:00Z",
        "kind": "opened",
        "band": "high",
        "risk": "0.83",
        "segment": "loyal",
        "customer": "ann",
        "at stake": "412.50 EUR",
        "why": "2 logins in 30 days, 11 in the 30 before",
        "what to do": "Call them",
    }
    assert row(alert(1, holdout=True, actions=[], reasons=[]))[-2:] == ("", "(held out)")
