"""Silent customers by the million: a few hundred real ones, and copies of them under new ids.

The log of `lives` goes through the real pipeline and its learner. What comes of it, a state per customer, is written to Redis as often as is
asked for, spread evenly over partitions. Silence has begun at another instant for each of them, within the
last `SILENT_DAYS`, so that every one of them is still asked about on the Monday that the log ends before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, Final

import redis

from agents.meta import Meta, encode_meta
from agents.record import decode_customer
from bench import synthetic
from churnwatch.backtest import replay
from churnwatch.settings import Settings
from features.redis_layout import Layout
from models.guide import Guide
from streams.time import DAY_MS, iso, parse_instant

END_MS: Final = parse_instant("2024-09-01T12:00:00Z")
"""Where the log ends: a Sunday noon."""

DAYS: Final = 180
SILENT_DAYS: Final = 80
GAPS_DAYS: Final = (8.0, 20.0, 45.0)
SEED: Final = 17
WRITE_CUSTOMERS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Shop:
    """What the small log has left behind: the state of each customer as it is stored, when each wakes, and the model."""

    states: tuple[bytes, ...]
    wakes_ms: tuple[int, ...]
    guide: Guide


def lives(customers: int) -> list[dict[str, Any]]:
    """Give the lines of an event file: orders with logins before them, now and then a ticket or a review, then silence."""
    random = Random(SEED)
    found: list[tuple[int, dict[str, Any]]] = []
    for number in range(customers):
        customer = f"customer-{number:05d}"
        last_ms = END_MS - int(random.uniform(0.01, SILENT_DAYS) * DAY_MS)
        for at_ms, fields in _life(random, customer, last_ms):
            found.append((at_ms, {"customer_id": customer} | fields))
    # The clock of a replay ends with its log: somebody looks in when it does.
    found.append((END_MS, {"customer_id": "the-last", "stream": "logins"}))
    found.sort(key=lambda event: event[0])
    return [{"event_id": f"e{n:07d}", "occurred_at": iso(at_ms)} | fields for n, (at_ms, fields) in enumerate(found)]


def _life(random: Random, customer: str, last_ms: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give one customer's events backwards from the last order."""
    gap_days, at_ms, number = random.choice(GAPS_DAYS), last_ms, 0
    while at_ms > END_MS - DAYS * DAY_MS:
        number += 1
        order = f"{customer}-{number}"
        yield at_ms, {"stream": "orders", "order_id": order, "amount": round(random.uniform(5, 150), 2), "items": 2}
        for _ in range(random.randrange(3)):
            before_ms = at_ms - int(random.uniform(0.001, 2) * DAY_MS)
            yield before_ms, {"stream": "logins", "channel": "web", "session_seconds": random.randrange(20, 900)}
        if random.random() < 0.08:
            ticket = {"ticket_id": order, "category": random.choice(synthetic.CATEGORIES), "stream": "tickets"}
            yield at_ms - DAY_MS, ticket | {"status": "opened"}
            yield at_ms - DAY_MS // 2, ticket | {"status": "resolved"}
        if random.random() < 0.1:
            yield at_ms - 3_600_000, {"stream": "reviews", "rating": random.randrange(1, 6)}
        at_ms -= int((random.expovariate(1 / gap_days) + 0.02) * DAY_MS)


def learnt(settings: Settings, log: Path) -> Shop:
    """Replay the log with its learner, as the worker would have."""
    found = asyncio.run(replay(settings, [log], now_ms=time.time_ns() // 1_000_000))
    assert found.guide is not None
    assert found.guide.ready
    states = tuple(state for customer, state in sorted(found.partition.states.items()) if customer != "the-last")
    return Shop(states, tuple(decode_customer(state).wake_ms for state in states), found.guide)


def fill(client: redis.Redis, namespace: str, partitions: int, shop: Shop, customers: int) -> Mapping[int, int]:
    """Write that many customers, the clock of every partition at the end of the log; returns how many each partition has."""
    layouts = [Layout(namespace, partition) for partition in range(partitions)]
    counts = dict.fromkeys(range(partitions), 0)
    numbers = iter(range(customers))
    while some := list(islice(numbers, WRITE_CUSTOMERS)):
        states: dict[bytes, bytes] = {}
        timers: list[dict[bytes, float]] = [{} for _ in layouts]
        for number in some:
            customer, copied, partition = f"silent-{number:07d}", number % len(shop.states), number % partitions
            counts[partition] += 1
            states[layouts[partition].state(customer)] = shop.states[copied]
            timers[partition][customer.encode()] = shop.wakes_ms[copied]
        with client.pipeline(transaction=False) as pipe:
            pipe.mset(states)
            for layout, due in zip(layouts, timers, strict=True):
                if due:
                    pipe.zadd(layout.timers, due)
            pipe.execute()
    for partition, count in counts.items():
        meta = Meta(clock_ms=END_MS, taken_ms=END_MS, mark_ms=END_MS, customers=count, life=1, born=1)
        client.set(layouts[partition].meta, encode_meta(meta))
    return counts
