"""What reaches a customer's snapshots besides the customer's own doing: warnings, and what the team does (`models.labels.Touch`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from agents.record import Customer
from alerts.episode import Episode, Transition, alert_id
from models.labels import HELD_OUT, TREATED, WARNED, touch
from streams.events import Outcome

TREATMENTS: Final = frozenset({"contacted", "accepted", "declined", "false_alarm"})
"""Who was called a false alarm was looked into, by people who know more than the model: neither outcome is the model's to learn from."""

ALERTS_KNOWN: Final = 12


def note_warnings(customer: Customer, transitions: Sequence[Transition]) -> None:
    """Note the warnings among an episode's steps."""
    for step in transitions:
        if step.kind == "opened":
            customer.touches = touch(customer.touches, step.at_ms, HELD_OUT if step.holdout else WARNED)


def note_treatment(customer: Customer, outcome: Outcome) -> None:
    """Note a treatment that the team reports, of an alert of the present episode or of the one before."""
    if outcome.status in TREATMENTS and _is_about(customer.episode, outcome):
        customer.touches = touch(customer.touches, outcome.occurred_at, TREATED)


def _is_about(episode: Episode, outcome: Outcome) -> bool:
    return episode.has_raised(outcome.alert_id, outcome.customer_id) or any(
        outcome.alert_id == alert_id(outcome.customer_id, episode.life_day, episode.number - 1, seq + 1)
        for seq in range(ALERTS_KNOWN)
    )
