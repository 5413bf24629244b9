"""Records: what they do to their customer, and what is said."""

from collections import Counter
from dataclasses import replace

import pytest

from agents.guides import GuideBook
from agents.record import encode_customer
from alerts import score as scores
from alerts.bands import BANDS
from features.catalog import NAMES
from models.guide import initial_guide
from models.labels import pseudonym
from streams.time import DAY_MS, HOUR_MS
from tests.unit.agents.samples import (
    KEEPING,
    POLICY,
    QUESTION,
    SCALES,
    START_MS,
    TOPICS,
    broken,
    event,
    order,
    pipeline,
    tombstone,
)
from tests.unit.agents.shop import NOON_MS, Shop, said

ORDERS = TOPICS.inputs["orders"]


def test_a_record_makes_a_customer_known() -> None:
    shop = Shop()
    effects = shop.take(order("ann", NOON_MS, amount=12.5))
    assert (effects.touched, effects.customers_added) == ({"ann"}, 1)
    assert effects.outcomes == {(ORDERS, "applied"): 1}
    ann = shop.customers["ann"]
    assert (ann.first_ms, ann.as_of_ms, ann.activity.amount) == (NOON_MS, NOON_MS, 12.5)
    assert ann.wake_ms == NOON_MS + DAY_MS


def test_a_known_id_changes_nothing_whatever_else_it_says() -> None:
    shop = Shop()
    shop.take(order("ann", NOON_MS, event_id="once"))
    before = encode_customer(shop.customers["ann"])
    effects = shop.take(order("ann", NOON_MS + HOUR_MS, event_id="once", amount=99.0))
    assert encode_customer(shop.customers["ann"]) == before
    assert (effects.touched, effects.outgoing) == (set(), [])
    assert effects.outcomes == {(ORDERS, "duplicate"): 1}


def test_what_is_too_late_is_dead_lettered_and_makes_nobody_known() -> None:
    shop = Shop()
    kept_from_ms = NOON_MS - KEEPING.lateness_ms - KEEPING.retention_ms
    effects = shop.take(order("ann", NOON_MS), order("bob", kept_from_ms), order("cyn", kept_from_ms - 1))
    assert shop.customers.keys() == {"ann", "bob"}
    assert effects.outcomes[ORDERS, "late"] == 1
    (letter,) = [sent for sent in effects.outgoing if sent.topic == TOPICS.dlq(ORDERS)]
    assert dict(letter.headers)["churnwatch.reason"] == b"late"
    assert (letter.key, letter.value) == (b"cyn", b"{}")


def test_broken_records_are_dead_lettered_and_stop_nobody() -> None:
    shop = Shop()
    effects = shop.take(broken("ann"), order("cyn", NOON_MS), broken("bob", "logins", "future"))
    assert shop.customers.keys() == {"cyn"}
    assert effects.dead_letters == {(ORDERS, "invalid"): 1, (TOPICS.inputs["logins"], "future"): 1}
    assert sum(effects.outcomes.values()) == 3


def test_a_late_record_counts_on_its_day_and_is_looked_at_in_the_present() -> None:
    shop = Shop()
    last_ms = shop.regular("ann")
    shop.wait(20)
    as_of_ms = shop.customers["ann"].as_of_ms
    shop.take(order("ann", last_ms - 3 * DAY_MS))
    ann = shop.customers["ann"]
    assert (ann.as_of_ms, ann.activity.order_days, ann.activity.last_order_ms) == (as_of_ms, 7, last_ms)
    assert ann.wake_ms > as_of_ms


def test_an_event_at_midnight_belongs_to_the_day_that_begins() -> None:
    at_noon, at_midnight = Shop(), Shop()
    at_noon.take(order("ann", NOON_MS))
    at_midnight.take(order("ann", START_MS))
    assert at_midnight.customers["ann"].risk == at_noon.customers["ann"].risk < 0.15


# -- profiles ------------------------------------------------------------------------------------------------------------


def test_the_latest_profile_by_its_own_time_counts() -> None:
    shop = Shop()
    shop.take(event("profiles", "ann", NOON_MS + HOUR_MS, plan="gold"), event("profiles", "ann", NOON_MS, plan="free"))
    attributes = shop.customers["ann"].attributes
    assert attributes is not None
    assert (attributes.plan, attributes.updated_ms) == ("gold", NOON_MS + HOUR_MS)


def test_a_tombstone_takes_the_profile_away_and_makes_nobody_known() -> None:
    shop = Shop()
    shop.take(event("profiles", "ann", NOON_MS, do_not_contact=True))
    effects = shop.take(tombstone("ann"), tombstone("bob"))
    assert shop.customers["ann"].attributes is None
    assert shop.customers.keys() == effects.touched == {"ann"}


