"""A shop without an end: customers come, live for a while, fall silent, and others take their place. Pure; the same for the same seed.

    arrivals    one every `1 / per day`, evenly, beginning so long before day 0 that the shop is full then
    a life      a fifth order once; the others stay 20 days and more, 113 on average, `LIFE_DAYS_MAX` at most
    a rhythm    an order every 2, 4 or 8 days, with logins before it, now and then a ticket (mostly resolved) or a review

Lengths and rhythms are drawn from sequences of multiples of an irrational, not by chance: any stretch of arrivals has nearly the same mixture, so
the number of customers stands still, and what still grows in a worker is the worker's. (Chance alone would let a thousand customers
waver by thirty, which is what a leak of three per cent looks like.)

Some events come twice, some out of order, some cannot be read or are far too late; each tells what ought to become of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from math import log
from random import Random
from typing import Any, Final

from streams.time import DAY_MS, iso, parse_instant

START_MS: Final = parse_instant("2001-01-01T00:00:00Z")
LIFE_DAYS_MIN: Final = 20.0
LIFE_DAYS_MAX: Final = 400.0
LIFE_DAYS_SCALE: Final = 95.0
ONE_TIMERS: Final = 0.2
GAPS_DAYS: Final = (2.0, 4.0, 8.0)
GOLDEN: Final = 0.6180339887498949
SILVER: Final = 0.41421356237309515

HOUR_MS: Final = DAY_MS // 24
DISORDER_MS: Final = HOUR_MS // 2
"""How long after it happened an event is sent at most; within CHURNWATCH_LATENESS."""

LATE_MS: Final = 500 * DAY_MS
"""How old an event is that comes far too late: no day so old is kept."""

TWICE_ONE_IN: Final = 100
BAD_ONE_IN: Final = 2_000
LATE_ONE_IN: Final = 2_000

MEAN_LIFE_DAYS: Final = 90.6
EVENTS_PER_CUSTOMER_DAY: Final = 0.825
"""Both as counted over ten thousand customers (a test counts them again)."""

STREAMS: Final = ("logins", "orders", "tickets", "reviews")


@dataclass(frozen=True, slots=True)
class Sent:
    """One record to be sent: stream, key, value, when by event time (epoch ms), and what ought to become of it."""

    stream: str
    key: bytes
    value: bytes
    at_ms: int
    outcome: str


@dataclass(slots=True)
class _Customer:
    """Somebody who orders until `ends_day`."""

    name: str
    random: Random
    gap_days: float
    ends_day: float
    orders: int = 0


def life_days(number: int) -> float:
    """How long customer `number` stays, in days.

    >>> [round(life_days(number)) for number in range(1, 6)]
    [90, 24, 182, 59, 0]
    """
    share = number * GOLDEN % 1.0
    if share < ONE_TIMERS:
        return 0.0
    left = (share - ONE_TIMERS) / (1 - ONE_TIMERS)
    return min(LIFE_DAYS_MIN - LIFE_DAYS_SCALE * log(1 - left), LIFE_DAYS_MAX)


def active_customers(rate: float, days_per_second: float) -> int:
    """How many customers must be there at once to send `rate` events a second while `days_per_second` days pass."""
    return max(10, round(rate / days_per_second / EVENTS_PER_CUSTOMER_DAY))


def events(seed: int, active: int) -> Iterator[Sent]:
    """Give the shop's events for ever, in the order in which they are sent. `active`: customers alive at any time, about."""
    shop = _Shop(seed, active / MEAN_LIFE_DAYS)
    while True:
        sent = shop.next()
        if sent is not None:
            yield sent


