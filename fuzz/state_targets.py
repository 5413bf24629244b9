"""What lies in Redis of a partition: its meta value, its customers, its outbox. Whatever decodes is really worked with."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, Final

import msgspec

from agents.clock import PartitionClock
from agents.guides import GuideBook
from agents.meta import Meta, decode_meta, encode_meta, touched
from agents.outbox import Outbox, decode_outgoing, encode_outgoing
from agents.record import Customer, decode_customer, encode_customer
from agents.runner import PartitionRunner
from agents.turns import Turns
from alerts.alert import encode as encode_alert
from churnwatch import compose
from churnwatch.inspection import episode_of, inspect, state_of
from churnwatch.offline import FileSource, OfflineObserver
from features.store import MemoryPartition, MemoryStore
from fuzz.input_targets import expect
from fuzz.oracle import Parts, Target
from fuzz.samples import NOW_MS, Samples
from models.labels import ExampleBatch, encode_batch
from streams.codec import Arrival, Limits, RawRecord, decode
from streams.outgoing import Outgoing
from streams.time import DAY_MS

OTHER: Final = "c-0"
FORGED: Final = "c-1"
TOPIC: Final = "customer.orders"


def state_targets(made: Samples) -> list[Target]:
    """Return the targets of this file."""
    return [meta_target(made), customer_target(made), outbox_target(made)]


def order_of(customer_id: str, at_ms: int, number: int = 0) -> Arrival:
    """Return an honest order."""
    event = {
        "event_id": f"new-{customer_id}-{number}",
        "customer_id": customer_id,
        "occurred_at": at_ms,
        "order_id": f"new-{number}",
        "amount": 12.5,
    }
    raw = RawRecord(TOPIC, 0, number, at_ms, customer_id.encode(), msgspec.json.encode(event))
    found = decode(raw, "orders", Limits(), NOW_MS)
    if not isinstance(found, Arrival):
        raise TypeError(found.message)
    return found


def drive(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that waits for nobody; starting an event loop would take longer than what is looked for."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    finally:
        work.close()
    raise asyncio.InvalidStateError("it waits")


class Published:
    """A publisher that counts."""

    def __init__(self) -> None:
        self.count = 0

    async def publish(self, messages: Any) -> None:
        """Count the messages."""
        self.count += len(messages)


class Partition:
    """The runner of a partition whose store holds what an input says."""

    def __init__(self, made: Samples) -> None:
        self._pipeline = compose.pipeline(made.settings)
        self._limits = replace(compose.step_limits(made.settings, 1), wakes_max=50)
        self._made = made

    def run(self, meta: bytes, states: dict[str, bytes], due: dict[str, int], outbox: list[bytes]) -> bool:
        """Open it, take two honest orders in, let the wake-ups fire, and commit, as a worker does."""
        data = MemoryPartition(meta=meta, states=dict(states), outbox=list(outbox))
        for customer_id, due_ms in due.items():
            data.timers.update(customer_id, due_ms)
        source, published = FileSource(), Published()
        sent = Outbox(published)
        runner = PartitionRunner(
            0,
            [TOPIC],
            store=MemoryStore(data),
            source=source,
            outbox=sent,
            pipeline=self._pipeline,
            guides=GuideBook(self._made.backtest.guide or compose.first_guide()),
            clock=PartitionClock(self._made.settings.lateness_ms, lambda: NOW_MS, live=True),
            observer=_Watching(),
            config=self._limits,
            timer=lambda: 0.0,
            turns=_Alone(),
        )
        drive(runner.open())
        runner.push(TOPIC, [order_of(OTHER, NOW_MS - DAY_MS), order_of(FORGED, NOW_MS - DAY_MS, 1)])
        source.ended = True
        for _ in range(3):
            drive(runner.step())
            drive(sent.flush())
        drive(runner.step())
        decode_meta(data.meta or b"")
        expect(not sent.pending, "something is left to be said")
        return True


class _Alone(Turns):
    async def take(self) -> None:
        """Without a loop there is nobody to take turns with."""


class _Watching(OfflineObserver):
    def stepped(self, *told: object) -> None:
        """Nothing is counted."""


def meta_of(made: Samples) -> bytes:
    """The meta value of a partition that has the backtest's customers."""
    before_ms = NOW_MS - 2 * DAY_MS
    known = len(made.backtest.partition.states)
    meta = Meta({TOPIC: 812}, 40, before_ms, before_ms, before_ms, seq=7, customers=known, life=NOW_MS)
    meta.heard_ms = {TOPIC: before_ms}
    return encode_meta(meta)


