"""A shop of a few hundred customers, made up but the same every time: four streams and profiles and cancellations, in event-time order.

Some customers stop ordering, and some of those go on logging in for a while; so there is something to learn and somebody to warn of.
"""

import json
from pathlib import Path
from random import Random
from typing import Any

from streams.time import DAY_MS, iso, parse_instant

START_MS = parse_instant("2024-01-01T00:00:00Z")
HOUR_MS = DAY_MS // 24


def event(stream: str, customer: str, at_ms: int, number: int, **fields: Any) -> dict[str, Any]:
    own = {"stream": stream, "event_id": f"{stream}-{number}", "customer_id": customer, "occurred_at": iso(at_ms)}
    return own | fields


def order(customer: str, at_ms: int, number: int, amount: float = 20.0) -> dict[str, Any]:
    return event("orders", customer, at_ms, number, order_id=f"o{number}", amount=amount, currency="EUR", items=1)


def shop(customers: int = 240, days: int = 98, seed: int = 5) -> list[dict[str, Any]]:
    """Give all events, sorted by their (distinct) instants."""
    random = Random(seed)
    events = []
    for number in range(customers):
        events += _life(random, f"kundin-{number:03d}-ö" if number % 50 == 0 else f"c{number:03d}", days)
    events.sort(key=lambda found: found[0])
    return [
        {**fields, "event_id": f"e{place}", "occurred_at": iso(START_MS + at_ms + place % 1000)}
        for place, (at_ms, fields) in enumerate(events)
    ]


def _life(random: Random, customer: str, days: int) -> list[tuple[int, dict[str, Any]]]:
    """Give one customer's events, with times since the start in whole seconds."""
    first = random.randrange(days // 2)
    leaves = random.randrange(first + 10, days) if random.random() < 0.5 else days
    rhythm = random.choice((3, 6, 12))
    found: list[tuple[int, dict[str, Any]]] = []

    def add(day: float, stream: str, **fields: Any) -> None:
        at_ms = int(day * DAY_MS) // 1000 * 1000
        if at_ms < days * DAY_MS:
            found.append((at_ms, event(stream, customer, 0, 0, **fields)))

    add(first, "profiles", plan=random.choice(("free", "gold")), country="DE")
    day = first + random.random()
    while day < leaves:
        amount = round(random.uniform(5, 120), 2)
        add(day, "orders", order_id=f"{customer}-{day:.2f}", amount=amount, currency="EUR", items=random.randint(1, 5))
        add(day - 0.01, "logins", channel=random.choice(("web", "app")), session_seconds=random.randrange(900))
        if random.random() < 0.2:
            add(day + 2.1, "reviews", rating=random.randint(1, 5), topics=["delivery"])
        day += random.expovariate(1 / rhythm) + 0.1
    if leaves < days:
        add(leaves - 0.5, "tickets", ticket_id=customer, status="opened", category="delivery", severity="high")
        for late in range(random.randrange(4)):
            add(leaves + 2 * late, "logins", channel="web", session_seconds=20)
        if random.random() < 0.15:
            add(leaves + 3, "cancellations", reason="price")
    return found


def write(path: Path, events: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(fields, ensure_ascii=False) + "\n" for fields in events))
    return path
