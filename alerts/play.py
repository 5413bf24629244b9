"""A play: an action that a retention team has at hand, when it fits, what it costs, and how often it may be used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from alerts.alert import Code
from alerts.bands import Raised
from alerts.episode import Kind

Channel = Literal["email", "call", "sms", "app", "letter", "none"]

ACTIONS_IN_PLAYBOOK_MAX: Final = 40
"""Bound on the different actions of a playbook, and with it on what is remembered of each customer."""


@dataclass(frozen=True, slots=True)
class Play:
    """One row of the playbook; an empty tuple means any.

    Attributes:
        code: name of the action, for programs. Rows of one action agree in title, channel, contact, cool-down, cost and budget.
        title: name for people.
        why: one sentence; `{evidence}` stands for the evidence of the reason that the play answers.
        strength: how much it is preferred to others that answer the same reason, 0 to 1.
        reasons: the reasons that it answers.
        segments: for these.
        kinds: at these steps of an episode.
        bands: in these.
        value_at_risk_min: only where at least so much is at stake, in the customer's currency.
        contact: whether it means writing to the customer or calling.
        channel: how it reaches the customer.
        cool_down_ms: it is not suggested to the same customer again within that span.
        cost: what one use costs, in the customer's currency; 0 where that is not known.
        budget_per_day: about so many a day are suggested, over all customers; None for no limit.
    """

    code: str
    title: str
    why: str
    strength: float
    reasons: tuple[Code, ...] = ()
    segments: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ("opened", "escalated")
    bands: tuple[Raised, ...] = ()
    value_at_risk_min: float = 0.0
    contact: bool = True
    channel: Channel = "none"
    cool_down_ms: int = 0
    cost: float = 0.0
    budget_per_day: float | None = None
