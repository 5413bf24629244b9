"""What happens to a customer does not depend on how the log is cut: into chunks, partitions, fetches, steps of wake-ups, lives of workers."""

from collections.abc import Sequence
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from alerts.alert import Alert
from alerts.episode import alert_id
from models.labels import TREATED
from streams.codec import Arrival
from streams.time import DAY_MS, HOUR_MS, day_of
from tests.unit.agents.samples import LATENESS_MS, START_MS, event, silence_guide
from tests.unit.agents.world import World

CUSTOMERS = ("ann", "bob", "cyn", "dän")
STREAMS = ("orders", "orders", "orders", "logins", "tickets", "reviews", "profiles", "cancellations", "outcomes")
STATUSES = ("contacted", "snoozed", "acknowledged", "false_alarm", "accepted")
FIELDS: dict[str, dict[str, Any]] = {
    "logins": {"channel": "web", "session_seconds": 60},
    "tickets": {"ticket_id": "t", "status": "opened", "category": "billing"},
    "reviews": {"rating": 2, "topics": ["price"]},
    "profiles": {"do_not_contact": True},
    "cancellations": {"reason": "price"},
}
Step = tuple[str, int, str, int]
GUIDE = replace(silence_guide(), extra={"heard": True})
UNHURRIED = settings(max_examples=40, deadline=None)
FEW = settings(max_examples=8, deadline=None)
FINE = {"events": 1, "wakes": 1, "fetch": 1, "cache": 1}


def logs(
    late_ms_max: int = 0, gap_days_max: int = 25, streams: Sequence[str] = STREAMS
) -> st.SearchStrategy[list[Step]]:
    """Customer, time since the event before, stream, and how much later than it occurred the event comes."""
    gaps = st.integers(0, gap_days_max * DAY_MS) | st.integers(0, gap_days_max).map(lambda days: days * DAY_MS)
    lateness = st.just(0) | st.integers(0, late_ms_max)
    return st.lists(st.tuples(st.sampled_from(CUSTOMERS), gaps, st.sampled_from(streams), lateness), max_size=25)


def arrivals(steps: Sequence[Step]) -> tuple[list[Arrival], int]:
    """The log, and where its clock ends: early enough for some customers to be still there, late enough for others to be gone."""
    now_ms, items, first_ms = START_MS, [], dict[str, int]()
    for number, (customer, gap_ms, stream, late_ms) in enumerate(steps):
        now_ms += gap_ms
        at_ms = max(now_ms - late_ms, START_MS)
        first_ms.setdefault(customer, at_ms)
        fields = FIELDS.get(stream, {})
        if stream == "outcomes":
            about = alert_id(customer, day_of(first_ms[customer]), 1, 1)
            fields = {"alert_id": about, "status": STATUSES[number % len(STATUSES)]}
        items.append(event(stream, customer, at_ms, event_id=f"e{number}", **fields))
    return items, now_ms + 70 * DAY_MS + 7 * HOUR_MS


def placeless(alerts: Sequence[Alert]) -> list[Alert]:
    """Without where in the log the trigger was."""
    return [
        msgspec.structs.replace(alert, trigger=msgspec.structs.replace(alert.trigger, partition=None, offset=None))
        for alert in alerts
    ]


def assert_same(world: World, other: World) -> None:
    assert other.states == world.states
    assert other.timers == world.timers
    assert other.examples == world.examples
    assert placeless(other.alerts) == placeless(world.alerts)
    assert other.counting.outcomes == world.counting.outcomes
    assert other.counting.scorings == world.counting.scorings
    if other.partitions == world.partitions:
        assert other.said() == world.said()


# Records of one topic keep their order, so late ones make no difference either where there is one topic only.
@UNHURRIED
@given(
    logs() | logs(LATENESS_MS, streams=["orders"]),
    st.sampled_from([1, 2, 4]),
    st.integers(1, 7),
    st.integers(1, 5),
    st.integers(1, 4),
)
def test_neither_chunks_nor_partitions_make_a_difference(
    steps: list[Step], partitions: int, events: int, wakes: int, fetch: int
) -> None:
    items, until_ms = arrivals(steps)
    world = World(items, until_ms, guide=GUIDE).run()
    assert_same(world, replace_world(world, partitions=partitions, events=events, wakes=wakes, fetch=fetch).run())
    assert_same(world, replace_world(world, partitions=partitions, **FINE).run())


@FEW
@given(logs(gap_days_max=40), st.sampled_from([2, 4]))
def test_nor_do_they_while_the_model_learns(steps: list[Step], partitions: int) -> None:
    items, until_ms = arrivals(steps)
    world = World(items, until_ms).run()
    other = replace_world(world, partitions=partitions, events=3, wakes=2, fetch=2, cache=1).run()
    assert_same(world, other)
    assert world.learner is not None
    assert other.learner is not None
    assert other.learner.quality() == world.learner.quality()
    assert other.guides.latest.guide == world.guides.latest.guide


