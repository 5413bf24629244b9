"""The decision: when a risk becomes an alert, when an alert is withdrawn, and when neither.

What is old news. Opening asks for a *rise*: the risk must cross the threshold, or the edge of a higher band, from the
customer's `mark`. The mark is dragged along by the risk with a slack of `hysteresis` (the play operator: Krasnosel'skii
and Pokrovskii, "Systems with hysteresis", 1989):

    risk    .20   .50   .70   .65   .72   .40   .70          threshold .6, hysteresis .1
    mark    .20   .50   .70   .70   .72   .50   .70
                        ▲ opened          ▲     ▲ a new rise: the next episode, if the cool-down is over
                                          resolved

    1. The one number knows for *every* threshold whether an episode would be open under it, so `budget` can count what
       each threshold would have raised, before it is chosen.
    2. A threshold that sinks, or a model that takes over from the rule, does not flood the team with customers whose
       risk has not moved: the mark is there already.
    3. A sign of staying (an order) wipes the mark out: the same height may be warned of afresh, once the customer has
       been silent for a while. (Tried on Online Retail II with 20 alerts a day: leavers are caught a median of 10 days
       after their last order; with the mark left at the risk after the order, 40 days. The first week's silence costs
       nothing: alerts are as often right with it as without.)
    4. When the model has changed since the last look, the mark moves as far as the same old features do under the new
       model (`shift`): what the model has learnt is no rise of the customer. If it has moved far, it counts as another
       one. (On CDNOW a young model moved by 0.2 for everybody at once; 420 episodes opened that day, the budget was 2.)
    5. During a cool-down, a snooze or an outage the mark does not rise, so what was held back is raised afterwards.

    6. All of this is about the risk *lifted* by how new it is and by what is at stake (`change`), as thresholds are. What an
       alert says, and how it goes on, is about the risk itself: it is opened under the threshold lowered by as much.

An episode closes as `resolved` when the customer comes back or the risk falls below the exit; as `churned` when the
customer is gone or has cancelled. Those who are gone are never opened; an explicit cancellation is always announced.
Whoever comes back after `churned` is told of once more, as `resolved`: that closes the case.

Where the team reports outcomes at all, an alert that nobody has taken is told again, as `escalated`, and once more after
as long; so is a customer still at risk when a snooze ends.
"""

from __future__ import annotations

from typing import Final, Protocol

import msgspec

from alerts.bands import RANK, Band, band_of
from alerts.change import lifted, own_threshold
from alerts.episode import Basis, Cause, Episode, Transition, held_out
from alerts.policy import LANES, Policy
from streams.time import day_of


class Assessment(msgspec.Struct, frozen=True, gc=False):
    """One look at a customer.

    Attributes:
        customer_id: whose.
        as_of_ms: the customer's clock.
        risk: risk of churn, 0 to 1.
        segment: one of `SEGMENTS`.
        order_days: distinct days with an order so far.
        last_seen_ms: last order (last sign of life, where that is what staying means); 0 where there is none.
        basis: what the risk rests on.
        value: expected annual spend (`value.annual_value`).
        gone: the customer counts as gone: no order for the question's active days.
        cancelled: the customer has cancelled explicitly and not ordered since.
        shift: how far the model alone has moved this customer since an earlier look, the latest of which the features
            are kept: their risk under the model of now, less the risk as said then.
        shift_since_ms: when that look was; 0 where there is none.
        lift: how much the news in the risk and the customer's value raise it, in log-odds (`change.lift`, `change.worth`).
        heard: the team has reported outcomes of late, so one not reported means that nobody has taken the alert.
        held: a source that the risk rests on is silent as a whole, so the silence may be ours; nothing is opened or
            escalated.
    """

    customer_id: str
    as_of_ms: int
    risk: float
    segment: str
    order_days: int
    last_seen_ms: int
    basis: Basis = "model"
    value: float = 0.0
    gone: bool = False
    cancelled: bool = False
    shift: float = 0.0
    shift_since_ms: int = 0
    lift: float = 0.0
    held: bool = False
    heard: bool = False

    def reminder_ms(self, policy: Policy) -> int:
        """Return after how long the team is to be reminded; 0: never."""
        return policy.reminder_ms if self.heard else 0


class Tally(Protocol):
    """Counts rises of risk and what they opened, for the budget."""

    def add_rise(self, day: int, lane: str, low: float, high: float) -> None:
        """Count a rise of the lifted risk from `low` (exclusive) to `high` on a UTC day."""

    def add_opening(self, day: int) -> None:
        """Count an episode that opened on a UTC day."""


SHIFT_MAX: Final = 0.1
"""A model that has moved a customer by more is another one: what is left of the rise tells nothing."""

NONE: Final[tuple[Transition, ...]] = ()


