"""What became of a customer's warnings: each episode with what was suggested, what the team reported, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from alerts.alert import Alert
from streams.time import parse_instant


@dataclass(slots=True)
class Case:
    """An episode, told from beginning to end.

    Attributes:
        episode_id: its id.
        opened: the alert that opened it, or the earliest that is still known.
        latest: its latest alert; the same where there is one only.
        reports: what the team has reported about it, the events' own fields, the earliest first.
    """

    episode_id: str
    opened: Alert
    latest: Alert
    reports: list[dict[str, Any]] = field(default_factory=list)

    @property
    def opened_ms(self) -> int:
        """When it was opened."""
        return parse_instant(self.opened.raised_at)

    @property
    def ended(self) -> str:
        """How it ended, `resolved` or `churned`; empty while it is open."""
        return self.latest.kind if self.latest.kind in ("resolved", "churned") else ""

    @property
    def ended_ms(self) -> int:
        """When its latest alert came."""
        return parse_instant(self.latest.raised_at)


def cases(alerts: Sequence[Alert], outcomes: Sequence[dict[str, Any]]) -> list[Case]:
    """Return a customer's episodes, the latest first.

    Args:
        alerts: the customer's, the latest first.
        outcomes: what was reported of the customer, the latest first; what is about no known alert is left out.
    """
    found: dict[str, Case] = {}
    episode_of = {alert.alert_id: alert.episode_id for alert in alerts}
    for alert in alerts:
        case = found.setdefault(alert.episode_id, Case(alert.episode_id, alert, alert))
        case.opened = alert
    for outcome in reversed(outcomes):
        episode_id = episode_of.get(outcome["alert_id"])
        if episode_id is not None:
            found[episode_id].reports.append(outcome)
    return list(found.values())
