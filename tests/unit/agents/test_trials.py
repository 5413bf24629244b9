"""Trials end to end: from the alert that opens an episode, by way of wake-ups, to what the learner's ledger says."""

from collections import Counter
from dataclasses import replace

import pytest

from agents.effects import Effects
from agents.record import Customer, decode_customer, encode_customer
from alerts.alert import Alert
from alerts.ledger import Books, Ledger
from alerts.trials import Trial
from alerts.uplift import assess, done_in, trials_in
from models.labels import decode_batch
from streams.codec import Arrival, Rejected
from streams.feed import FAR_MS
from streams.time import DAY_MS, HOUR_MS, parse_instant
from tests.unit.agents.samples import (
    KEEPING,
    POLICY,
    QUESTION,
    START_MS,
    TOPICS,
    event,
    order,
    pipeline,
    silence_guide,
)
from tests.unit.agents.shop import NOON_MS, Shop, said
from tests.unit.agents.world import World

TREATED = replace(POLICY, holdout_share=0.0)
HELD = replace(POLICY, holdout_share=1.0)


def warned(shop: Shop) -> Alert:
    """Let Ann order eight times and fall silent until she is warned about."""
    shop.regular("ann", orders=8)
    for _ in range(60):
        for alert in said(shop.wait(1)):
            if alert.kind == "opened":
                return alert
    raise AssertionError("nobody was warned about")


def running(shop: Shop) -> Trial:
    trial = shop.customers["ann"].trial
    assert trial is not None
    return trial


def ledger(*steps: Effects) -> Counter[str]:
    """What the steps have booked of trials, by key."""
    found: Counter[str] = Counter()
    for effects in steps:
        for counts in effects.stats.take().values():
            found.update({key: amount for key, amount in counts[3].items() if key.startswith("trial|")})
    return found


def sums(*steps: Effects) -> dict[str, int]:
    """The same, by the sum's name alone."""
    return {key.rpartition("|")[2]: amount for key, amount in ledger(*steps).items()}


def reported(alert: Alert, status: str, **fields: object) -> Arrival:
    at_ms = parse_instant(alert.raised_at) + HOUR_MS
    return event("outcomes", "ann", at_ms, alert_id=alert.alert_id, status=status, **fields)


def test_a_trial_begins_with_the_alert_that_opens_and_survives_the_store() -> None:
    shop = Shop(pipeline(TREATED))
    opened, trial = warned(shop), running(shop)
    assert trial.opened_ms == parse_instant(opened.raised_at)
    assert (trial.held, trial.segment, trial.reason) == (False, opened.segment, opened.reasons[0].code)
    assert trial.action == opened.actions[0].code
    stake = opened.value_at_risk
    expected = 100 * stake.amount / opened.risk * QUESTION.horizon_days / stake.horizon_days
    assert trial.expected == pytest.approx(expected, rel=0.01)
    assert decode_customer(encode_customer(shop.customers["ann"])).trial == trial


def test_one_held_out_is_told_apart_by_the_action_that_would_have_been_suggested() -> None:
    treated, held = Shop(pipeline(TREATED)), Shop(pipeline(HELD))
    suggested, kept_back = warned(treated), warned(held)
    assert kept_back.holdout
    assert not kept_back.actions
    assert running(held).held
    assert running(held).action == suggested.actions[0].code
    assert held.customers["ann"].suggested == {}


def test_a_silent_customer_is_concluded_at_a_wake_up_of_its_own_though_long_gone() -> None:
    shop = Shop(pipeline(TREATED))
    warned(shop)
    ends_ms = running(shop).ends_ms
    before = shop.take(until_ms=ends_ms - 1)
    assert not running(shop).concluded
    assert not ledger(before)
    at = shop.take(until_ms=ends_ms)
    assert running(shop).concluded
    assert sums(at)["n"] == 1
    assert "kept" not in sums(at)
    assert not ledger(shop.wait(100))


