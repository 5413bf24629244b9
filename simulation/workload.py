"""The lives of a handful of customers, as records of the input topics; and for each record, what must become of it.

Customers buy, come by, complain, review, cancel, come back and leave; the business tells of them and reports what it did. On the way to
Kafka events are doubled, delayed within and beyond the allowed lateness, spoiled, and held back where a producer stands still for a
while. `Fate` is known from how a record was made, not from what the program says of it.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from alerts.episode import alert_id
from simulation.poison import Headers, enveloped, poisoned
from simulation.shop import START_MS
from streams.codec import RawRecord
from streams.time import DAY_MS, HOUR_MS, day_of, iso
from streams.topics import Topics, partition_for

NAMES: Final = ("ann", "bob", "cyn", "dän", "eve", "fay", "gus", "日本")
FAR_LATE_MS: Final = 400 * DAY_MS
TOPICS: Final = Topics()


@dataclass(frozen=True, slots=True)
class Sent:
    """A record on its way: when it occurred, when Kafka gets it, and what must become of it: applied, or a reason to refuse it."""

    stream: str
    at_ms: int
    arrives_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    fate: str
    event_id: str


@dataclass
class Workload:
    """A log and what is true of it.

    Attributes:
        sent: in the order of arrival.
        end_ms: the last arrival.
        orders: customer to (number, sum) of placed orders.
        events: customer to distinct valid events.
        last_order_ms, first_ms: by customer.
        untouched: customers who never cancelled and about whom nobody reported.
    """

    sent: list[Sent]
    days: int
    orders: dict[str, tuple[int, float]] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    order_days: dict[str, set[int]] = field(default_factory=dict)
    last_order_ms: dict[str, int] = field(default_factory=dict)
    untouched: set[str] = field(default_factory=set)

    @property
    def end_ms(self) -> int:
        """The last instant of the log."""
        return max((max(sent.at_ms, sent.arrives_ms) for sent in self.sent), default=START_MS)

    def records(self, partitions: int) -> list[RawRecord]:
        """The log as Kafka holds it, in the order of arrival."""
        ends: Counter[tuple[str, int]] = Counter()
        records = []
        for sent in self.sent:
            topic = TOPICS.inputs[sent.stream]
            place = topic, partition_for(sent.key or b"", partitions)
            records.append(RawRecord(*place, ends[place], sent.arrives_ms, sent.key, sent.value, sent.headers))
            ends[place] += 1
        return records


class Author:
    """Writes a workload; everything is drawn from `rng`."""

    def __init__(self, rng: Random, *, live: bool) -> None:
        self._rng = rng
        self._live = live
        self._number = 0
        self._spoil = rng.choice((0.0, 0.03, 0.1))
        self._double = rng.choice((0.0, 0.05, 0.2))
        self._late = rng.choice((0.0, 0.1, 0.4))
        self._far_late = rng.choice((0.0, 0.0, 0.03)) if not live else 0.0
        self._days = rng.choice((50, 80, 110))
        self._outage = self._draw_outage() if rng.random() < 0.3 else None
        self._sent: list[Sent] = []

    def _draw_outage(self) -> tuple[str, int, int]:
        """A producer that stands still and then sends its backlog: stream, from when, until when."""
        from_ms = START_MS + self._rng.randrange(10, self._days) * DAY_MS
        return self._rng.choice(("orders", "logins")), from_ms, from_ms + self._rng.randint(1, 4) * DAY_MS

    def write(self) -> Workload:
        """Return the log."""
        rng, workload = self._rng, Workload([], self._days)
        for name in rng.sample(NAMES, rng.randint(3, 6)):
            self._live_of(name, workload)
        if not self._sent:
            self._send("logins", {"customer_id": "ann", "occurred_at": START_MS + DAY_MS})
        # Within a topic the order of arrival; the topics of one instant in a fixed order.
        workload.sent = sorted(self._sent, key=lambda sent: (sent.arrives_ms, sent.stream, sent.event_id))
        return workload

    # -- one customer --------------------------------------------------------------------------------------------------

    def _live_of(self, name: str, workload: Workload) -> None:
        rng = self._rng
        gap_days = rng.choice((2, 5, 9, 14))
        at_ms = START_MS + int(rng.random() * 20 * DAY_MS)
        end_ms = START_MS + int(self._days * DAY_MS * (1 if rng.random() < 0.5 else rng.random()))
        first_ms, touched, amounts = at_ms, False, []
        days: set[int] = set()
        while at_ms < end_ms:
            amount = rng.randint(1, 9_000) / 100
            if self._send("orders", self._order(name, at_ms, amount)):
                amounts.append(amount)
                days.add(day_of(at_ms))
                workload.last_order_ms[name] = max(at_ms, workload.last_order_ms.get(name, 0))
            touched |= self._around(name, at_ms, first_ms)
            at_ms += int(rng.expovariate(1 / gap_days) * DAY_MS) + 1
        workload.orders[name] = len(amounts), sum(amounts)
        workload.order_days[name] = days
        known = {sent.event_id for sent in self._sent if sent.fate == "applied" and sent.key == name.encode()}
        workload.events[name] = len(known)
        if not touched:
            workload.untouched.add(name)

    def _order(self, name: str, at_ms: int, amount: float) -> dict[str, Any]:
        return {
            "customer_id": name, "occurred_at": at_ms, "order_id": f"o{self._number}", "amount": amount, "currency": "EUR",
        }  # fmt: skip

    def _around(self, name: str, at_ms: int, first_ms: int) -> bool:
        """What else happens about the time of an order; returns whether alerts may depend on it in ways that nobody can foretell."""
        rng = self._rng
        who: dict[str, Any] = {"customer_id": name, "occurred_at": at_ms + int(rng.random() * 2 * DAY_MS)}
        lot = rng.random()
        if lot < 0.35:
            self._send("logins", who | {"channel": rng.choice(("web", "app")), "session_seconds": rng.randint(0, 900)})
        elif lot < 0.5:
            ticket = f"t{self._number}"
            self._send("tickets", who | {"ticket_id": ticket, "status": "opened", "category": "billing"})
            later = who | {"occurred_at": who["occurred_at"] + int(rng.random() * 4 * DAY_MS)}
            self._send(
                "tickets", later | {"ticket_id": ticket, "status": "resolved", "satisfaction": rng.randint(1, 5)}
            )
        elif lot < 0.6:
            self._send("reviews", who | {"rating": rng.randint(1, 5), "topics": ["price"], "text": "ok"})
        elif lot < 0.66:
            self._send("profiles", who | {"plan": rng.choice("ab"), "do_not_contact": rng.random() < 0.3})
        elif lot < 0.68:
            self._tombstone(name, who["occurred_at"])
        elif lot < 0.72:
            self._send("cancellations", who | {"reason": "price"})
            return True
        elif lot < 0.78:
            told = alert_id(name, day_of(first_ms), rng.randint(1, 2), rng.randint(1, 2))
            status = rng.choice(("contacted", "accepted", "declined", "false_alarm", "snoozed"))
            snooze = {"snooze_until": iso(at_ms + 9 * DAY_MS)} if status == "snoozed" else {}
            self._send("outcomes", who | {"alert_id": told, "status": status} | snooze)
            return True
        return False

    # -- the way to Kafka ----------------------------------------------------------------------------------------------

    def _send(self, stream: str, fields: dict[str, Any]) -> bool:
        """Send an event, once or more often, as it is or spoiled; returns whether it must be applied."""
        rng = self._rng
        self._number += 1
        event = {"event_id": f"e{self._number}", **fields}
        at_ms, key = int(event["occurred_at"]), str(event["customer_id"]).encode()
        if rng.random() < self._spoil:
            spoiled = poisoned(rng, event, stream)
            self._put(stream, at_ms, *spoiled, event_id=event["event_id"])
            return False
        if (
            rng.random() < self._far_late
            and stream not in ("profiles", "outcomes")
            and any(
                (sent.stream, sent.key, sent.fate) == (stream, key, "applied") and sent.arrives_ms < at_ms
                for sent in self._sent
            )
        ):
            event["occurred_at"] = at_ms - FAR_LATE_MS
            self._put(stream, at_ms, key, json.dumps(event).encode(), (), "late", event_id=event["event_id"])
            return False
        value, headers = json.dumps(event).encode(), ()
        lot = rng.random()
        if lot < 0.1:
            value, headers = enveloped(event, structured=lot < 0.05)  # type: ignore[assignment]
        self._put(stream, at_ms, key, value, headers, "applied", event_id=event["event_id"])
        while rng.random() < self._double:
            self._put(stream, at_ms, key, value, headers, "applied", event_id=event["event_id"], again=True)
        return True

    def _tombstone(self, name: str, at_ms: int) -> None:
        self._number += 1
        self._put("profiles", at_ms, name.encode(), None, (), "erased", event_id=f"e{self._number}")

    def _put(
        self,
        stream: str,
        at_ms: int,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        fate: str,
        *,
        event_id: str,
        again: bool = False,
    ) -> None:
        rng = self._rng
        delay_ms = 0
        if rng.random() < self._late:
            delay_ms = int(rng.random() * (HOUR_MS * 20 if rng.random() < 0.8 else 12 * DAY_MS))
        if again:
            delay_ms += int(rng.random() ** 3 * 30 * DAY_MS)
        arrives_ms = at_ms + delay_ms
        if self._outage is not None and stream == self._outage[0] and self._outage[1] <= arrives_ms < self._outage[2]:
            arrives_ms = self._outage[2]
        self._sent.append(Sent(stream, at_ms, arrives_ms, key, value, headers, fate, event_id))