def test_a_tombstone_undoes_nothing_of_what_was_due_before_it() -> None:
    """Where the step begins must not decide by which profile a wake-up of before the tombstone goes."""
    known = event("profiles", "ann", NOON_MS, segment="loyal"), order("ann", NOON_MS)
    later_ms = NOON_MS + 20 * DAY_MS
    at_once, step_by_step = Shop(), Shop()
    at_once.take(*known, order("bob", later_ms), gone := tombstone("ann"), until_ms=later_ms)
    step_by_step.take(*known, order("bob", later_ms), until_ms=later_ms)
    step_by_step.take(gone, until_ms=later_ms)
    ann = at_once.customers["ann"]
    assert [asked.segment for asked in ann.pending][:2] == ["loyal", "loyal"]
    assert encode_customer(ann) == encode_customer(step_by_step.customers["ann"])


def test_no_profile_is_too_late_and_its_repetition_changes_nothing() -> None:
    shop = Shop()
    old = event("profiles", "ann", NOON_MS - 700 * DAY_MS, plan="gold")
    shop.take(order("ann", NOON_MS), until_ms=NOON_MS)
    assert shop.take(old).outcomes == {(TOPICS.inputs["profiles"], "applied"): 1}
    before = encode_customer(shop.customers["ann"])
    assert shop.take(old).outcomes == {(TOPICS.inputs["profiles"], "duplicate"): 1}
    assert encode_customer(shop.customers["ann"]) == before
    attributes = shop.customers["ann"].attributes
    assert attributes is not None
    assert attributes.plan == "gold"


def test_an_old_profile_makes_nobody_an_old_customer() -> None:
    shop = Shop()
    shop.take(event("profiles", "ann", NOON_MS - 300 * DAY_MS), order("ann", NOON_MS), until_ms=NOON_MS)
    assert shop.customers["ann"].episode.segment == "new"


@pytest.mark.parametrize(
    ("profile", "segment"), [({"segment": "high_value"}, "high_value"), ({"segment": "VIP"}, "new")]
)
def test_a_profile_may_state_the_segment(profile: dict[str, str], segment: str) -> None:
    shop = Shop()
    shop.take(event("profiles", "ann", NOON_MS, **profile), order("ann", NOON_MS), until_ms=NOON_MS)
    assert shop.customers["ann"].episode.segment == segment


def test_who_must_not_be_contacted_is_not_to_be_called() -> None:
    free, barred = (Shop(pipeline(replace(POLICY, holdout_share=0.0))) for _ in range(2))
    for shop in (free, barred):
        shop.regular("ann", orders=8)
    barred.take(event("profiles", "ann", barred.clock_ms, do_not_contact=True))
    contact = {play.code for play in barred.pipe._desk.herald.plays if play.contact}
    (called,), (spared,) = said(free.wait(25))[:1], said(barred.wait(25))[:1]
    assert {action.code for action in called.actions} & contact
    assert not {action.code for action in spared.actions} & contact


# -- cancellations -------------------------------------------------------------------------------------------------------


def test_a_cancellation_answers_every_open_question_at_once() -> None:
    shop = Shop()
    last_ms = shop.regular("ann", orders=4, gap_days=7)
    at_ms = last_ms + 3 * DAY_MS
    effects = shop.take(event("cancellations", "ann", at_ms, reason="price"), until_ms=at_ms)
    assert [(example.label, example.matured_ms) for example in effects.examples] == [(1, at_ms)] * 3
    assert not shop.customers["ann"].pending
    (alert,) = said(effects)
    assert (alert.kind, alert.reasons[0].code) == ("churned", "price")
    assert (alert.trigger.kind, alert.trigger.topic) == ("event", TOPICS.inputs["cancellations"])


def test_who_has_cancelled_is_left_alone_until_they_come_back() -> None:
    shop = Shop()
    last_ms = shop.regular("ann", orders=4)
    shop.take(event("cancellations", "ann", last_ms + DAY_MS), until_ms=last_ms + DAY_MS)
    gone = shop.wait(100)
    assert (gone.scorings, gone.outgoing) == ({}, [])
    back_ms = shop.clock_ms
    shop.take(order("ann", back_ms))
    assert shop.customers["ann"].cancelled_ms is None
    assert shop.customers["ann"].wake_ms <= back_ms + DAY_MS


def test_an_order_from_before_the_cancellation_is_no_return() -> None:
    shop = Shop()
    shop.take(event("cancellations", "ann", NOON_MS), order("ann", NOON_MS - HOUR_MS), until_ms=NOON_MS)
    assert shop.customers["ann"].cancelled_ms == NOON_MS


# -- outcomes ------------------------------------------------------------------------------------------------------------


