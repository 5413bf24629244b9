"""A pipeline with its customers, and a clock that goes where it is told."""

from __future__ import annotations

from agents.effects import Effects
from agents.guides import GuideBook
from agents.pipeline import Pipeline
from agents.record import Customer
from alerts import alert as alerts
from alerts.alert import Alert
from streams.codec import Arrival, Rejected
from streams.feed import FAR_MS
from streams.time import DAY_MS, HOUR_MS
from tests.unit.agents.samples import START_MS, TOPICS, order, pipeline, silence_guide

NOON_MS = START_MS + 12 * HOUR_MS


class Shop:
    """Give records to `take`, let time pass with `wait`; both return what the step wants done."""

    def __init__(self, pipe: Pipeline | None = None, guides: GuideBook | None = None) -> None:
        self.pipe = pipe or pipeline()
        self.guides = guides or GuideBook(silence_guide())
        self.customers: dict[str, Customer] = {}
        self.clock_ms = START_MS
        self.hold_ms = FAR_MS

    def take(self, *items: Arrival | Rejected, until_ms: int | None = None) -> Effects:
        until_ms = self.clock_ms if until_ms is None else until_ms
        effects = self.pipe.step(
            self.customers, items, list(self.customers), self.clock_ms, until_ms, self.guides, START_MS, self.hold_ms
        )
        self.clock_ms = max(self.clock_ms, until_ms)
        return effects

    def wait(self, days: float) -> Effects:
        return self.take(until_ms=self.clock_ms + int(days * DAY_MS))

    def regular(self, customer: str, orders: int = 6, gap_days: int = 5) -> int:
        """Let somebody order every few days; returns when they did last."""
        for number in range(orders):
            at_ms = NOON_MS + number * gap_days * DAY_MS
            self.take(order(customer, at_ms, event_id=f"{customer} {number}"), until_ms=at_ms)
        return self.clock_ms


def said(effects: Effects) -> list[Alert]:
    return [alerts.decode(sent.value or b"") for sent in effects.outgoing if sent.topic == TOPICS.alerts]
