"""What the star schema should tell of the shop, worked out of its messages in plain Python."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from alerts.alert import Alert
from tests.integration.bi_shop import Shop


@dataclass(frozen=True, slots=True)
class Episode:
    """An episode, worked out of the messages in plain Python."""

    first: Alert
    steps: tuple[Alert, ...]
    reports: tuple[dict[str, Any], ...]

    @property
    def is_open(self) -> bool:
        return self.steps[-1].kind in ("opened", "escalated")

    @property
    def churned(self) -> bool:
        return any(step.kind == "churned" for step in self.steps)

    @property
    def saved(self) -> bool:
        return self.steps[-1].kind == "resolved" and not self.churned and "false_alarm" not in self.said

    @property
    def said(self) -> set[str]:
        return {report["status"] for report in self.reports}

    @property
    def contacted(self) -> bool:
        return bool(self.said & {"contacted", "accepted", "declined"})

    @property
    def value(self) -> Decimal:
        return Decimal(str(self.first.value_at_risk.amount))

    @property
    def reason(self) -> str:
        return self.first.reasons[0].code if self.first.reasons else "none"


def episodes(made: Shop) -> list[Episode]:
    steps: defaultdict[str, list[Alert]] = defaultdict(list)
    for alert in made.alerts:
        steps[alert.episode_id].append(alert)
    whose = {alert.alert_id: alert.episode_id for alert in made.alerts}
    reports: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for report in made.outcomes:
        reports[whose[report["alert_id"]]].append(report)
    return [
        Episode(found[0], tuple(found), tuple(reports[name]))
        for name, found in steps.items()
        if found[0].kind == "opened"
    ]


def bought(made: Shop) -> dict[str, set[str]]:
    """Customer to the months in which they placed an order."""
    months: defaultdict[str, set[str]] = defaultdict(set)
    for order in made.of("orders"):
        if order.get("status", "placed") == "placed":
            months[order["customer_id"]].add(day_of(order["occurred_at"]).isoformat()[:7])
    return months


def day_of(at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date()


def money(amounts: Iterable[Decimal]) -> Any:
    """The sum, as nearly as floating-point numbers tell it."""
    return pytest.approx(float(sum(amounts)))


def plain(cell: object) -> object:
    return cell.astimezone(UTC) if isinstance(cell, datetime) else cell
