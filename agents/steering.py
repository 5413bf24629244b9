"""What the pipeline books for the goals (`alerts.kpi`), with what it knows of the customer: one call at each place where something happens."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from agents.effects import Effects
from agents.record import Customer
from alerts import kpi
from alerts.alert import Alert
from alerts.cohorts import cohort_of
from alerts.episode import Transition
from alerts.value import at_risk
from features.state import Activity
from models.labels import Example
from streams.events import Outcome, Review, Ticket
from streams.time import day_of


def first_order_day(activity: Activity) -> int | None:
    """Return the UTC day of the first order that is known; None where there was none.

    >>> first_order_day(Activity.empty()) is None
    True
    """
    past = activity.past
    if past is not None and past.order_rhythm.days:
        return past.order_rhythm.first_day
    return next((tile.day for tile in activity.order_tiles if tile.orders), None)


def book_alert(customer: Customer, step: Transition, alert: Alert, annual_value: float, effects: Effects) -> None:
    """Book an alert that goes out, and what it suggests; `annual_value` is the customer's expected spend of a year."""
    day, episode = day_of(customer.as_of_ms), customer.episode
    if not episode.reason and alert.reasons:  # later alerts of the episode, the last above all, give other ones
        episode.reason = alert.reasons[0].code
    kpi.book_alert(
        effects.stats,
        day,
        step,
        reason=episode.reason,
        cohort=cohort_of(first_order_day(customer.activity), day),
        opened_ms=episode.opened_ms,
        annual_value=annual_value,
        at_risk=at_risk(annual_value, step.risk),
    )
    kpi.book_suggestions(effects.stats, day, [action.code for action in alert.actions])


def book_outcome(
    customer: Customer, outcome: Outcome, before_ms: int, actions: Collection[str], effects: Effects
) -> None:
    """Book an outcome that has just been applied.

    Args:
        customer: as it is now.
        outcome: what the team has reported.
        before_ms: `episode.outcome_ms` before it was applied; 0 where nothing had been reported of this episode.
        actions: the codes that the playbook knows; any other is booked as `other`, for anybody may write anything there.
        effects: where.
    """
    day, episode = day_of(customer.as_of_ms), customer.episode
    if episode.outcome_ms == before_ms:  # of another episode, or old news
        return
    action = outcome.action or ""
    kpi.book_report(effects.stats, day, outcome.status, action if action in actions else "")
    if not before_ms and not episode.holdout:  # nobody was to act on an alert of one held out
        kpi.book_first_action(
            effects.stats,
            day,
            outcome.status,
            segment=episode.segment,
            reason=episode.reason,
            cohort=cohort_of(first_order_day(customer.activity), day),
            waited_ms=outcome.occurred_at - episode.opened_ms,
        )


def book_labels(customer: Customer, examples: Sequence[Example], now_ms: int, effects: Effects) -> None:
    """Book what has become of the customer's snapshots whose answer is known at `now_ms`."""
    day = day_of(now_ms)
    cohort = cohort_of(first_order_day(customer.activity), day)
    for example in examples:
        kpi.book_label(effects.stats, day, segment=example.segment, cohort=cohort, churned=example.label == 1)


def book_look(customer: Customer, expected: float, segment: str, effects: Effects) -> None:
    """Book at the week's look, as of `customer.as_of_ms`, what a customer is expected to spend in the year to come."""
    day, warned = day_of(customer.as_of_ms), customer.episode.open
    kpi.book_look(effects.stats, day, segment=segment, warned=warned, expected=expected)


def book_voice(customer: Customer, event: Review | Ticket, effects: Effects) -> None:
    """Book what the customer has said in a review or a ticket."""
    kpi.book_voice(effects.stats, day_of(customer.as_of_ms), event)


def book_won_back(customer: Customer, annual_value: float, effects: Effects) -> None:
    """Book that a customer who was announced as churned has come back."""
    kpi.book_won_back(
        effects.stats, day_of(customer.as_of_ms), segment=customer.episode.segment, annual_value=annual_value
    )
