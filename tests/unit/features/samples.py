"""Events of one customer, numbered as they are made; a day is counted from `DAY_0`."""

from __future__ import annotations

from itertools import count
from typing import Any

from features.state import Activity, apply
from streams.events import InputEvent
from streams.forms import event_of
from streams.time import DAY_MS

DAY_0 = 20_000
NOON_MS = DAY_MS // 2

_numbers = count()


def at(day: float) -> int:
    """Epoch milliseconds of `day` after `DAY_0`."""
    return round((DAY_0 + day) * DAY_MS)


def event(stream: str, day: float, **fields: Any) -> InputEvent:
    defaults: dict[str, dict[str, Any]] = {"orders": {"order_id": "o", "amount": 10.0}, "tickets": {"ticket_id": "t"}}
    identity: dict[str, Any] = {"event_id": f"event-{next(_numbers)}", "customer_id": "c", "occurred_at": at(day)}
    return event_of(stream, identity | defaults.get(stream, {}) | fields)


def feed(activity: Activity, stream: str, *days: float, **fields: Any) -> Activity:
    """Apply an event of `stream` on each of `days`."""
    for day in days:
        assert apply(activity, stream, event(stream, day, **fields))
    return activity
