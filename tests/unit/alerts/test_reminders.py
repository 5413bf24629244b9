"""Reminders, the end of a snooze, and the return of a customer who was given up."""

from typing import Any

import pytest

from alerts.decide import Assessment, decide
from alerts.episode import Episode, Transition, alert_id
from alerts.outcomes import apply_outcome
from alerts.policy import Policy
from streams.errors import ConfigError
from streams.events import Outcome
from streams.forms import event_of
from streams.time import DAY_MS

REMINDER = ("escalated", "untaken")


class Team:
    """A loyal customer, opened on day 10 under a threshold of .6, and a team that reports now and then."""

    def __init__(self, *, heard: bool = True, **policy: Any) -> None:
        self.policy, self.heard = Policy(**policy), heard
        self.episode, self.raised = Episode(), list[Transition]()
        self.look(0, 0.1)
        assert self.look(10, 0.65) == [("opened", "rise")]

    def look(self, day: float, risk: float = 0.65, ordered: int = 1, **more: Any) -> list[tuple[str, str]]:
        look = Assessment("c-1", int(day * DAY_MS), risk, "loyal", 5, ordered, heard=self.heard, **more)
        steps = decide(self.episode, look, 0.6, self.policy)
        self.raised += steps
        return [(step.kind, step.cause) for step in steps]

    def report(self, status: str, day: float, **more: Any) -> None:
        about = alert_id("c-1", self.episode.life_day, self.episode.number, 1)
        given = {"event_id": "e", "customer_id": "c-1", "occurred_at": int(day * DAY_MS), "alert_id": about}
        told = event_of("outcomes", given | {"status": status} | more)
        assert isinstance(told, Outcome)
        self.raised += apply_outcome(self.episode, told, self.policy)


def test_an_alert_that_nobody_has_taken_is_told_twice_more_and_then_no_more() -> None:
    team = Team()
    assert team.episode.next_look_ms(10 * DAY_MS) == 13 * DAY_MS
    assert team.look(12.9) == []
    assert team.look(13) == [REMINDER]
    assert team.episode.next_look_ms(13 * DAY_MS) == 16 * DAY_MS
    assert [team.look(day) for day in (14, 16, 17)] == [[], [REMINDER], []]
    assert [team.look(day) for day in range(18, 60)] == [[]] * 42
    assert team.episode.next_look_ms(17 * DAY_MS) is None
    assert len({step.alert_id for step in team.raised}) == 3
    assert {step.band for step in team.raised} == {"watch"}


def test_a_team_that_never_reports_is_not_reminded() -> None:
    team = Team(heard=False)
    assert team.episode.next_look_ms(10 * DAY_MS) is None
    assert [team.look(day) for day in range(11, 30)] == [[]] * 19


def test_nought_is_no_reminder() -> None:
    assert Team(reminder_ms=0).episode.remind_ms == 0
    with pytest.raises(ConfigError, match="negative"):
        Policy(reminder_ms=-1)


@pytest.mark.parametrize("status", ["acknowledged", "contacted", "accepted", "declined", "false_alarm"])
def test_who_has_taken_it_is_not_reminded(status: str) -> None:
    team = Team()
    team.report(status, 11)
    assert [team.look(day) for day in range(12, 25)] == [[]] * 13
    if status != "false_alarm":
        assert team.look(25, 0.8) == [("escalated", "rise")]
        assert [team.look(day, 0.8) for day in range(26, 40)] == [[]] * 14


def test_the_held_out_are_nobodys_to_take() -> None:
    assert Team(holdout_share=1.0).look(13) == []


def test_an_escalation_begins_the_wait_anew() -> None:
    team = Team()
    assert team.look(12, 0.8) == [("escalated", "rise")]
    assert team.look(13, 0.8) == []
    assert team.look(15, 0.8) == [REMINDER]


def test_not_in_an_outage_but_at_the_next_look_after_it() -> None:
    team = Team()
    assert team.look(13, held=True) == []
    assert team.look(14) == [REMINDER]


def test_the_end_of_a_snooze_brings_back_who_is_still_at_risk_and_the_wait_begins() -> None:
    team = Team()
    team.report("snoozed", 11, snooze_until=20 * DAY_MS)
    assert [team.look(day) for day in (13, 19)] == [[], []]
    assert team.episode.next_look_ms(19 * DAY_MS) == 20 * DAY_MS
    assert team.look(20) == [("escalated", "snooze_over")]
    assert [team.look(day) for day in (22, 23, 26, 29)] == [[], [REMINDER], [REMINDER], []]


def test_a_snooze_is_ended_even_for_a_team_without_reminders() -> None:
    team = Team(reminder_ms=0)
    team.report("snoozed", 11)
    assert team.look(18) == [("escalated", "snooze_over")]
    assert [team.look(day) for day in range(19, 40)] == [[]] * 21


def test_who_comes_back_during_a_snooze_is_resolved_and_stays_so() -> None:
    team = Team()
    team.report("snoozed", 11, snooze_until=20 * DAY_MS)
    assert team.look(15, 0.2, ordered=15 * DAY_MS) == [("resolved", "return")]
    assert team.look(20, 0.2, ordered=15 * DAY_MS) == []


def test_the_return_of_the_lost_closes_their_case_once() -> None:
    team = Team()
    assert team.look(90, 0.9, gone=True) == [("churned", "gone")]
    assert team.raised[-1].risk == 1.0
    assert team.look(120, 0.2, ordered=120 * DAY_MS) == [("resolved", "won_back")]
    assert team.look(130, 0.2, ordered=130 * DAY_MS) == []
    opened, *_, lost, back = team.raised
    assert opened.episode_id == lost.episode_id == back.episode_id
    assert not team.episode.open


def test_a_lost_customer_who_only_looks_in_is_back_as_well() -> None:
    team = Team()
    team.look(90, 0.9, gone=True)
    assert team.look(105, 0.9) == [("resolved", "won_back")]