@pytest.mark.parametrize(
    ("after_days", "counts"),
    [(-0.4, False), (0.6, True), (59.9, True), (60.0, False)],
)
def test_an_order_counts_from_the_first_midnight_to_the_last(after_days: float, counts: bool) -> None:
    shop = Shop(pipeline(TREATED))
    warned(shop)
    at_ms = running(shop).first_day * DAY_MS + round(after_days * DAY_MS)
    steps = [shop.take(order("ann", at_ms, amount=12.5), until_ms=at_ms), shop.wait(70)]
    found = sums(*steps)
    assert (found.get("kept"), found.get("spend"), found.get("squares")) == ((1, 1_250, 156) if counts else (None,) * 3)


def test_what_the_team_reports_is_booked_with_it() -> None:
    shop = Shop(pipeline(TREATED))
    opened = warned(shop)
    steps = [
        shop.take(reported(opened, "contacted", cost=2)),
        shop.take(reported(opened, "accepted", action=opened.actions[0].code, cost=3.5)),
        shop.take(reported(opened, "false_alarm")),
        shop.wait(70),
    ]
    found = ledger(*steps)
    action = opened.actions[0].code
    assert found[f"trial|treated|loyal|{action}|accepted|n"] == 1
    assert found[f"trial|treated|loyal|{action}|accepted|cost"] == 550


def test_one_who_cancels_is_not_kept_whatever_they_ordered_before() -> None:
    shop = Shop(pipeline(TREATED))
    warned(shop)
    first_ms = running(shop).first_day * DAY_MS
    steps = [
        shop.take(order("ann", first_ms + DAY_MS, amount=30), until_ms=first_ms + DAY_MS),
        shop.take(event("cancellations", "ann", first_ms + 3 * DAY_MS), until_ms=first_ms + 3 * DAY_MS),
        shop.wait(70),
    ]
    assert (sums(*steps).get("kept"), shop.customers["ann"].cancelled_ms is None) == (None, False)


def test_one_who_cancels_and_orders_again_is() -> None:
    shop = Shop(pipeline(TREATED))
    warned(shop)
    first_ms = running(shop).first_day * DAY_MS
    steps = [
        shop.take(event("cancellations", "ann", first_ms + 3 * DAY_MS), until_ms=first_ms + 3 * DAY_MS),
        shop.take(order("ann", first_ms + 9 * DAY_MS), until_ms=first_ms + 9 * DAY_MS),
        shop.wait(70),
    ]
    assert sums(*steps)["kept"] == 1


def test_a_second_episode_within_the_year_begins_no_trial() -> None:
    shop = Shop(pipeline(TREATED))
    warned(shop)
    first = running(shop)
    again_ms = first.ends_ms + DAY_MS
    steps = [shop.take(order("ann", again_ms), until_ms=again_ms), shop.wait(200)]
    assert shop.customers["ann"].episode.number > 1
    assert running(shop) is first
    assert sums(*steps)["n"] == 1


def test_a_customer_does_not_expire_before_the_trial_has_ended() -> None:
    shop = Shop(pipeline(TREATED, keeping=replace(KEEPING, expiry_ms=50 * DAY_MS)))
    warned(shop)
    shop.customers["ann"].activity.seen = b""
    ends_ms = running(shop).ends_ms
    shop.take(until_ms=ends_ms - 1)
    assert "ann" in shop.customers
    assert sums(shop.take(until_ms=ends_ms))["n"] == 1
    assert "ann" not in shop.customers


