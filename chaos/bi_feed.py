"""Messages for the star schema's sink, from a seed: whatever the topics may bring, also twice, also broken, without end."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any, Final

from alerts.alert import Action, Alert, ModelStamp, Reason, Trigger, ValueAtRisk
from alerts.alert import encode as encode_alert
from alerts.bands import BANDS
from alerts.score import build
from alerts.score import encode as encode_score
from streams.outgoing import Outgoing
from streams.time import DAY_MS, HOUR_MS, iso
from streams.topics import Topics

CUSTOMERS: Final = 400
BEGIN_MS: Final = 1_325_376_000_000
STEP_MS: Final = 3 * HOUR_MS // 2
"""Most between two messages: so 200,000 of them end before the clock, beyond which nothing is loaded."""
REASONS: Final = ("engagement", "price", "service", "product", "competition")
SEGMENTS: Final = ("new", "loyal", "high_value", "standard")
BROKEN: Final = (
    b"",
    b"{",
    b"[]",
    b'{"event_id": 5}',
    b'{"schema_version": 9}',
    b"\xff\xfe",
    b'{"customer_id": "\\u0000"}',
)
TWICE_SHARE: Final = 0.1
BROKEN_SHARE: Final = 0.01
FORGOTTEN_SHARE: Final = 0.0005
LATELY: Final = 200


class Shop:
    """A shop's customers, who order, complain, are warned about, leave and are forgotten, as chance has it."""

    def __init__(self, topics: Topics, seed: int) -> None:
        self._topics = topics
        self._chance = random.Random(seed)
        self._at_ms = BEGIN_MS
        self._number = 0
        self._open: dict[str, tuple[str, int]] = {}
        """By customer: the open episode, and how many alerts it has."""
        self._known: dict[str, str] = {}
        """By customer: their latest alert."""
        self._forgotten: set[str] = set()
        self._lately: list[Outgoing] = []

    def messages(self) -> Iterator[Outgoing]:
        """Yield messages for ever."""
        while True:
            for message in self._next():
                yield message
                self._lately = [*self._lately[-LATELY:], message]

    def _next(self) -> list[Outgoing]:
        self._at_ms += self._chance.randrange(STEP_MS)
        self._number += 1
        drawn = self._chance.random()
        if drawn < TWICE_SHARE and self._lately:
            again = self._chance.choice(self._lately)
            # Of one who is forgotten nothing may come any more: it would be said of a new customer.
            return [] if again.key is None or again.key.decode() in self._forgotten or again.value is None else [again]
        if drawn < TWICE_SHARE + BROKEN_SHARE:
            topic = self._chance.choice([*self._topics.inputs.values(), self._topics.alerts, self._topics.scores])
            return [Outgoing(topic, b"broken", self._chance.choice(BROKEN))]
        customer = f"{self._chance.choice('aé字')}{self._chance.randrange(CUSTOMERS):04}"
        if customer in self._forgotten:
            return []
        if self._chance.random() < FORGOTTEN_SHARE:
            self._forgotten.add(customer)
            return [
                Outgoing(topic, customer.encode(), None)
                for topic in (self._topics.inputs["profiles"], self._topics.scores)
            ]
        what = self._chance.choice(
            (self._order, self._order, self._order, self._event, self._score, self._alert, self._alert, self._outcome)
        )
        return what(customer)

    def _input(self, stream: str, customer: str, **fields: Any) -> list[Outgoing]:
        event = {"event_id": f"e{self._number}", "customer_id": customer, "occurred_at": iso(self._at_ms)} | fields
        return [Outgoing(self._topics.inputs[stream], customer.encode(), json.dumps(event).encode())]

    def _order(self, customer: str) -> list[Outgoing]:
        amount = round(self._chance.lognormvariate(3, 1), 2)
        status = self._chance.choices(("placed", "returned", "cancelled"), (20, 1, 1))[0]
        return self._input(
            "orders", customer, order_id=f"o{self._number}", amount=amount, currency="EUR", status=status
        )

    def _event(self, customer: str) -> list[Outgoing]:
        stream = self._chance.choice(("tickets", "reviews", "profiles", "cancellations"))
        one = self._chance.choice
        fields: dict[str, dict[str, Any]] = {
            "tickets": {
                "ticket_id": f"t{self._number}",
                "status": one(("opened", "resolved", "reopened")),
                "category": one(("delivery", "billing", None)),
            },
            "reviews": {"rating": self._chance.randint(1, 5), "topics": one((["price"], ["service", "product"], None))},
            "profiles": {
                "plan": one(("basic", "pro", None)),
                "owner": one(("anna", "李雷")),
                "segment": one((None, None, "vip")),
            },
            "cancellations": {"reason": one(("price", "service", None))},
        }
        return self._input(stream, customer, **fields[stream])

    def _outcome(self, customer: str) -> list[Outgoing]:
        status = self._chance.choice(("acknowledged", "contacted", "accepted", "declined", "false_alarm", "snoozed"))
        alert_id = self._known.get(customer, "unheard-of")
        return self._input("outcomes", customer, alert_id=alert_id, status=status, cost=self._chance.randrange(50))

    def _score(self, customer: str) -> list[Outgoing]:
        score = build(
            customer_id=customer,
            at_ms=self._at_ms,
            risk=self._chance.random(),
            band=self._chance.choice(BANDS),
            previous_band=None,
            segment=self._chance.choice(SEGMENTS),
            model=ModelStamp("7", 900),
        )
        return [Outgoing(self._topics.scores, customer.encode(), encode_score(score))]

    def _alert(self, customer: str) -> list[Outgoing]:
        episode, alerts = self._open.get(customer, (f"{customer}-{self._number}", 0))
        kind: Any = self._chance.choice(("escalated", "resolved", "churned")) if alerts else "opened"
        self._open[customer] = (episode, alerts + 1)
        if kind == "resolved" or (kind == "churned" and self._chance.random() < 0.5):
            del self._open[customer]
        alert_id = self._known[customer] = f"{episode}-{alerts}"
        weights = sorted((self._chance.random() for _ in range(2)), reverse=True)
        alert = Alert(
            schema_version=1,
            alert_id=alert_id,
            episode_id=episode,
            customer_id=customer,
            kind=kind,
            raised_at=iso(self._at_ms),
            risk=round(self._chance.random(), 4),
            threshold=0.5,
            band=self._chance.choice(("watch", "high", "critical")),
            segment=self._chance.choice(SEGMENTS),
            value_at_risk=ValueAtRisk(round(self._chance.lognormvariate(5, 1), 2), "EUR"),
            reasons=[
                Reason(self._chance.choice(REASONS), round(w, 4), f"{self._at_ms // DAY_MS} days", {}) for w in weights
            ],
            actions=[Action("care_call", "Call", "why")] if self._chance.random() < 0.8 else [],
            holdout=customer.endswith("7"),
            model=ModelStamp("7", 900),
            trigger=Trigger("silence"),
        )
        headers = [("churnwatch.owner", b"anna")]
        return [Outgoing(self._topics.alerts, customer.encode(), encode_alert(alert), headers)]
