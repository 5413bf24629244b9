from typing import Any

from alerts.decide import Assessment, decide
from alerts.episode import Episode, alert_id
from alerts.outcomes import SNOOZE_MAX_MS, apply_outcome
from alerts.policy import Policy
from streams.events import Outcome
from streams.forms import event_of
from streams.time import DAY_MS

POLICY = Policy()


def opened() -> Episode:
    episode = Episode()
    assert look(episode, 0, 0.1) == []
    assert look(episode, 10, 0.65) == ["opened"]
    return episode


def look(episode: Episode, day: float, risk: float) -> list[str]:
    assessment = Assessment("c-1", int(day * DAY_MS), risk, "loyal", 5, 1)
    return [step.kind for step in decide(episode, assessment, 0.6, POLICY)]


def outcome(episode: Episode, status: str, day: float, seq: int = 1, **more: Any) -> Outcome:
    about = alert_id("c-1", episode.life_day, episode.number, seq)
    given = {"event_id": "e", "customer_id": "c-1", "occurred_at": int(day * DAY_MS), "alert_id": about}
    told = event_of("outcomes", given | {"status": status} | more)
    assert isinstance(told, Outcome)
    return told


def test_what_was_done_is_remembered() -> None:
    episode = opened()
    assert apply_outcome(episode, outcome(episode, "contacted", 11, action="care_call"), POLICY) == ()
    assert (episode.outcome, episode.outcome_ms, episode.action) == ("contacted", 11 * DAY_MS, "care_call")
    assert episode.open


def test_the_latest_by_its_own_time_counts_in_any_order() -> None:
    for days in ((11, 12), (12, 11)):
        episode = opened()
        for day in days:
            apply_outcome(episode, outcome(episode, "accepted" if day == 12 else "contacted", day), POLICY)
        assert episode.outcome == "accepted"


def test_at_the_same_instant_the_further_one_counts() -> None:
    episode = opened()
    for status in ("accepted", "acknowledged", "contacted"):
        apply_outcome(episode, outcome(episode, status, 11), POLICY)
    assert episode.outcome == "accepted"


def test_one_about_another_alert_changes_nothing() -> None:
    episode = opened()
    before = Episode(**{name: getattr(episode, name) for name in episode.__struct_fields__})
    stray = outcome(episode, "false_alarm", 11, alert_id="0" * 32)
    assert apply_outcome(episode, stray, POLICY) == ()
    assert apply_outcome(episode, outcome(episode, "false_alarm", 11, seq=2), POLICY) == ()
    assert episode == before


def test_a_false_alarm_resolves_and_cools_down() -> None:
    episode = opened()
    (step,) = apply_outcome(episode, outcome(episode, "false_alarm", 11), POLICY)
    assert (step.kind, step.cause, step.at_ms, step.risk) == ("resolved", "false_alarm", 11 * DAY_MS, 0.65)
    assert apply_outcome(episode, outcome(episode, "false_alarm", 12), POLICY) == ()
    assert look(episode, 12, 0.95) == []
    assert look(episode, 25, 0.65) == []
    assert look(episode, 26, 0.95) == ["opened"]
    assert episode.outcome == ""


def test_a_false_alarm_dated_before_the_alert_closes_it_when_it_opened() -> None:
    episode = opened()
    (step,) = apply_outcome(episode, outcome(episode, "false_alarm", 5), POLICY)
    assert step.at_ms == 10 * DAY_MS


def test_a_snooze_holds_back_escalation_until_it_ends() -> None:
    episode = opened()
    apply_outcome(episode, outcome(episode, "snoozed", 11, snooze_until=20 * DAY_MS), POLICY)
    assert episode.next_look_ms(11 * DAY_MS) == 20 * DAY_MS
    assert look(episode, 12, 0.95) == []
    assert look(episode, 20, 0.95) == ["escalated"]


def test_a_snooze_does_not_hold_back_good_news() -> None:
    episode = opened()
    apply_outcome(episode, outcome(episode, "snoozed", 11), POLICY)
    assert look(episode, 12, 0.1) == ["resolved"]


def test_a_snooze_of_a_closed_episode_holds_back_the_next() -> None:
    episode = opened()
    look(episode, 11, 0.1)
    apply_outcome(episode, outcome(episode, "snoozed", 12, snooze_until=40 * DAY_MS), POLICY)
    assert look(episode, 30, 0.9) == []
    assert look(episode, 40, 0.9) == ["opened"]


def test_a_snooze_has_a_default_and_a_bound() -> None:
    episode = opened()
    apply_outcome(episode, outcome(episode, "snoozed", 11), POLICY)
    assert episode.snoozed_until_ms == 11 * DAY_MS + POLICY.snooze_ms
    apply_outcome(episode, outcome(episode, "snoozed", 12, snooze_until=9_000 * DAY_MS), POLICY)
    assert episode.snoozed_until_ms == 12 * DAY_MS + SNOOZE_MAX_MS
