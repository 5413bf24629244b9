"""Trials: who enters, what the team's reports count for, what is booked."""

from typing import Any

import pytest

from alerts.counts import StatsBuilder
from alerts.episode import Episode, alert_id
from alerts.trials import AGAIN_MS, ALERTS_KNOWN, AMOUNT_MAX, Trial, conclude, may_begin, note_outcome
from streams.bounds import SUM_LIMIT
from streams.events import Outcome
from streams.forms import event_of
from streams.time import DAY_MS

DAY = 20_000
CODES = frozenset({"care_call", "loyalty_points"})


def trial(**fields: Any) -> Trial:
    known: dict[str, Any] = {
        "number": 2,
        "opened_ms": DAY * DAY_MS - 5,
        "until_day": DAY + 60,
        "held": False,
        "segment": "loyal",
        "reason": "price",
        "action": "care_call",
        "expected": 1_500,
    }
    return Trial(**(known | fields))


def outcome(status: str, number: int = 2, seq: int = 1, day: float = 1, **fields: Any) -> Outcome:
    told = event_of(
        "outcomes",
        {
            "event_id": "o",
            "customer_id": "ann",
            "occurred_at": round((DAY + day) * DAY_MS),
            "alert_id": alert_id("ann", 7, number, seq),
            "status": status,
        }
        | fields,
    )
    assert isinstance(told, Outcome)
    return told


def noted(*outcomes: Outcome, held: bool = False) -> Trial:
    running = trial(held=held)
    for told in outcomes:
        note_outcome(running, told, Episode(life_day=7, number=3), CODES)
    return running


def booked(ended: Trial, *, kept: bool = True, spent: int = 1_234) -> dict[str, int]:
    stats = StatsBuilder()
    conclude(ended, kept=kept, spent=spent, book=stats)
    ((day, counts),) = stats.take().items()
    assert day == ended.until_day
    entries: dict[str, int] = counts[3]
    return entries


def test_whole_days_count_from_the_midnight_at_or_after_the_opening() -> None:
    assert trial().first_day == DAY
    assert trial(opened_ms=DAY * DAY_MS).first_day == DAY
    assert trial(opened_ms=DAY * DAY_MS + 1).first_day == DAY + 1
    assert trial().ends_ms == (DAY + 60) * DAY_MS


def test_a_customer_enters_once_a_year() -> None:
    assert may_begin(None, 0)
    assert not may_begin(trial(), DAY * DAY_MS + AGAIN_MS)
    ended = trial(concluded=True)
    assert not may_begin(ended, ended.opened_ms + AGAIN_MS - 1)
    assert may_begin(ended, ended.opened_ms + AGAIN_MS)


def test_the_most_that_was_done_counts_and_costs_add_up() -> None:
    found = noted(
        outcome("acknowledged"),
        outcome("contacted", action="care_call", cost=2.5),
        outcome("accepted", action="loyalty_points", cost=10),
        outcome("declined", action="care_call"),
    )
    assert (found.did, found.taken, found.cost) == ("accepted", "loyalty_points", 1_250)


def test_reports_about_later_episodes_within_the_trial_count() -> None:
    assert noted(outcome("contacted", number=3, seq=2)).did == "contacted"


@pytest.mark.parametrize(
    "told",
    [
        outcome("contacted", number=1),
        outcome("contacted", number=4),
        outcome("contacted", seq=ALERTS_KNOWN + 1),
        outcome("contacted", day=60),
        outcome("contacted", day=-1),
        outcome("contacted", alert_id="made up"),
        outcome("false_alarm"),
        outcome("snoozed"),
    ],
)
def test_what_is_about_something_else_or_no_treatment_changes_nothing(told: Outcome) -> None:
    assert noted(told) == trial()


def test_an_action_that_the_playbook_does_not_know_is_booked_without_its_text() -> None:
    found = noted(outcome("accepted", action="gave Ann Smith | of 5 High St a cake"))
    assert found.taken == "other"
    assert not any("Ann" in key for key in booked(found))


def test_every_sum_is_booked_once_and_zeros_are_not() -> None:
    ended = noted(outcome("accepted", action="loyalty_points", cost=5))
    assert booked(ended) == {
        "trial|treated|loyal|care_call|accepted|n": 1,
        "trial|treated|loyal|care_call|accepted|kept": 1,
        "trial|treated|loyal|care_call|accepted|spend": 1_234,
        "trial|treated|loyal|care_call|accepted|squares": 152,
        "trial|treated|loyal|care_call|accepted|expected": 1_500,
        "trial|treated|loyal|care_call|accepted|cost": 500,
        "trial_reason|treated|loyal|price|n": 1,
        "trial_reason|treated|loyal|price|kept": 1,
        "trial_reason|treated|loyal|price|spend": 1_234,
        "trial_reason|treated|loyal|price|squares": 152,
        "trial_reason|treated|loyal|price|expected": 1_500,
        "trial_reason|treated|loyal|price|cost": 500,
        "trial_done|loyalty_points|n": 1,
        "trial_done|loyalty_points|kept": 1,
        "trial_done|loyalty_points|cost": 500,
        "play|loyal|price|loyalty_points|kept": 1,
    }
    assert ended.concluded
    assert booked(trial(held=True, expected=0), kept=False, spent=0) == {
        "trial|held|loyal|care_call|left|n": 1,
        "trial_reason|held|loyal|price|n": 1,
    }


def test_what_happens_after_the_conclusion_changes_nothing() -> None:
    ended = trial(concluded=True)
    note_outcome(ended, outcome("accepted"), Episode(life_day=7, number=3), CODES)
    assert ended == trial(concluded=True)


def test_absurd_amounts_stay_far_within_what_can_be_added_up() -> None:
    entries = booked(noted(outcome("accepted", cost=1e12)), spent=10**17)
    assert entries["trial|treated|loyal|care_call|accepted|spend"] == AMOUNT_MAX
    assert entries["trial|treated|loyal|care_call|accepted|cost"] == AMOUNT_MAX
    assert max(entries.values()) * 46_000 < SUM_LIMIT
