"""The life of an alert through the whole pipeline: reminders by silence, treated examples, and a case closed on return."""

from dataclasses import replace

import msgspec
import pytest

from agents.guides import GuideBook
from agents.record import decode_customer, encode_customer
from alerts.alert import Alert
from models.labels import HELD_OUT, TREATED, UNTOUCHED, WARNED, Example
from streams.time import DAY_MS, HOUR_MS, day_of
from tests.unit.agents.samples import POLICY, QUESTION, event, order, pipeline, silence_guide
from tests.unit.agents.shop import Shop, said


def shop(*, heard: bool = True, holdout_share: float = 0.0) -> Shop:
    guide = silence_guide()
    guides = GuideBook(msgspec.structs.replace(guide, extra=guide.extra | ({"heard": True} if heard else {})))
    return Shop(pipeline(replace(POLICY, holdout_share=holdout_share, reminder_ms=3 * DAY_MS)), guides)


def warned(of: Shop) -> Alert:
    """Let ann fall silent; returns her alert."""
    of.regular("ann", orders=8)
    for _ in range(40):
        opened = [alert for alert in said(of.wait(1)) if alert.kind == "opened"]
        if opened:
            return opened[0]
    raise AssertionError("no alert in 40 days")


def report(of: Shop, alert: Alert, status: str) -> None:
    of.take(event("outcomes", "ann", of.clock_ms, alert_id=alert.alert_id, status=status))


def later(of: Shop, days: int) -> list[Alert]:
    return [alert for _ in range(days) for alert in said(of.wait(1))]


def examples(of: Shop, days: int) -> list[Example]:
    return [example for _ in range(days) for example in of.wait(1).examples]


def test_nobody_takes_an_alert_and_silence_reminds_of_it_across_a_restart() -> None:
    one = shop()
    alert = warned(one)
    told = []
    for _ in range(40):
        one.customers = {name: decode_customer(encode_customer(kept)) for name, kept in one.customers.items()}
        told += said(one.wait(0.5))
    reminders = [again for again in told if again.reasons[0].evidence.startswith("Nobody has taken this alert for ")]
    assert len(reminders) == 2
    assert reminders[0].reasons[0].evidence.startswith("Nobody has taken this alert for 3 days. ")
    assert {(again.kind, again.episode_id) for again in reminders} == {("escalated", alert.episode_id)}
    assert reminders[0].trigger.kind == "silence"
    assert len({again.alert_id for again in [alert, *told]}) == len(told) + 1


@pytest.mark.parametrize("status", ["acknowledged", "contacted", "accepted", "declined"])
def test_nobody_is_reminded_of_what_is_taken(status: str) -> None:
    one = shop()
    report(one, warned(one), status)
    assert not [alert for alert in later(one, 20) if "taken" in alert.reasons[0].evidence]


def test_a_team_that_never_reports_is_not_woken_for() -> None:
    silent, reporting = shop(heard=False), shop()
    for one in (silent, reporting):
        warned(one)
    assert silent.customers["ann"].episode.remind_ms == 0 < reporting.customers["ann"].episode.remind_ms


def test_a_snooze_ends_at_its_hour_and_brings_back_who_is_still_at_risk() -> None:
    one = shop(heard=False)
    alert = warned(one)
    until_ms = one.clock_ms + 2 * DAY_MS + 5 * HOUR_MS
    fields = {"alert_id": alert.alert_id, "status": "snoozed", "snooze_until": until_ms}
    one.take(event("outcomes", "ann", one.clock_ms, **fields))
    (back,) = [again for again in later(one, 4) if "snooze" in again.reasons[0].evidence]
    assert back.raised_at.endswith("05:00:00Z") or one.customers["ann"].episode.snoozed_until_ms == until_ms
    assert (back.kind, back.trigger.kind) == ("escalated", "silence")


@pytest.mark.parametrize(
    ("status", "share", "reach"),
    [
        ("contacted", 0.0, TREATED),
        ("accepted", 0.0, TREATED),
        ("declined", 0.0, TREATED),
        ("false_alarm", 0.0, TREATED),
        ("acknowledged", 0.0, WARNED),
        ("snoozed", 0.0, WARNED),
        ("", 0.0, WARNED),
        ("", 1.0, HELD_OUT),
    ],
)
def test_examples_say_what_reached_them(status: str, share: float, reach: int) -> None:
    one = shop(holdout_share=share)
    alert = warned(one)
    at_ms = one.clock_ms
    if status:
        report(one, alert, status)
    first_silent_ms = max(kept.taken_ms for kept in one.customers["ann"].pending)
    found = {example.taken_ms: example.reach for example in examples(one, QUESTION.horizon_days + 7)}
    assert found[first_silent_ms] == reach
    if status != "false_alarm":  # after which she is soon warned about once more
        assert {found[taken_ms] for taken_ms in found if taken_ms > at_ms} <= {UNTOUCHED}


def test_who_had_ordered_again_before_anything_was_done_has_answered_alone() -> None:
    one = shop()
    alert = warned(one)
    early_ms = one.customers["ann"].pending.first_ms
    last_ms = one.customers["ann"].activity.last_order_ms
    assert last_ms is not None
    assert day_of(early_ms) <= day_of(last_ms)
    report(one, alert, "contacted")
    found = {example.taken_ms: example for example in examples(one, QUESTION.horizon_days)}
    assert (found[early_ms].label, found[early_ms].reach) == (0, UNTOUCHED)


def test_the_lost_are_announced_with_all_they_were_worth_and_their_return_closes_the_case() -> None:
    one = shop()
    alert = warned(one)
    told = later(one, QUESTION.active_days)
    lost = told[-1]
    assert (lost.kind, lost.episode_id, lost.risk) == ("churned", alert.episode_id, 1.0)
    assert lost.value_at_risk.amount == pytest.approx(alert.value_at_risk.amount / alert.risk, rel=0.02)
    assert "counts as gone" in " ".join(reason.evidence for reason in lost.reasons)
    one.wait(20)
    (back,) = said(one.take(order("ann", one.clock_ms)))
    assert (back.kind, back.episode_id) == ("resolved", alert.episode_id)
    assert back.reasons[0].evidence.startswith("Came back: order on ")
    assert back.alert_id not in {alert.alert_id, *(again.alert_id for again in told)}
