"""Real events, from the log to the figures: what the pipeline books is what its alerts, outcomes and examples say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from agents.steering import first_order_day
from alerts.alert import Alert
from alerts.goals import figure
from alerts.kpi_sums import figures, months_of
from alerts.ledger import Books, Ledger
from alerts.policy import Policy
from alerts.revenue import expected_revenue
from alerts.segments import SEGMENTS
from alerts.voices import actions, reports, review_topics, tickets
from features.catalog import NAMES
from models.learner import Learner
from streams.codec import Arrival
from streams.time import DAY_MS, HOUR_MS, day_of, parse_instant
from tests.unit.agents.samples import POLICY, SCALES, START_MS, event, order
from tests.unit.agents.world import EPOCH_MS, World

DAYS = 240
LEAVERS, RETURNERS, REGULARS = ("gone-1", "gone-2", "gone-3"), ("back-1", "back-2"), ("stays-1", "stays-2")


def books(policy: Policy = POLICY) -> Learner:
    """A learner that never has labels enough, so that the rule speaks throughout."""
    return Learner(NAMES, SCALES, extra=Books(policy), grid_ms=EPOCH_MS, min_labels=1_000_000)


def ledger_of(world: World) -> Ledger:
    assert world.learner is not None
    extra = world.learner.extra
    assert isinstance(extra, Books)
    return extra.ledger


def life(customer: str, days: Sequence[int]) -> list[Arrival]:
    return [
        order(
            customer, START_MS + day * DAY_MS + 9 * HOUR_MS, event_id=f"{customer} {day}", order_id=f"{customer} {day}"
        )
        for day in days
    ]


def the_log() -> list[Arrival]:
    early = list(range(0, 40, 5))
    items = [item for customer in LEAVERS for item in life(customer, early)]
    items += [item for customer in RETURNERS for item in life(customer, [*early, 75, 80, 85])]
    items += [item for customer in REGULARS for item in life(customer, range(0, DAYS, 7))]
    said = START_MS + 20 * DAY_MS
    items.append(event("reviews", "stays-1", said, event_id="r1", rating=2, topics=["price"]))
    items.append(event("tickets", "stays-2", said, event_id="t1", ticket_id="t", status="opened", category="delivery"))
    return items


def played(items: Sequence[Arrival], partitions: int = 1, crashes: Sequence[int] = (), **cut: Any) -> World:
    in_order = sorted(items, key=lambda item: (item.event.occurred_at, item.event.event_id))
    return World(in_order, START_MS + DAYS * DAY_MS, partitions, fresh=books(), **cut).run(crashes)


def outcomes(found: Sequence[Alert]) -> list[Arrival]:
    """The team takes the first alert of each leaver after two hours, and reports once more a day later."""
    items = []
    for alert in found:
        if alert.kind == "opened" and alert.customer_id in LEAVERS:
            at_ms = parse_instant(alert.raised_at) + 2 * HOUR_MS
            for number, status in enumerate(("acknowledged", "contacted")):
                own = {"event_id": f"{alert.alert_id} {number}", "alert_id": alert.alert_id, "status": status}
                own |= {"action": "care_call"} if number else {}
                items.append(event("outcomes", alert.customer_id, at_ms + number * DAY_MS, **own))
    return items


@pytest.fixture(scope="module")
def log() -> list[Arrival]:
    items = the_log()
    return items + outcomes(played(items).alerts)


@pytest.fixture(scope="module")
def world(log: list[Arrival]) -> World:
    return played(log)


def test_alerts_are_counted_as_they_went_out(world: World) -> None:
    ledger = ledger_of(world)
    whole = figures(ledger, "all", ledger.months)["all"]
    kinds = Counter(alert.kind for alert in world.alerts)
    assert kinds["opened"] > len(LEAVERS)
    assert kinds["churned"] >= len(LEAVERS)
    assert (whole.opened, whole.churned) == (kinds["opened"], kinds["churned"])
    assert whole.escalated + whole.reminded == kinds["escalated"]
    assert whole.opened_held == sum(alert.holdout for alert in world.alerts if alert.kind == "opened")
    segments = figures(ledger, "segment", ledger.months)
    for segment in SEGMENTS:
        opened = sum(alert.kind == "opened" and alert.segment == segment for alert in world.alerts)
        assert segments[segment].opened == opened
    stake = sum(alert.value_at_risk.amount for alert in world.alerts if alert.kind == "opened")
    assert whole.stake / 100 == pytest.approx(stake, abs=0.01 * kinds["opened"])


def test_an_episode_is_told_by_the_reason_that_opened_it(world: World) -> None:
    ledger = ledger_of(world)
    opened = {alert.episode_id: alert.reasons[0].code for alert in world.alerts if alert.kind == "opened"}
    reasons = figures(ledger, "reason", ledger.months)
    left = Counter(opened[alert.episode_id] for alert in world.alerts if alert.kind == "churned")
    assert {code: found.churned for code, found in reasons.items() if found.churned} == left


def test_the_lead_time_is_from_the_warning_to_the_leaving(world: World) -> None:
    raised = {alert.episode_id: parse_instant(alert.raised_at) for alert in world.alerts if alert.kind == "opened"}
    leads = [
        (parse_instant(alert.raised_at) - raised[alert.episode_id]) // DAY_MS
        for alert in world.alerts
        if alert.kind == "churned"
    ]
    whole = figures(ledger_of(world), "all", ledger_of(world).months)["all"]
    assert (whole.lead_days, whole.lead_count) == (sum(leads), len(leads))
    assert min(leads) > 30


def test_an_alert_is_acted_upon_once_however_much_is_reported(world: World) -> None:
    ledger = ledger_of(world)
    whole = figures(ledger, "all", ledger.months)["all"]
    taken = [alert for alert in world.alerts if alert.kind == "opened" and alert.customer_id in LEAVERS]
    treated, warned = sum(not alert.holdout for alert in taken), len(taken)
    assert warned > treated > 0
    assert (whole.acted, whole.acted_minutes) == (treated, 120 * treated)
    assert whole.time_to_action_ms == 2 * HOUR_MS
    assert reports(ledger, ledger.months) == {"acknowledged": warned, "contacted": warned}
    assert actions(ledger, ledger.months)["care_call"]["contacted"] == warned
    suggested = Counter(action.code for alert in world.alerts for action in alert.actions)
    told = actions(ledger, ledger.months)
    assert {code: counts["suggested"] for code, counts in told.items() if "suggested" in counts} == suggested


def test_retention_is_what_the_examples_say(world: World) -> None:
    ledger = ledger_of(world)
    labels = Counter(example.label for example in world.examples)
    whole = figures(ledger, "all", ledger.months)["all"]
    assert (whole.stayed, whole.left) == (labels[0], labels[1])
    assert figure("retention", whole) == labels[0] / (labels[0] + labels[1])
    cohorts = figures(ledger, "cohort", months_of(ledger, 60))
    assert sum(found.stayed + found.left for found in cohorts.values()) == len(world.examples)
    assert len(cohorts) == 1  # all of them first ordered on the same day


def test_expected_revenue_is_of_the_customers_who_are_active_at_the_last_look(world: World) -> None:
    found = expected_revenue(ledger_of(world))
    assert found is not None
    assert START_MS // DAY_MS + DAYS - 14 < found.day <= START_MS // DAY_MS + DAYS
    assert found.whole.safe + found.whole.open == len(REGULARS)
    assert found.whole.everybody(365) > found.whole.everybody(90) > 0


def test_what_customers_say_is_counted(world: World) -> None:
    ledger = ledger_of(world)
    topics = review_topics(ledger, ledger.months)
    assert {name: (topic.count, topic.mean) for name, topic in topics.items()} == {"price": (1, 2.0)}
    assert tickets(ledger, ledger.months) == {"delivery": 1}


def test_who_comes_back_after_having_left_is_won_back() -> None:
    items = life("late", [*range(0, 40, 5), 170])
    whole = figures(ledger_of(played(items)), "all", ledger_of(played(items)).months)["all"]
    assert whole.churned == whole.won_back == 1
    assert whole.won_value > 0


@pytest.mark.parametrize(
    ("partitions", "crashes", "cut"),
    [(3, (), {}), (1, (2, 5), {"events": 7, "wakes": 3, "fetch": 5}), (2, (3,), {"cache": 1})],
)
def test_neither_partitions_nor_steps_nor_crashes_change_the_books(
    log: list[Arrival], world: World, partitions: int, crashes: tuple[int, ...], cut: dict[str, int]
) -> None:
    other = played(log, partitions, crashes, **cut)
    assert ledger_of(other).dump() == ledger_of(world).dump()


def test_the_first_order_is_known_when_its_day_is_long_folded_away(world: World) -> None:
    for customer in REGULARS:
        assert first_order_day(world.customer(customer).activity) == day_of(START_MS)
