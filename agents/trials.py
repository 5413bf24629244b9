"""A customer's trial between the pipeline and `alerts.trials`: when one begins, what it came to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from agents.record import Customer
from alerts.alert import Action, Reason
from alerts.episode import Transition
from alerts.trials import NO_ACTION, Book, Trial, conclude, first_day, hundredths, may_begin
from alerts.value import HORIZON_DAYS
from features.tiles import OrderTile
from models.question import Question
from streams.time import day_of

HUNDREDTH: Final = 10
"""Tiles keep money in thousandths."""


def begin_trial(
    customer: Customer,
    opened: Transition,
    reasons: Sequence[Reason],
    actions: Sequence[Action],
    *,
    annual_value: float,
    horizon_days: int,
) -> None:
    """Let the customer enter with the alert that opens an episode, where they may.

    Args:
        customer: changed in place.
        opened: a transition of kind `opened`.
        reasons: the alert's, the first one first.
        actions: likewise; for one held out, those that would have been suggested.
        annual_value: expected spend of a year, if staying.
        horizon_days: the question's.
    """
    if not may_begin(customer.trial, opened.at_ms):
        return
    customer.trial = Trial(
        number=customer.episode.number,
        opened_ms=opened.at_ms,
        until_day=first_day(opened.at_ms) + horizon_days,
        held=opened.holdout,
        segment=opened.segment,
        reason=reasons[0].code if reasons else NO_ACTION,
        action=actions[0].code if actions else NO_ACTION,
        expected=hundredths(annual_value * horizon_days / HORIZON_DAYS),
    )


def trial_ends_ms(customer: Customer) -> int | None:
    """Return when the customer's trial can be concluded; None where none runs."""
    trial = customer.trial
    return None if trial is None or trial.concluded else trial.ends_ms


def conclude_trial(customer: Customer, now_ms: int, question: Question, book: Book) -> bool:
    """Conclude the customer's trial where its time is up at `now_ms`; returns whether it was."""
    trial = customer.trial
    if trial is None or trial.concluded or now_ms < trial.ends_ms:
        return False
    activity = customer.activity
    happened = activity.orders_between if question.churn_on == "orders" else activity.activity_between
    gone_ms = max((ms for ms in activity.cancellations if trial.opened_ms <= ms < trial.ends_ms), default=None)
    # Only the days of orders are kept, so one on the day of the cancellation came before it for all that is known.
    since_day = trial.first_day if gone_ms is None else max(trial.first_day, day_of(gone_ms) + 1)
    kept = happened(since_day, trial.until_day)
    conclude(trial, kept=kept, spent=_spent(activity.order_tiles, trial.first_day, trial.until_day), book=book)
    return True


def _spent(tiles: Sequence[OrderTile], first_day: int, end_day: int) -> int:
    """Spend on days in [first, end), in hundredths. Returns are not taken off: what they were worth is not told."""
    return sum(tile.amount for tile in tiles if first_day <= tile.day < end_day) // HUNDREDTH
