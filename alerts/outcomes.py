"""What the retention team reports, and what it does to the episode that it is about.

| status | effect |
| --- | --- |
| acknowledged, contacted, accepted, declined | remembered with the episode; nobody is reminded of it any more |
| snoozed | remembered; no escalation, no reminder and no new episode before the snooze ends; then a customer still at risk is told of again |
| false_alarm | remembered; an open episode resolves and its cool-down begins |

Outcomes may come late, twice or out of order: the latest by its own time counts, of two at the same instant the one
further down the list above. One about an alert of an earlier episode changes nothing.
"""

from __future__ import annotations

from typing import Final

from alerts.episode import Episode, Transition
from alerts.policy import Policy
from streams.events import Outcome
from streams.time import DAY_MS

SNOOZE_MAX_MS: Final = 180 * DAY_MS
"""No snooze lasts longer, so that a slip of the pen does not silence a customer for good."""

STATUSES: Final = ("", "acknowledged", "contacted", "accepted", "declined", "snoozed", "false_alarm")


def apply_outcome(episode: Episode, outcome: Outcome, policy: Policy) -> tuple[Transition, ...]:
    """Let a reported outcome take effect on the customer's episode, in place; return the alerts due.

    Args:
        episode: the customer's.
        outcome: about an alert of this customer; a snooze without an end lasts `policy.snooze_ms`.
        policy: what to go by.
    """
    if not episode.has_raised(outcome.alert_id, outcome.customer_id):
        return ()
    at_ms, status = outcome.occurred_at, outcome.status
    if (at_ms, STATUSES.index(status)) <= (episode.outcome_ms, STATUSES.index(episode.outcome)):
        return ()
    episode.outcome, episode.outcome_ms, episode.action = status, at_ms, outcome.action or ""
    episode.remind_ms = 0
    if status == "snoozed":
        until_ms = at_ms + policy.snooze_ms if outcome.snooze_until is None else outcome.snooze_until
        episode.snoozed_until_ms = min(until_ms, at_ms + SNOOZE_MAX_MS)
        if episode.open:
            episode.remind_ms = episode.snoozed_until_ms
    if status == "false_alarm" and episode.open:
        closed_ms = max(at_ms, episode.opened_ms)
        return (episode.close(outcome.customer_id, "resolved", "false_alarm", closed_ms, policy.cool_down_ms),)
    return ()