@UNHURRIED
@given(logs(LATENESS_MS) | logs(40 * DAY_MS), st.integers(1, 5))
def test_chunks_make_no_difference_to_records_that_come_late(steps: list[Step], events: int) -> None:
    items, until_ms = arrivals(steps)
    world = World(items, until_ms, guide=GUIDE).run()
    assert_same(world, replace_world(world, events=events).run())
    assert_same(world, replace_world(world, **FINE).run())


@UNHURRIED
@given(logs(LATENESS_MS), st.sets(st.integers(0, 60), max_size=5), st.integers(1, 5))
def test_nor_do_lives_and_deaths_of_workers(steps: list[Step], crashes: set[int], events: int) -> None:
    items, until_ms = arrivals(steps)
    world = World(items, until_ms, guide=GUIDE, partitions=2).run()
    other = replace_world(world, events=events, wakes=2, fetch=events).run(sorted(crashes))
    assert (other.states, other.timers, other.examples) == (world.states, world.timers, world.examples)
    # What had not been acknowledged is said again, in the same words.
    assert dict.fromkeys(other.said()) == dict.fromkeys(world.said())


@FEW
@given(logs(LATENESS_MS, gap_days_max=40), st.sets(st.integers(0, 60), max_size=3))
def test_nor_do_they_while_it_learns(steps: list[Step], crashes: set[int]) -> None:
    items, until_ms = arrivals(steps)
    world = World(items, until_ms, partitions=2).run()
    other = replace_world(world, events=4, wakes=3, fetch=4).run(sorted(crashes))
    assert (other.states, other.examples) == (world.states, world.examples)
    assert other.guides.latest.guide == world.guides.latest.guide


@UNHURRIED
@given(logs(LATENESS_MS), st.lists(st.integers(0, 24), max_size=10))
def test_duplicates_change_nothing(steps: list[Step], places: list[int]) -> None:
    items, until_ms = arrivals(steps)
    world = World(items, until_ms, guide=GUIDE).run()
    again = list(items)
    for place in sorted((place for place in places if place < len(items)), reverse=True):
        again.insert(place + 1, items[place])
    other = replace_world(world, items=again).run()
    assert (other.states, other.timers, other.examples) == (world.states, world.timers, world.examples)
    assert placeless(other.alerts) == placeless(world.alerts)
    assert other.counting.outcomes["duplicate"] == len(again) - len(items)


@UNHURRIED
@given(logs(LATENESS_MS, gap_days_max=60))
def test_the_whole_log_a_second_time_changes_nothing(steps: list[Step]) -> None:
    items, until_ms = arrivals(steps)
    once = World(items, until_ms, guide=GUIDE).run()
    twice = replace_world(once, items=[*items, *items]).run()
    assert (twice.states, twice.timers, twice.examples) == (once.states, once.timers, once.examples)
    assert placeless(twice.alerts) == placeless(once.alerts)
    counts = twice.counting.outcomes
    assert counts["applied"] == len(items)
    assert counts["duplicate"] + counts["late"] == len(items)


def test_there_are_alerts_and_examples_to_be_compared() -> None:
    gaps = [4, 4, 4, 20, 30, 5, 5, 40, 3]
    items, until_ms = arrivals([("ann", gap * DAY_MS, "orders", 0) for gap in gaps])
    world = World(items, until_ms, guide=GUIDE).run()
    assert {alert.kind for alert in world.alerts} == {"opened", "escalated", "resolved"}
    assert {example.label for example in world.examples} == {0, 1}


def test_there_are_reminders_and_treated_examples_to_be_compared() -> None:
    steps = [("cyn", gap * DAY_MS, "orders", 0) for gap in (0, 4, 4, 4)]
    untaken, until_ms = arrivals(steps)
    alerts = World(untaken, until_ms, guide=GUIDE).run().alerts
    assert [alert for alert in alerts if alert.reasons[0].evidence.startswith("Nobody has taken")]
    treated, until_ms = arrivals([*steps, ("ann", 25 * DAY_MS, "logins", 0), ("cyn", 0, "outcomes", 0)])
    reaches = {example.reach for example in World(treated, until_ms, guide=GUIDE).run().examples}
    assert TREATED in reaches


def replace_world(world: World, **changes: Any) -> World:
    fields = ("items", "until_ms", "partitions", "events", "wakes", "fetch", "cache", "guide")
    return World(**({name: getattr(world, name) for name in fields} | changes))
