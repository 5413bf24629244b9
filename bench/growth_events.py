"""Events for customers who are there already, one cheap to make, and the two ways to send them: at once, or at a pace.

    python -m bench.growth_events      # a plan as JSON on standard input; sends at its pace, prints how many and how late

Every event's Kafka timestamp is the instant at which it was handed to the client, so whatever the client, the broker and the worker
do with it counts as latency.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from random import Random
from typing import Any, Final

from confluent_kafka import Producer

from bench.growth_fill import customer_id
from churnwatch.kafka import librdkafka_options
from churnwatch.settings import Settings
from churnwatch.settings_load import load_settings
from streams.errors import TransportError

TICK_SECONDS: Final = 0.002
FLUSH_SECONDS_MAX: Final = 30.0
LINGER_MS: Final = 5
"""librdkafka's own default, as most producers have it; the wait counts as latency."""

BURST_MAX: Final = 2_000
"""Events that one tick may have to make up for: a pause of the machine is no reason to hold back, or the pause would not be seen."""

Made = tuple[str, str, str]
"""Stream, customer, value."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be sent at a pace.

    Attributes:
        name: makes event ids unique.
        customers: how many customers `c-…` there are to choose from, at random.
        per_second, seconds: the pace, and for how long.
        scores: so many of the events go to customers `s-…`, each of whom had none yet, from `first_score` on.
        leavers: so many are cancellations of customers `l-…`, from `first_leaver` on, each of which raises an alert.
    """

    name: str
    customers: int
    per_second: float
    seconds: float
    scores: int = 0
    first_score: int = 0
    leavers: int = 0
    first_leaver: int = 0

    @property
    def events(self) -> int:
        """How many events that is."""
        return int(self.per_second * self.seconds)


def made(random: Random, name: str, number: int, customer: str, at_ms: int) -> Made:
    """Make one event of a shop's usual mixture: logins, an order among three, now and then a ticket or a review."""
    chance = random.random()
    head = f'{{"event_id":"{name}{number}","customer_id":"{customer}","occurred_at":{at_ms}'
    if chance < 0.62:
        return "logins", customer, f'{head},"channel":"web","session_seconds":{20 + int(chance * 1000)}}}'
    if chance < 0.93:
        amount = round(5 + 145 * random.random(), 2)
        return "orders", customer, f'{head},"order_id":"{name}{number}","amount":{amount},"currency":"EUR","items":2}}'
    if chance < 0.97:
        return "reviews", customer, f'{head},"rating":{1 + number % 5}}}'
    return (
        "tickets",
        customer,
        f'{head},"ticket_id":"{name}{number}","status":"opened","category":"delivery","severity":"low"}}',
    )


def uniform(name: str, customers: int, events: int, from_ms: int, seed: int) -> Iterator[Made]:
    """Make events a millisecond apart, each of a customer chosen anew: the hardest case for a cache."""
    random = Random(seed)
    for number in range(events):
        yield made(random, name, number, customer_id("c", random.randrange(customers)), from_ms + number)


def producer(settings: Settings) -> Producer:
    """Make a producer that chooses partitions as Kafka's own does."""
    options = {"partitioner": "murmur2_random", "linger.ms": LINGER_MS, "enable.idempotence": True}
    return Producer(librdkafka_options(settings) | options | {"queue.buffering.max.messages": 1_000_000})


def send_all(settings: Settings, events: Iterable[Made]) -> int:
    """Send at once; returns how many there were. Raises TransportError unless Kafka has acknowledged all."""
    client, topics = producer(settings), settings.topics().inputs
    count = 0
    for stream, customer, value in events:
        client.produce(topics[stream], value.encode(), customer)
        count += 1
        if not count % BURST_MAX:
            client.poll(0)
    left = client.flush(FLUSH_SECONDS_MAX)
    if left:
        raise TransportError(f"Kafka has not acknowledged {left} of {count} events")
    return count


def send_at_pace(settings: Settings, plan: Plan) -> dict[str, Any]:
    """Send as planned; returns how many were sent, in how many seconds, and by how much the latest tick was late."""
    client, topics, random = producer(settings), settings.topics().inputs, Random(plan.name)
    kinds = spread(plan)
    started, sent, late = time.perf_counter(), 0, 0.0
    while sent < plan.events:
        since = time.perf_counter() - started
        due = min(int(since * plan.per_second), plan.events)
        late = max(late, since - sent / plan.per_second)
        at_ms = time.time_ns() // 1_000_000
        for number in range(sent, due):
            stream, customer, value = _planned(plan, random, kinds[number], number, at_ms)
            client.produce(topics[stream], value.encode(), customer, timestamp=at_ms)
        sent = due
        client.poll(0)
        time.sleep(TICK_SECONDS)
    seconds = time.perf_counter() - started
    left = client.flush(FLUSH_SECONDS_MAX)
    if left:
        raise TransportError(f"Kafka has not acknowledged {left} of {sent} events")
    return {"sent": sent, "seconds": round(seconds, 3), "late_ms_max": round(1000 * late, 1)}


def spread(plan: Plan) -> list[int]:
    """Spread the special events evenly: the n-th entry is 0 for a usual one, n for the n-th score, -n for the n-th leaver."""
    kinds = [0] * plan.events
    for special, sign in ((plan.scores, 1), (plan.leavers, -1)):
        for number in range(special):
            place = (number * plan.events) // special
            while kinds[place % plan.events]:
                place += 1
            kinds[place % plan.events] = sign * (number + 1)
    return kinds


def _planned(plan: Plan, random: Random, kind: int, number: int, at_ms: int) -> Made:
    if kind < 0:
        customer = customer_id("l", plan.first_leaver - kind - 1)
        head = f'{{"event_id":"{plan.name}{number}","customer_id":"{customer}","occurred_at":{at_ms}'
        return "cancellations", customer, f'{head},"reason":"price"}}'
    customer = (
        customer_id("s", plan.first_score + kind - 1) if kind else customer_id("c", random.randrange(plan.customers))
    )
    return made(random, plan.name, number, customer, at_ms)


def main() -> None:
    """Send the plan on standard input, and print what became of it."""
    print(json.dumps(send_at_pace(load_settings(), Plan(**json.load(sys.stdin)))), flush=True)


def as_json(plan: Plan) -> str:
    """Write a plan for `main`."""
    return json.dumps(asdict(plan))


if __name__ == "__main__":
    main()
