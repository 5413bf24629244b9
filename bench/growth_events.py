"""Events for customers who are there already, each cheap to make: a backlog, sent at once, or a plan, to be sent at a pace (`bench.pace`)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from random import Random
from typing import Final

from confluent_kafka import Producer

from bench.growth_fill import customer_id
from churnwatch.kafka import librdkafka_options
from churnwatch.settings import Settings
from streams.errors import TransportError

FLUSH_SECONDS_MAX: Final = 30.0
LINGER_MS: Final = 5
"""librdkafka's own default, as most producers have it; the wait counts as latency."""

POLL_EVENTS: Final = 2_000
"""How many are handed over before acknowledgements are looked at."""

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


def made(random: Random, name: str, number: int, customer: str, at: int | str) -> Made:
    """Make one event of a shop's usual mixture: logins, an order among three, now and then a ticket or a review."""
    chance = random.random()
    head = f'{{"event_id":"{name}{number}","customer_id":"{customer}","occurred_at":{at}'
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
        if not count % POLL_EVENTS:
            client.poll(0)
    left = client.flush(FLUSH_SECONDS_MAX)
    if left:
        raise TransportError(f"Kafka has not acknowledged {left} of {count} events")
    return count


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


def planned(plan: Plan, at: str) -> Iterator[Made]:
    """Make the events of a plan, in the order in which they are due; `at` stands for when each has occurred."""
    random, kinds = Random(plan.name), spread(plan)
    for number, kind in enumerate(kinds):
        if kind < 0:
            customer = customer_id("l", plan.first_leaver - kind - 1)
            head = f'{{"event_id":"{plan.name}{number}","customer_id":"{customer}","occurred_at":{at}'
            yield "cancellations", customer, f'{head},"reason":"price"}}'
            continue
        customer = (
            customer_id("s", plan.first_score + kind - 1)
            if kind
            else customer_id("c", random.randrange(plan.customers))
        )
        yield made(random, plan.name, number, customer, at)


def as_json(plan: Plan) -> str:
    """Write a plan for `bench.pace`."""
    return json.dumps(asdict(plan))
