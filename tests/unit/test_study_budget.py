"""The parts of `make study NAME=budget`: who is a candidate, what the highest risks would have come to, and when it falls short."""

from typing import Any

import pytest

from agents import look
from alerts.decide import Assessment, decide
from alerts.episode import Episode
from alerts.policy import Policy
from streams.time import DAY_MS
from studies.budget import Candidate, falls_short, figures, may_be_warned, overheard, stake_by_risk

MONDAY = 10_007
"""A UTC day on which a week begins."""


def one(customer: str, day: int, risk: float, value: float, *, opened: bool = False) -> Candidate:
    return Candidate(day, customer, "loyal", risk, risk * value, 0, opened)


def seen(**other: Any) -> Assessment:
    fields: dict[str, Any] = {"risk": 0.9, "segment": "loyal", "order_days": 5, "last_seen_ms": 100 * DAY_MS}
    return Assessment("ann", 110 * DAY_MS, **fields | other)


@pytest.mark.parametrize(
    ("episode", "other", "expected"),
    [
        ({}, {}, True),
        ({"open": True}, {}, False),
        ({"quiet_until_ms": 111 * DAY_MS}, {}, False),
        ({"snoozed_until_ms": 111 * DAY_MS}, {}, False),
        ({"seen_ms": 99 * DAY_MS}, {}, False),
        ({}, {"order_days": 1}, False),
        ({}, {"gone": True}, False),
        ({}, {"held": True}, False),
        ({}, {"risk": 0.01}, True),
    ],
)
def test_a_candidate_is_one_whom_only_level_and_rise_keep_from_a_warning(
    episode: dict[str, Any], other: dict[str, Any], expected: bool
) -> None:
    before = Episode(**{"seen_ms": 100 * DAY_MS} | episode)
    assert may_be_warned(before, seen(**other), Policy()) is expected


def test_candidates_are_overheard_and_decided_on_as_ever() -> None:
    found: list[Candidate] = []
    episode = Episode(seen_ms=100 * DAY_MS, basis="model")
    with overheard(found):
        steps = vars(look)["decide"](episode, seen(value=200.0), 0.6, Policy())
    assert vars(look)["decide"] is decide
    assert [step.kind for step in steps] == ["opened"]
    assert [(one.customer_id, one.day, one.stake, one.opened) for one in found] == [("ann", 110, 180.0, True)]


def test_as_many_of_the_highest_risks_are_taken_as_were_opened_in_the_span() -> None:
    found = [
        one("ann", MONDAY, 0.5, 1_000.0, opened=True),
        one("bob", MONDAY, 0.9, 10.0),
        one("eve", MONDAY + 1, 0.8, 100.0),
        one("bob", MONDAY + 6, 0.95, 10.0),
    ]
    assert stake_by_risk(found, 1) == pytest.approx(9.0)
    assert stake_by_risk(found, 7) == pytest.approx(9.5)
    assert figures(found, 7.0)["ratio"] == pytest.approx(500.0 / 9.5, abs=1e-3)


def test_a_customer_counts_once_in_a_span() -> None:
    found = [one("bob", MONDAY + day, 0.9, 10.0) for day in range(5)] + [
        one("ann", MONDAY, 0.5, 100.0, opened=True),
        one("eve", MONDAY, 0.6, 100.0, opened=True),
    ]
    assert stake_by_risk(found, 7) == pytest.approx(9.0 + 60.0)


def test_what_falls_short_is_told() -> None:
    told = {"opened_per_day": 41.0, "ratio": 1.6, "silences_per_day": 70.0}
    assert falls_short(told, 40.0) == []
    assert len(falls_short(told | {"opened_per_day": 44.5}, 40.0)) == 1
    assert len(falls_short(told | {"opened_per_day": 20.0, "ratio": 1.4}, 40.0)) == 2