def test_a_wake_up_that_was_overtaken_concludes_as_of_its_own_time() -> None:
    def one(*, hold: bool) -> dict[str, int]:
        shop = Shop(pipeline(TREATED))
        warned(shop)
        ends_ms = running(shop).ends_ms
        steps = [shop.take(order("ann", ends_ms - 5 * DAY_MS, amount=10), until_ms=ends_ms - 5 * DAY_MS)]
        faster_ms = until_ms = ends_ms + 2 * DAY_MS
        if hold:
            shop.hold_ms = until_ms = ends_ms - 4 * DAY_MS  # a source is late: wake-ups wait, records do not
        steps.append(shop.take(order("ann", faster_ms, amount=99), until_ms=until_ms))
        assert running(shop).concluded is not hold
        shop.hold_ms = FAR_MS
        return sums(*steps, shop.wait(20))

    assert one(hold=True) == one(hold=False)
    assert one(hold=False)["spend"] == 1_000


def test_nothing_is_left_of_it_where_only_the_profile_stays() -> None:
    ann = Shop(pipeline(TREATED))
    warned(ann)
    customer: Customer = ann.customers["ann"]
    customer.reduce_to_profile()
    assert customer.trial is None


# -- the whole shop ----------------------------------------------------------------------------------------------------


def crowd(customers: int = 60) -> list[Arrival | Rejected]:
    """Regulars who fall silent one after the other; every third comes back in time."""
    items: list[Arrival | Rejected] = []
    for number in range(customers):
        name, start_ms = f"c{number}", NOON_MS + number * DAY_MS
        items += [order(name, start_ms + week * 7 * DAY_MS, event_id=f"{name} {week}") for week in range(6)]
        if number % 3 == 0:
            items.append(order(name, start_ms + 95 * DAY_MS, event_id=f"{name} back", amount=40.0))
    return sorted(items, key=lambda item: item.event.occurred_at if isinstance(item, Arrival) else 0)


def played(items: list[Arrival | Rejected], *, small: bool = False) -> tuple[World, Ledger]:
    """Play the log, and add up what its partitions have sent to the learner, each batch once."""
    until_ms, guide = START_MS + 400 * DAY_MS, silence_guide()
    world = World(items, until_ms, guide=guide, partitions=3, events=7, wakes=3) if small else None
    world = world.run([20, 40]) if world else World(items, until_ms, guide=guide).run()
    batches = {(batch.source, batch.seq): batch for batch in map(decode_batch, world.values(TOPICS.examples))}
    books = Books(POLICY)
    for batch in batches.values():
        books.absorb(batch.source, batch.stats)
    return world, books.ledger


def test_the_ledger_says_what_became_of_everybody_however_the_work_is_cut() -> None:
    world, booked = played(crowd())
    first: dict[str, Alert] = {}
    for alert in world.alerts:
        if alert.kind == "opened":
            first.setdefault(alert.customer_id, alert)
    held = {name for name, alert in first.items() if alert.holdout}
    found = assess(trials_in(booked)["all"])
    assert len(first) > 50
    assert (found.treated, found.held) == (len(first) - len(held), len(held))
    back = {name for name in first if int(name[1:]) % 3 == 0}
    kept = round(found.treated_kept * found.treated), round(found.held_kept * found.held)
    assert kept == (len(back - held), len(back & held))
    assert found.reached == 0.0
    assert trials_in(played(crowd(), small=True)[1]) == trials_in(booked)


def test_what_the_team_did_reaches_the_ledger_by_way_of_its_topic() -> None:
    world, _ = played(crowd())
    opened = [alert for alert in world.alerts if alert.kind == "opened" and not alert.holdout]
    answers = [
        event(
            "outcomes",
            alert.customer_id,
            parse_instant(alert.raised_at) + HOUR_MS,
            alert_id=alert.alert_id,
            status="accepted",
            action="care_call",
            cost=3.0,
        )
        for alert in opened
    ]
    items = sorted([*crowd(), *answers], key=lambda item: item.event.occurred_at if isinstance(item, Arrival) else 0)
    _, booked = played(items)
    found = assess(trials_in(booked)["all"])
    assert (found.reached, found.accepted, found.held_reached) == (1.0, 1.0, 0.0)
    assert found.cost >= 3.0 * found.treated
    assert done_in(booked)["care_call"].n == found.treated