def warned(shop: Shop) -> tuple[str, str]:
    """Let ann fall silent; returns the ids of her alert and episode."""
    shop.regular("ann", orders=8)
    for _ in range(40):
        opened = [alert for alert in said(shop.wait(1)) if alert.kind == "opened"]
        if opened:
            return opened[0].alert_id, opened[0].episode_id
    raise AssertionError("no alert in 40 days")


def test_a_false_alarm_resolves_the_episode() -> None:
    shop = Shop()
    alert_id, episode_id = warned(shop)
    effects = shop.take(event("outcomes", "ann", shop.clock_ms, alert_id=alert_id, status="false_alarm"))
    (alert,) = said(effects)
    assert (alert.kind, alert.episode_id) == ("resolved", episode_id)
    assert (effects.reports, effects.episodes_opened, effects.scorings) == ({"false_alarm": 1}, -1, {})


def test_a_snooze_ends_with_a_look() -> None:
    shop = Shop()
    alert_id, _ = warned(shop)
    until_ms = shop.clock_ms + 2 * DAY_MS + 5 * HOUR_MS
    fields = {"alert_id": alert_id, "status": "snoozed", "snooze_until": until_ms}
    shop.take(event("outcomes", "ann", shop.clock_ms, **fields))
    while shop.customers["ann"].wake_ms < until_ms:
        assert said(shop.take(until_ms=shop.customers["ann"].wake_ms)) == []
    assert shop.customers["ann"].wake_ms == until_ms


def test_an_outcome_about_somebody_elses_alert_changes_nothing_but_that_it_is_known() -> None:
    shop = Shop()
    warned(shop)
    episode = encode_customer(shop.customers["ann"])
    effects = shop.take(event("outcomes", "ann", shop.clock_ms, alert_id="no such alert", status="false_alarm"))
    assert said(effects) == []
    assert len(encode_customer(shop.customers["ann"])) == len(episode) + 10


# -- what is said --------------------------------------------------------------------------------------------------------


def test_a_score_goes_out_only_when_the_band_changes() -> None:
    shop = Shop()
    last_ms = shop.regular("ann", orders=8)
    sent = [message for message in shop.wait(80).outgoing if message.topic == TOPICS.scores]
    told = [scores.decode(message.value or b"") for message in sent]
    assert [score.band for score in told] == list(BANDS[1:])
    assert [score.previous_band for score in told] == list(BANDS[:-1])
    assert all(message.key == b"ann" for message in sent)
    assert last_ms < shop.customers["ann"].as_of_ms


def test_until_a_model_is_ready_the_rule_speaks_and_says_so() -> None:
    shop = Shop(guides=GuideBook(initial_guide(NAMES, SCALES)))
    shop.regular("ann", orders=8)
    alerts = said(shop.wait(60))
    assert {alert.model.version for alert in alerts} == {"rule-0"}
    assert {pending.version for pending in shop.customers["ann"].pending} == {0}


def test_the_model_says_which_it_is() -> None:
    shop = Shop()
    shop.regular("ann", orders=8)
    alerts = said(shop.wait(60))
    assert {(alert.model.version, alert.model.examples) for alert in alerts} == {("1", 1_000)}
    assert {pending.version for pending in shop.customers["ann"].pending} == {1}


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_who_is_held_out_is_announced_without_actions(share: float) -> None:
    shop = Shop(pipeline(replace(POLICY, holdout_share=share)))
    shop.regular("ann", orders=8)
    opened = said(shop.wait(25))[0]
    assert (opened.kind, opened.holdout) == ("opened", share == 1.0)
    assert bool(opened.actions) is (share == 0.0)


def test_examples_carry_what_was_said_at_the_time() -> None:
    shop = Shop()
    shop.regular("ann", orders=8, gap_days=7)
    risks = {pending.taken_ms: pending.risk for pending in shop.customers["ann"].pending}
    effects = shop.wait(40)
    assert effects.examples
    for example in effects.examples:
        assert example.matured_ms == QUESTION.matures_ms(example.taken_ms)
        assert example.risk == risks[example.taken_ms]
        assert (example.version, example.customer) == (1, pseudonym("ann"))


def test_every_record_has_one_outcome() -> None:
    twice = order("ann", NOON_MS)
    old = order("ann", NOON_MS - 300 * DAY_MS)
    login = event("logins", "bob", NOON_MS)
    effects = Shop().take(twice, twice, broken("ann"), old, login, tombstone("cyn"))
    by_outcome: Counter[str] = Counter()
    for (_, outcome), number in effects.outcomes.items():
        by_outcome[outcome] += number
    assert by_outcome == {"applied": 3, "duplicate": 1, "dead_lettered": 1, "late": 1}