def meta_target(made: Samples) -> Target:
    """A partition's meta value, with its runner opened and stepped."""
    partition = Partition(made)
    honest = meta_of(made)
    customer = made.backtest.partition.states[OTHER]

    def run(parts: Parts) -> bool:
        touched(parts[0])
        return partition.run(parts[0], {OTHER: customer}, {OTHER: NOW_MS - DAY_MS}, [])

    return Target("meta", [(honest,)], run, 3.0)


def customer_target(made: Samples) -> Target:
    """A customer: an event, the wake-ups that are due, the command that shows one, and the partition's other customers."""
    pipeline = compose.pipeline(made.settings)
    guide = made.backtest.guide or compose.first_guide()
    guides = GuideBook(guide)
    honest = made.backtest.partition.states[OTHER]
    given: list[Parts] = [(value,) for value in made.backtest.partition.states.values()]

    def run(parts: Parts) -> bool:
        forged = decode_customer(parts[0])
        state_of(forged), episode_of(forged)
        inspect(forged, guide, "orders", NOW_MS)
        customers: dict[str, Customer] = {FORGED: forged, OTHER: decode_customer(honest)}
        items = [order_of(FORGED, NOW_MS - DAY_MS), order_of(OTHER, NOW_MS - DAY_MS, 1)]
        effects = pipeline.step(
            customers, items, [OTHER, FORGED], NOW_MS - 2 * DAY_MS, NOW_MS + 8 * DAY_MS, guides, NOW_MS
        )
        expect(effects.outcomes[TOPIC, "applied"] >= 1, "the partition's other customer was not served")
        for customer_id in effects.touched:
            decode_customer(encode_customer(customers[customer_id]))
            expect(-(1 << 63) <= customers[customer_id].wake_ms < 1 << 63, "a wake-up that cannot be stored")
        for message in effects.outgoing:
            encode_outgoing(message)
        encode_batch(
            ExampleBatch(0, 1, 1, NOW_MS, False, effects.examples, effects.stats.take(), effects.inputs.take())
        )
        return not effects.failures

    return Target("customer", given, run, 8.0)


def outbox_target(made: Samples) -> Target:
    """An entry of the outbox, published by a runner that finds it."""
    partition = Partition(made)
    meta = meta_of(made)
    messages = [
        Outgoing("churn.alerts", b"c-1", encode_alert(alert), [("trace", b"1")], 2)
        for alert in made.backtest.alerts[:5]
    ]
    given: list[Parts] = [
        (encode_outgoing(message),) for message in [*messages, Outgoing("churn.scores", b"c-1", None)]
    ]

    def run(parts: Parts) -> bool:
        message: Any = decode_outgoing(parts[0])
        sendable(message)
        return partition.run(meta, {}, {}, [parts[0]])

    return Target("outbox", given, run, 4.0)


def sendable(message: Outgoing) -> None:
    """Ask what Kafka's client asks of a message before it takes it; what it refuses would stop the outbox for good."""
    expect(0 < len(message.topic) <= 249, "a topic that Kafka cannot have")
    expect(message.partition is None or 0 <= message.partition < 1 << 31, "a partition that Kafka cannot have")
    for name, _ in message.headers:
        name.encode()
