"""Alerts and reports of a shop that does not exist."""

from typing import Any, Final

from alerts.alert import Action, Alert, ModelStamp, Reason, Trigger, ValueAtRisk
from streams.events import Outcome
from streams.time import DAY_MS, iso, parse_instant

NOW_MS: Final = parse_instant("2026-03-02T09:00:00Z")
STAMP: Final = ModelStamp("7", 3000)


def alert(
    customer: str,
    *,
    seq: int = 1,
    kind: str = "opened",
    band: str = "high",
    segment: str = "loyal",
    amount: float = 100.0,
    reason: str = "price",
    holdout: bool = False,
    risk: float = 0.7,
) -> Alert:
    """One of a customer's only episode; each later by a minute than the one before."""
    fields: dict[str, Any] = {"kind": kind, "band": band, "segment": segment}
    return Alert(
        schema_version=1,
        alert_id=f"{customer}-{seq}",
        episode_id=customer,
        customer_id=customer,
        raised_at=iso(NOW_MS - DAY_MS + 60_000 * seq),
        risk=risk,
        threshold=0.6,
        value_at_risk=ValueAtRisk(amount, "EUR"),
        reasons=[Reason(reason, 0.6, "Discounts of 40 % in 90 days", {"discount_share_90d": 0.4})],  # type: ignore[arg-type]
        actions=[] if holdout else [Action("offer", "Make an offer", "price is the reason")],
        holdout=holdout,
        model=STAMP,
        trigger=Trigger("silence"),
        **fields,
    )


def outcome(told: Alert, status: str, at_ms: int) -> Outcome:
    """A report on an alert; the same arguments give the same event."""
    fields: dict[str, Any] = {"status": status}
    return Outcome(
        event_id=f"{told.alert_id}-{status}-{at_ms}",
        customer_id=told.customer_id,
        occurred_at=at_ms,
        alert_id=told.alert_id,
        **fields,
    )
