"""A source that stops and comes back with its backlog changes neither features nor labels, live."""

from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from models.question import Question
from streams.codec import Arrival
from streams.time import DAY_MS, HOUR_MS
from tests.unit.agents.live import LiveWorld, Outage
from tests.unit.agents.samples import POLICY, START_MS, event, silence_guide

CUSTOMERS = ("ann", "bob", "cyn", "dän", "eve")
STREAMS = ("orders", "orders", "orders", "logins", "logins", "tickets", "reviews")
FIELDS: dict[str, dict[str, Any]] = {
    "logins": {"channel": "web", "session_seconds": 60},
    "tickets": {"ticket_id": "t", "status": "opened", "category": "billing"},
    "reviews": {"rating": 2, "topics": ["price"]},
    "cancellations": {"reason": "price"},
}
DAYS = 50
QUESTION = Question(horizon_days=21, active_days=28)
END_MS = START_MS + (DAYS + 30) * DAY_MS
TICK_MS = 12 * HOUR_MS
LATE_MS_MAX = 14 * DAY_MS - 2 * TICK_MS
NOBODY_IS_WARNED = replace(POLICY, min_order_days=1_000)
"""What was said at the time may differ, and with it when somebody is looked at again: here nothing is said."""

NEVER = Outage(frozenset(), 0, 0)
shops = st.integers(0, 2**32 - 1).map(Random)
instants = st.integers(DAY_MS, DAYS * DAY_MS)


def arrivals(random: Random, cancellations: float) -> list[Arrival]:
    """What a few customers do in seven weeks, and at both ends one event of each topic that is waited for: one never heard is not."""
    items = [
        event(stream, random.choice(CUSTOMERS), START_MS + at_ms, event_id=f"e{number}", **FIELDS.get(stream, {}))
        for number in range(70)
        for stream in [random.choice(STREAMS) if random.random() >= cancellations else "cancellations"]
        for at_ms in [random.choice((random.randrange(DAYS * DAY_MS), random.randrange(DAYS) * DAY_MS))]
    ]
    items += [
        event(stream, "zed", at_ms, event_id=f"z{stream}{at_ms}")
        for stream in ("orders", "logins")
        for at_ms in (START_MS, END_MS - HOUR_MS)
    ]
    return items


def world(partitions: int, **cut: Any) -> LiveWorld:
    fixed: dict[str, Any] = {"guide": silence_guide(), "policy": NOBODY_IS_WARNED, "question": QUESTION}
    return LiveWorld([], END_MS, partitions, tick_ms=TICK_MS, **fixed, **cut)


@settings(max_examples=12, deadline=None)
@given(
    shops,
    st.sets(st.sampled_from(["orders", "logins", "tickets", "reviews"]), min_size=1, max_size=2),
    instants,
    st.integers(DAY_MS, LATE_MS_MAX),
    st.sampled_from([1, 3]),
    st.sets(st.integers(0, 2 * DAYS), max_size=3),
)
def test_a_producer_that_stops_and_returns_changes_neither_features_nor_labels(
    random: Random, streams: set[str], from_ms: int, lasts_ms: int, partitions: int, restarts: set[int]
) -> None:
    # A cancellation answers at once, and an answer is final: what comes on topics that nobody waits for comes too late then.
    items = arrivals(random, 0.03 if streams <= {"orders", "logins"} else 0.0)
    began_ms = START_MS + from_ms
    outage = Outage(frozenset(streams), began_ms, began_ms + lasts_ms)
    undisturbed = world(partitions).live(NEVER.delayed(items), START_MS)
    disturbed = world(partitions).live(outage.delayed(items), START_MS, restarts)
    assert undisturbed.learnt
    assert disturbed.learnt == undisturbed.learnt
    assert disturbed.kept == undisturbed.kept