class _Shop:
    """What is still to come, earliest first: events, the next order of a customer, the next customer."""

    def __init__(self, seed: int, arrivals_per_day: float) -> None:
        self._seed = seed
        self._arrivals_per_day = arrivals_per_day
        self._number = 0
        self._sent = 0
        self._serial = 0
        self._coming: list[tuple[float, int, _Customer | Sent | None]] = []
        self._push(-LIFE_DAYS_MAX, None)

    def _push(self, day: float, what: _Customer | Sent | None) -> None:
        self._serial += 1
        heappush(self._coming, (day, self._serial, what))

    def next(self) -> Sent | None:
        """Let the next thing happen; gives the record where it is one that is sent."""
        day, _, what = heappop(self._coming)
        if what is None:
            self._arrive(day)
        elif isinstance(what, _Customer):
            self._order(day, what)
        else:
            return what
        return None

    def _arrive(self, day: float) -> None:
        self._number += 1
        number = self._number
        random = Random(f"{self._seed}:{number}")
        gap = GAPS_DAYS[int(number * SILVER % 1.0 * len(GAPS_DAYS))]
        ends = day + life_days(number)
        if ends >= 0:
            self._push(day, _Customer(f"c{number:08d}", random, gap, ends))
        self._push(day + 1 / self._arrivals_per_day, None)

    def _order(self, day: float, customer: _Customer) -> None:
        """Everything around one order, and when the next one comes; with the last one goes, now and then, a complaint."""
        random = customer.random
        customer.orders += 1
        order = f"{customer.name}-{customer.orders}"
        for _ in range(random.randrange(1, 3)):
            seconds = float(random.randrange(20, 1200))
            self._add(day, customer, "logins", channel=random.choice(("web", "app")), session_seconds=seconds)
        amount = round(random.uniform(5, 150), 2)
        items = random.randrange(1, 6)
        self._add(day + 0.01, customer, "orders", order_id=order, amount=amount, currency="EUR", items=items)
        next_day = day + 0.1 + customer.gap_days * random.uniform(0.4, 1.6)
        leaving = next_day > customer.ends_day
        if random.random() < (0.4 if leaving else 0.1):
            ticket = {"ticket_id": order, "category": random.choice(("delivery", "product", "billing", "service"))}
            self._add(day + 0.3, customer, "tickets", status="opened", **ticket)
            if random.random() < 0.7:
                self._add(day + random.uniform(0.5, 3), customer, "tickets", status="resolved", **ticket)
        if random.random() < 0.15:
            self._add(day + random.uniform(0.4, 2), customer, "reviews", rating=random.randrange(1, 6))
        if not leaving:
            self._push(next_day, customer)

    def _add(self, day: float, customer: _Customer, stream: str, **fields: Any) -> None:
        # Of what happened before the shop's first day nothing is sent.
        if day < 0:
            return
        self._sent += 1
        at_ms = START_MS + int(day * DAY_MS)
        number, random = self._sent, customer.random
        event = {"event_id": f"e{number}", "customer_id": customer.name} | fields
        # It is sent a little after it happened, some events more so than those that happen next.
        happened_ms = at_ms - random.randrange(DISORDER_MS)
        sent = self._record(stream, event, happened_ms, at_ms, "applied")
        self._push(day, sent)
        if number % TWICE_ONE_IN == 0:
            again = day + random.uniform(0, 2)
            self._push(again, Sent(stream, sent.key, sent.value, START_MS + int(again * DAY_MS), "duplicate"))
        if number % BAD_ONE_IN == 1:
            self._push(day, Sent(stream, sent.key, b'{"event_id": "broken', at_ms, "dead_lettered"))
        if number % LATE_ONE_IN == 2:
            old = event | {"event_id": f"late{number}"}
            self._push(day, self._record(stream, old, happened_ms - LATE_MS, at_ms, "late"))

    @staticmethod
    def _record(stream: str, event: dict[str, Any], happened_ms: int, at_ms: int, outcome: str) -> Sent:
        value = json.dumps(event | {"occurred_at": iso(happened_ms)}).encode()
        return Sent(stream, event["customer_id"].encode(), value, at_ms, outcome)
