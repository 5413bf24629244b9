"""The episode: all that the alerts remember of one customer between two looks.

    opened ──► escalated ──► resolved | churned ──► resolved    seq 1, 2, 3 …: each alert of an episode has the next one
      │                          ▲                 (won back)
      └──────────────────────────┘                              at most one episode of a customer is open at any time

An alert's id is a hash of the customer, the episode and the sequence number: the same input gives the same ids, however
often it is read. An episode is known by its number and by the day on which the customer was first looked at, so that
one who comes back after the state was deleted does not get old ids a second time.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Annotated, Final, Literal

import msgspec

from alerts.bands import Band, Raised
from streams.bounds import Count, Day, Finite, InstantMs

SEQ_MAX: Final = 1_000
"""Alerts of one episode; opened, escalated twice and closed are four."""

REMINDERS_MAX: Final = 2
"""Of one episode: who has not taken an alert told three times will not take it."""

Kind = Literal["opened", "escalated", "resolved", "churned"]
Cause = Literal["rise", "untaken", "snooze_over", "return", "won_back", "fall", "false_alarm", "gone", "cancelled"]
Basis = Literal["model", "rule"]


class Transition(msgspec.Struct, frozen=True):
    """A step of an episode, which becomes exactly one alert.

    Attributes:
        kind: the alert's kind.
        cause: why: the risk rose (`opened`, `escalated`); nobody has taken the alert, or its snooze has ended
            (`escalated`); the customer came back, in time or after `churned` (`won_back`), the risk fell, or the team
            called it a false alarm (`resolved`); gone or cancelled (`churned`).
        customer_id: whose.
        episode_id: 32 hex characters.
        alert_id: 32 hex characters.
        at_ms: when, on the customer's clock.
        risk: at the last look; 1 where the customer is lost, so that the value at risk is all that they were worth.
        threshold: what the episode was opened under.
        band: highest band that the episode has reached.
        segment: the customer's, at the last look.
        basis: what the risk rests on.
        holdout: whether the customer is held out of treatment.
    """

    kind: Kind
    cause: Cause
    customer_id: str
    episode_id: str
    alert_id: str
    at_ms: int
    risk: float
    threshold: float
    band: Raised
    segment: str
    basis: Basis
    holdout: bool


class Episode(msgspec.Struct, array_like=True, gc=False):
    """The current or last episode of a customer; mutable, kept with the customer's state (some 80 bytes).

    Attributes:
        life_day: UTC day of the first look at the customer.
        number: episodes so far; 0 before the first.
        open: whether the episode is open.
        seq: alerts of the episode so far.
        opened_ms: when it was opened.
        closed_ms: when it was closed; 0 while it is open.
        band: highest band that it reached; `low` before the first episode.
        threshold: threshold that it was opened under; its bands stay relative to this one.
        risk: risk at the last look.
        peak_risk: highest risk since it was opened.
        mark: risk up to which a rise is old news (see `policy`).
        shift: the model's part in the change of risk (see `decide.Assessment`), as of the last look.
        shift_since_ms: since when that was counted.
        seen_ms: the customer's last sign of staying, as of the last look.
        basis: what the risk rested on at the last look, `model` or `rule`; empty before the first look.
        segment: the customer's segment at the last look.
        value: expected annual spend when it was opened.
        holdout: whether the customer is held out of treatment.
        lost: whether `churned` was announced and the customer has not come back since.
        quiet_until_ms: end of the cool-down.
        snoozed_until_ms: end of a snooze.
        outcome: last reported status, empty where there is none (see `outcomes`).
        outcome_ms: when that was.
        action: what was done, as reported with it.
        reason: the top reason of the alert that opened it; empty where that was before this was kept.
        remind_ms: when the alert is told once more unless somebody takes it: after a while, or at the end of a snooze; 0: never.
        reminders: how often it was for nobody's having taken it.
    """

    life_day: Day = 0
    number: Count = 0
    open: bool = False
    seq: Annotated[int, msgspec.Meta(ge=0, le=SEQ_MAX)] = 0
    opened_ms: InstantMs = 0
    closed_ms: InstantMs = 0
    band: Band = "low"
    threshold: Finite = 0.0
    risk: Finite = 0.0
    peak_risk: Finite = 0.0
    mark: Finite = 0.0
    shift: Finite = 0.0
    shift_since_ms: InstantMs = 0
    seen_ms: InstantMs = 0
    basis: Literal["model", "rule", ""] = ""
    segment: str = ""
    value: Finite = 0.0
    holdout: bool = False
    lost: bool = False
    quiet_until_ms: InstantMs = 0
    snoozed_until_ms: InstantMs = 0
    outcome: str = ""
    outcome_ms: InstantMs = 0
    action: str = ""
    reason: str = ""
    remind_ms: InstantMs = 0
    reminders: Count = 0

    def next_look_ms(self, after_ms: int) -> int | None:
        """Return when a cool-down or snooze ends, or a reminder is due, after `after_ms`; None if nothing of it is to come.

        >>> Episode(quiet_until_ms=50, snoozed_until_ms=20, remind_ms=40).next_look_ms(30)
        40
        """
        quiet_ms, snoozed_ms, remind_ms = self.quiet_until_ms, self.snoozed_until_ms, self.remind_ms
        next_ms = quiet_ms if quiet_ms > after_ms else 0
        if snoozed_ms > after_ms and (not next_ms or snoozed_ms < next_ms):
            next_ms = snoozed_ms
        if remind_ms > after_ms and (not next_ms or remind_ms < next_ms):
            next_ms = remind_ms
        return next_ms or None

    @property
    def is_taken(self) -> bool:
        """Whether somebody has taken the alert: the last that was reported is neither nothing nor a snooze."""
        return self.outcome not in ("", "snoozed")

    def await_somebody(self, at_ms: int, reminder_ms: int) -> None:
        """The alert was told at `at_ms`: remind of it after `reminder_ms` (0: never), but not without end, nor of one held out."""
        due = reminder_ms and self.reminders < REMINDERS_MAX and not (self.is_taken or self.holdout)
        self.remind_ms = at_ms + reminder_ms if due else 0

    def step(self, customer_id: str, kind: Kind, cause: Cause, at_ms: int) -> Transition:
        """Count one more alert of this episode, which has begun, and return what it is about."""
        if self.band == "low":
            raise ValueError("an episode that never began has no alerts")
        self.seq += 1
        return Transition(
            kind,
            cause,
            customer_id,
            episode_id(customer_id, self.life_day, self.number),
            alert_id(customer_id, self.life_day, self.number, self.seq),
            at_ms,
            1.0 if kind == "churned" else self.risk,
            self.threshold,
            self.band,
            self.segment,
            self.basis or "rule",
            self.holdout,
        )

    def close(self, customer_id: str, kind: Kind, cause: Cause, at_ms: int, cool_down_ms: int) -> Transition:
        """Close the episode, begin its cool-down, and return the alert that says so."""
        self.open, self.remind_ms = False, 0
        self.closed_ms = at_ms
        self.quiet_until_ms = at_ms + cool_down_ms
        return self.step(customer_id, kind, cause, at_ms)

    def has_raised(self, alert: str, customer_id: str) -> bool:
        """Tell whether `alert` is the id of an alert of this episode."""
        return any(alert == alert_id(customer_id, self.life_day, self.number, seq + 1) for seq in range(self.seq))


def _digest(kind: bytes, customer_id: str, *numbers: int) -> str:
    # The numbers stand first, each ended by a NUL, so that no customer's id can be read as part of them.
    framed = b"".join(b"%d\0" % number for number in numbers) + customer_id.encode()
    return blake2b(framed, digest_size=16, person=kind).hexdigest()


def episode_id(customer_id: str, life_day: int, number: int) -> str:
    """Return the id of a customer's episode: 32 hex characters, a function of the arguments alone."""
    return _digest(b"episode", customer_id, life_day, number)


def alert_id(customer_id: str, life_day: int, number: int, seq: int) -> str:
    """Return the id of alert `seq` (from 1) of an episode: 32 hex characters, a function of the arguments alone.

    >>> alert_id("c-1", 9862, 1, 1) == alert_id("c-1", 9862, 1, 1) != alert_id("c-1", 9862, 1, 2)
    True
    """
    return _digest(b"alert", customer_id, life_day, number, seq)


def held_out(customer_id: str, salt: str, share: float) -> bool:
    """Tell whether a customer belongs to the `share` (0 to 1) who are not treated.

    A salted hash decides: for ever, on every worker alike, independent of anything known about the customer. Alerts of
    theirs go out with `holdout: true` and without actions; comparing the two groups later shows whether acting helps.

    >>> sum(held_out(f"c-{i}", "salt", 0.1) for i in range(1000))
    94
    """
    if share <= 0.0:
        return False
    draw = blake2b(f"{salt}\0{customer_id}".encode(), digest_size=8, person=b"holdout")
    return int.from_bytes(draw.digest()) < share * 2.0**64
