"""A shop that does not exist: four streams of events in event-time order, the same for the same arguments.

Every customer has a rhythm of orders, with logins around them, now and then a ticket or a review; three in ten leave on the way. A log
of a tenth of the customers is so to say a tenth of the log: as many events per customer, as much silence.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any, Final

from streams.time import DAY_MS, iso, parse_instant

START_MS: Final = parse_instant("2024-03-04T00:00:00Z")
LEAVING_SHARE: Final = 0.3
GAPS_DAYS: Final = (1.5, 3.0, 6.0)
"""Mean days between two orders, of the brisk, the usual and the slow customer."""

CATEGORIES: Final = ("delivery", "product", "billing", "service")
STREAMS: Final = ("logins", "orders", "tickets", "reviews")

LEARN_CUSTOMERS: Final = 200
LEARN_DAYS: Final = 45
LEARN_QUESTION: Final[dict[str, Any]] = {
    "horizon_ms": "14d",
    "active_ms": "28d",
    "min_labels": 100,
    "model_interval_ms": "7d",
}
"""The shop that a model is learnt from, to be frozen: what is asked is answered within so many days."""


def shop(customers: int, days: int, seed: int) -> list[dict[str, Any]]:
    """Give all events as the lines of an event file hold them, in the order of their times."""
    random = Random(seed)
    found: list[tuple[int, dict[str, Any]]] = []
    for number in range(customers):
        found += _life(random, f"customer-{number:05d}", days)
    found.sort(key=lambda event: event[0])
    return [
        {"event_id": f"e{place:07d}", "occurred_at": iso(START_MS + at_ms)} | fields
        for place, (at_ms, fields) in enumerate(found)
    ]


def _life(random: Random, customer: str, days: int) -> list[tuple[int, dict[str, Any]]]:
    """Give one customer's events with their milliseconds since the start."""
    gap = random.choice(GAPS_DAYS)
    end = random.uniform(0.3, 1.0) * days if random.random() < LEAVING_SHARE else float(days)
    found: list[tuple[int, dict[str, Any]]] = []

    def add(day: float, stream: str, **fields: Any) -> None:
        if 0 <= day < days:
            found.append((int(day * DAY_MS), {"stream": stream, "customer_id": customer} | fields))

    day = random.uniform(0.05, 0.2) * days
    number = 0
    while day < end:
        number += 1
        order, amount = f"{customer}-{number}", round(random.uniform(5, 150), 2)
        for _ in range(random.randrange(1, 4)):
            seconds = float(random.randrange(20, 1200))
            add(
                day - random.uniform(0.001, 0.3),
                "logins",
                channel=random.choice(("web", "app")),
                session_seconds=seconds,
            )
        add(day, "orders", order_id=order, amount=amount, currency="EUR", items=random.randrange(1, 6))
        if random.random() < 0.12:
            ticket: dict[str, Any] = {"ticket_id": order, "category": random.choice(CATEGORIES)}
            add(day + 0.1, "tickets", status="opened", **ticket)
            if random.random() < 0.7:
                add(day + random.uniform(0.2, 2), "tickets", status="resolved", **ticket)
        if random.random() < 0.15:
            add(day + random.uniform(0.2, 1), "reviews", rating=random.randrange(1, 6))
        day += random.expovariate(1 / gap) + 0.02
    return found


def customers_of(events: Iterable[dict[str, Any]]) -> int:
    """Count the customers who have an event."""
    return len({event["customer_id"] for event in events})


def write(path: Path, events: Iterable[dict[str, Any]]) -> Path:
    """Write an event file, a line each."""
    path.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    return path
