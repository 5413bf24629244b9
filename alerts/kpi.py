"""What is booked for the goals: whole numbers, entered into the ledger as things happen, added up by the one learner.

    name                 told by                                      amount
    kpi_alert            kind, cause, arm, segment, reason            alerts
    kpi_alert_cohort     kind, cause, arm, cohort                     alerts
    kpi_stake            segment, reason                              hundredths at risk a year, of the alerts that opened
    kpi_lost             segment, reason                              hundredths a year, of those who left after a warning
    kpi_lead             segment, reason, `days` or `count`           from the alert that opened to the leaving
    kpi_acted            status, segment, reason                      alerts of which it was the first thing reported
    kpi_acted_cohort     cohort                                       likewise
    kpi_acted_minutes    segment, reason                              from opening to that
    kpi_report           status, action                               whatever was reported
    kpi_suggested        action                                       alerts that suggested it
    kpi_label            segment, cohort, `stayed` or `churned`       answers to the question that the model is asked
    kpi_expected         UTC day, segment, `safe` or `open`, figure   one week's look at all active customers
    kpi_review           topic, `count` or `rating`                   reviews, and the sum of their ratings in hundredths
    kpi_ticket           category                                     tickets opened
    kpi_won_back         segment, `count` or `value`                  churned customers who came back

The arm is `treated` or `held`. The reason is the top one of the alert that opened the episode. Segments are 4, reasons 5,
cohorts 24 at most, days of looks 31 a month: some two thousand keys a month. Bookings carry the customer's own clock, so
neither partitions nor the hour at which a record is read make a difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from alerts.alert import CODES
from alerts.counts import StatsBuilder
from alerts.episode import Transition
from alerts.segments import SEGMENTS
from streams.events import Review, Ticket

OTHER: Final = "other"
MINUTE_MS: Final = 60_000
DAY_MS: Final = 86_400_000
HUNDREDTHS_MAX: Final = 10**12
"""Of one customer's year: a slip of the keyboard must not use up what 64 bits can hold."""

ACTIONS_MAX: Final = 32
"""Codes of actions longer than so many characters, and those with a `|`, are booked as `OTHER`."""

LEAVING: Final = ("gone", "cancelled")


def hundredths(amount: float) -> int:
    """Return money as whole hundredths, within bounds.

    >>> hundredths(12.345), hundredths(1e300)
    (1234, 1000000000000)
    """
    return round(min(max(amount, 0.0), HUNDREDTHS_MAX / 100) * 100)


def book_alert(
    stats: StatsBuilder,
    day: int,
    step: Transition,
    *,
    reason: str,
    cohort: str,
    opened_ms: int,
    annual_value: float,
    at_risk: float,
) -> None:
    """Book an alert that goes out.

    Args:
        stats: where.
        day: UTC day of the customer's clock.
        step: what the alert is about.
        reason: the top one of the alert that opened the episode; empty where that is not known.
        cohort: see `cohorts`.
        opened_ms: when the episode was opened.
        annual_value: expected spend of a year.
        at_risk: the part of it that is expected to be lost.
    """
    arm, segment, code = "held" if step.holdout else "treated", _segment(step.segment), _code(reason)
    stats.book(day, "kpi_alert", step.kind, step.cause, arm, segment, code)
    stats.book(day, "kpi_alert_cohort", step.kind, step.cause, arm, cohort)
    if step.kind == "opened":
        stats.book(day, "kpi_stake", segment, code, amount=hundredths(at_risk))
    if step.kind == "churned":
        stats.book(day, "kpi_lost", segment, code, amount=hundredths(annual_value))
        if step.at_ms > opened_ms:  # else the leaving itself was the first that anybody heard of it
            stats.book(day, "kpi_lead", segment, code, "days", amount=(step.at_ms - opened_ms) // DAY_MS)
            stats.book(day, "kpi_lead", segment, code, "count")


def book_suggestions(stats: StatsBuilder, day: int, actions: Sequence[str]) -> None:
    """Book the actions that an alert suggests, by their codes in the playbook."""
    for code in actions:
        stats.book(day, "kpi_suggested", _action(code))


def book_report(stats: StatsBuilder, day: int, status: str, action: str) -> None:
    """Book an outcome that the team has reported; `action` is a code of the playbook, or empty."""
    stats.book(day, "kpi_report", status, _action(action))


def book_first_action(
    stats: StatsBuilder, day: int, status: str, *, segment: str, reason: str, cohort: str, waited_ms: int
) -> None:
    """Book the first outcome reported for an episode, `waited_ms` after it was opened."""
    named, code = _segment(segment), _code(reason)
    stats.book(day, "kpi_acted", status, named, code)
    stats.book(day, "kpi_acted_cohort", cohort)
    stats.book(day, "kpi_acted_minutes", named, code, amount=max(waited_ms, 0) // MINUTE_MS)


def book_label(stats: StatsBuilder, day: int, *, segment: str, cohort: str, churned: bool) -> None:
    """Book the answer to a snapshot: whether the customer stayed over the horizon."""
    stats.book(day, "kpi_label", _segment(segment), cohort, "churned" if churned else "stayed")


def book_look(stats: StatsBuilder, day: int, *, segment: str, warned: bool, expected: float) -> None:
    """Book the week's look at a customer.

    Args:
        stats: where.
        day: UTC day of the snapshot.
        segment: the customer's.
        warned: whether an episode is open.
        expected: spend of the next 365 days that is to be expected, the chance that the customer has left counted in.
    """
    customers, year = _look_names(day, segment, warned)
    stats.book(day, customers)
    stats.book(day, year, amount=hundredths(expected))


@lru_cache(maxsize=256)
def _look_names(day: int, segment: str, warned: bool) -> tuple[str, str]:  # noqa: FBT001 - of a cached function
    """Everybody is looked at on the same day: to put the names together each time took as long as to book them."""
    told_by = "|".join(("kpi_expected", str(day), _segment(segment), "open" if warned else "safe"))
    return f"{told_by}|customers", f"{told_by}|year"


def book_voice(stats: StatsBuilder, day: int, event: Review | Ticket) -> None:
    """Book what a customer has said: a review by its topics, a ticket by its category when it is opened."""
    if isinstance(event, Ticket):
        if event.status == "opened":
            stats.book(day, "kpi_ticket", event.category or OTHER)
        return
    rating = event.rating if event.rating is not None else 1.0 + 0.4 * (event.nps or 0)
    for topic in dict.fromkeys(event.topics or ("none",)):
        stats.book(day, "kpi_review", topic, "count")
        stats.book(day, "kpi_review", topic, "rating", amount=round(rating * 100))


def book_won_back(stats: StatsBuilder, day: int, *, segment: str, annual_value: float) -> None:
    """Book the return of a customer who was announced as churned."""
    stats.book(day, "kpi_won_back", _segment(segment), "count")
    stats.book(day, "kpi_won_back", _segment(segment), "value", amount=hundredths(annual_value))


def _segment(segment: str) -> str:
    return segment if segment in SEGMENTS else OTHER


def _code(reason: str) -> str:
    return reason if reason in CODES else OTHER


def _action(code: str) -> str:
    return code if code and len(code) <= ACTIONS_MAX and "|" not in code else OTHER