def decide(
    episode: Episode, look: Assessment, threshold: float, policy: Policy, tally: Tally | None = None
) -> tuple[Transition, ...]:
    """Bring a customer's episode up to date with one look, and return the alerts due: usually none.

    Args:
        episode: the customer's; changed in place. A new `Episode()` for one never looked at.
        look: the customer now; `as_of_ms` never runs backwards.
        threshold: `policy.threshold_for` this segment and basis.
        policy: what to go by.
        tally: where to count the rise, for the budget.
    """
    returned = look.last_seen_ms > episode.seen_ms
    changed = look.basis != episode.basis
    if not episode.basis:
        episode.life_day = day_of(look.as_of_ms)
    if returned:
        episode.seen_ms = look.last_seen_ms
    news = lifted(look.risk, look.lift, policy.floor(look.segment))
    episode.basis, episode.segment, episode.risk = look.basis, look.segment, look.risk
    shift = look.shift - episode.shift if look.shift_since_ms == episode.shift_since_ms else look.shift
    episode.shift, episode.shift_since_ms = look.shift, look.shift_since_ms
    if look.gone or look.cancelled:
        return _lose(episode, look, threshold, policy)
    lost, episode.lost = episode.lost, False
    if returned:
        episode.mark = 0.0
        if episode.open and policy.resolve_on_return:
            return (episode.close(look.customer_id, "resolved", "return", look.as_of_ms, policy.cool_down_ms),)
    elif changed or abs(shift) > SHIFT_MAX:
        episode.mark = news
    else:
        episode.mark = min(max(episode.mark + shift, 0.0), news + policy.hysteresis)
    if lost:
        return (episode.step(look.customer_id, "resolved", "won_back", look.as_of_ms),)
    if episode.open:
        return _follow(episode, look, news, threshold, policy, tally)
    return NONE if returned else _watch(episode, look, news, threshold, policy, tally)


def _watch(
    episode: Episode, look: Assessment, news: float, threshold: float, policy: Policy, tally: Tally | None
) -> tuple[Transition, ...]:
    """No episode is open: does one open?"""
    known = episode.mark
    if news <= known or look.held or look.order_days < policy.min_order_days:
        return NONE
    if look.as_of_ms < max(episode.snoozed_until_ms, look.last_seen_ms + policy.min_silence_ms):
        return NONE
    band = band_of(news, threshold)
    breaks = policy.cool_down_break and RANK[band] > RANK[episode.band]
    if look.as_of_ms < episode.quiet_until_ms and not breaks:
        return NONE
    _mark(episode, look, news, tally)
    if RANK[band] <= RANK[band_of(known, threshold)]:
        return NONE
    own = own_threshold(threshold, look.lift, look.risk, policy.floor(look.segment))
    _begin(episode, look, band_of(look.risk, own), own, policy)
    episode.await_somebody(look.as_of_ms, look.reminder_ms(policy))
    if tally is not None:
        tally.add_opening(day_of(look.as_of_ms))
    return (episode.step(look.customer_id, "opened", "rise", look.as_of_ms),)


def _follow(
    episode: Episode, look: Assessment, news: float, threshold: float, policy: Policy, tally: Tally | None
) -> tuple[Transition, ...]:
    """An episode is open: does it close or escalate?"""
    if news > episode.mark and not look.held:
        # Before it is asked whether the risk has fallen: what is news may lift one that has, over another threshold.
        _mark(episode, look, news, tally)
    if look.risk < policy.exit(min(episode.threshold, threshold)):
        return (episode.close(look.customer_id, "resolved", "fall", look.as_of_ms, policy.cool_down_ms),)
    if look.held:
        return NONE
    episode.peak_risk = max(episode.peak_risk, look.risk)
    if look.as_of_ms < episode.snoozed_until_ms:
        return NONE
    band = band_of(look.risk, episode.threshold)
    if RANK[band] <= RANK[episode.band]:
        return _remind(episode, look, policy)
    episode.band = band
    episode.await_somebody(look.as_of_ms, look.reminder_ms(policy))
    return (episode.step(look.customer_id, "escalated", "rise", look.as_of_ms),)


def _remind(episode: Episode, look: Assessment, policy: Policy) -> tuple[Transition, ...]:
    """Has the alert waited long enough for somebody to take it, or for the end of its snooze?"""
    due_ms = episode.remind_ms
    if not due_ms or look.as_of_ms < due_ms:
        return NONE
    snooze_over = due_ms == episode.snoozed_until_ms
    episode.reminders += not snooze_over
    episode.await_somebody(look.as_of_ms, look.reminder_ms(policy))
    return (episode.step(look.customer_id, "escalated", "snooze_over" if snooze_over else "untaken", look.as_of_ms),)


def _lose(episode: Episode, look: Assessment, threshold: float, policy: Policy) -> tuple[Transition, ...]:
    """The customer is gone or has cancelled: announce it once; one who goes without an open episode goes silently."""
    if episode.lost or not (episode.open or look.cancelled):
        return NONE
    if not episode.open:
        _begin(episode, look, "critical", threshold, policy)
    episode.lost = True
    cause: Cause = "cancelled" if look.cancelled else "gone"
    return (episode.close(look.customer_id, "churned", cause, look.as_of_ms, policy.cool_down_ms),)


def _begin(episode: Episode, look: Assessment, band: Band, threshold: float, policy: Policy) -> None:
    episode.number += 1
    episode.open, episode.seq = True, 0
    episode.opened_ms, episode.closed_ms = look.as_of_ms, 0
    episode.band, episode.threshold, episode.peak_risk, episode.value = band, threshold, look.risk, look.value
    episode.holdout = held_out(look.customer_id, policy.salt, policy.holdout_share)
    episode.outcome, episode.outcome_ms, episode.action, episode.reason = "", 0, "", ""
    episode.remind_ms, episode.reminders = 0, 0


def _mark(episode: Episode, look: Assessment, news: float, tally: Tally | None) -> None:
    if tally is not None:
        tally.add_rise(day_of(look.as_of_ms), LANES[look.segment, look.basis], episode.mark, news)
    episode.mark = news
