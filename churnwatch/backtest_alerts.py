"""The alerts of a replay as episodes, each judged by what the customer did next.

last order           opened                                  last order + horizon
    |------------------|------------------------------------------|
      after last order              lead: how much sooner than by waiting for the horizon to pass
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from alerts.alert import Alert
from churnwatch.backtest_history import History
from churnwatch.evaluation import REGULAR_ORDER_DAYS, Span
from streams.time import DAY_MS, parse_instant


@dataclass(frozen=True, slots=True)
class Warned:
    """One episode.

    Attributes:
        customer: id.
        segment, band, risk: as it was opened.
        opened_ms: when it was opened.
        escalated_ms: when it escalated.
        closed_ms, ended: when and how it ended; 0 and "" where it was open when the log ended.
        by_rule: the silence rule spoke, not a model.
        why: the first reason in words, "" where there is none.
        right: nothing came within the horizon (or a cancellation did); None where the log ended before that.
        last_sign_ms: the last order (or other sign of staying) before; None where there is none.
    """

    customer: str
    segment: str
    band: str
    risk: float
    opened_ms: int
    escalated_ms: tuple[int, ...]
    closed_ms: int
    ended: str
    by_rule: bool
    why: str
    right: bool | None
    last_sign_ms: int | None

    def lead_days(self, horizon_ms: int) -> float | None:
        """Days by which it came sooner than waiting out the horizon would have told; 0 where it came no sooner."""
        if self.last_sign_ms is None:
            return None
        return max(self.last_sign_ms + horizon_ms - self.opened_ms, 0) / DAY_MS

    def after_days(self) -> float | None:
        """Days from the last sign of staying to the warning."""
        return None if self.last_sign_ms is None else (self.opened_ms - self.last_sign_ms) / DAY_MS


def episodes(alerts: Sequence[Alert], history: History, span: Span) -> list[Warned]:
    """Return the episodes in the order in which they were opened."""
    told: dict[str, list[Alert]] = {}
    for alert in alerts:
        told.setdefault(alert.episode_id, []).append(alert)
    return sorted(
        (_judge(steps, history, span) for steps in told.values()), key=lambda one: (one.opened_ms, one.customer)
    )


def _judge(steps: Sequence[Alert], history: History, span: Span) -> Warned:
    first = steps[0]
    # What follows the end tells that the lost came back: lost they were all the same.
    end = next((step for step in steps if step.kind in ("resolved", "churned")), None)
    customer, opened_ms = first.customer_id, parse_instant(first.raised_at)
    until_ms = opened_ms + span.horizon_ms
    left = history.cancelled_in(customer, opened_ms, until_ms) or not history.stayed(customer, opened_ms, until_ms)
    return Warned(
        customer=customer,
        segment=first.segment,
        band=first.band,
        risk=first.risk,
        opened_ms=opened_ms,
        escalated_ms=tuple(parse_instant(step.raised_at) for step in steps if step.kind == "escalated"),
        closed_ms=0 if end is None else parse_instant(end.raised_at),
        ended="" if end is None else end.kind,
        by_rule=first.model.version.startswith("rule"),
        why=first.reasons[0].evidence if first.reasons else "",
        right=left if until_ms <= span.last_ms else None,
        last_sign_ms=history.last_sign_ms(customer, opened_ms),
    )


def summarise(alerts: Sequence[Alert], warned: Sequence[Warned], history: History, span: Span) -> dict[str, Any]:
    """Return the figures on alerts: of the whole log how many of what, of the evaluated span how good they were."""
    judged = [one for one in warned if one.opened_ms >= span.from_ms]
    segments = sorted({one.segment for one in judged})
    return {
        "total": len(alerts),
        "kind": dict(Counter(alert.kind for alert in alerts)),
        "band": dict(Counter(alert.band for alert in alerts)),
        "segment": dict(Counter(alert.segment for alert in alerts)),
        "reason": dict(Counter(alert.reasons[0].code for alert in alerts if alert.reasons)),
        **_good(judged, span),
        **_leavers(judged, history, span),
        "segments": {name: _good([one for one in judged if one.segment == name], span) for name in segments},
    }


def _good(warned: Sequence[Warned], span: Span) -> dict[str, Any]:
    known = [one for one in warned if one.right is not None]
    right = [one for one in known if one.right]
    lead = [days for one in right if (days := one.lead_days(span.horizon_ms)) is not None]
    after = [days for one in right if (days := one.after_days()) is not None]
    return {
        "opened": len(warned),
        "by_rule": sum(one.by_rule for one in warned),
        "per_day": len(warned) * DAY_MS / max(span.last_ms - span.from_ms, DAY_MS),
        "judged": len(known),
        "precision": len(right) / len(known) if known else None,
        "lead_days_median": median(lead) if lead else None,
        "after_last_order_days_median": median(after) if after else None,
    }


def _leavers(warned: Sequence[Warned], history: History, span: Span) -> dict[str, Any]:
    """How many left in the span (last sign in it, the horizon after it in the log), and the share that was warned about."""
    left = {
        customer: signs[-1]
        for customer, signs in history.signs.items()
        if span.from_ms <= signs[-1] <= span.last_ms - span.horizon_ms
    }
    caught = {one.customer for one in warned if left.get(one.customer, 1 << 62) <= one.opened_ms}
    regular = {
        customer
        for customer in left
        if len({at_ms // DAY_MS for at_ms, _ in history.orders.get(customer, [])}) >= REGULAR_ORDER_DAYS
    }
    return {
        "leavers": len(left),
        "leavers_warned_share": len(caught) / len(left) if left else None,
        "regular_leavers": len(regular),
        "regular_leavers_warned_share": len(caught & regular) / len(regular) if regular else None,
    }
