"""A shop in one process: partitions with their runners, the outbox, the learner; driven step by step, in replay time.

    events -> Log (topics, partitions, offsets) -> Feed -> PartitionRunner -> MemoryPartition
                                                              | outbox
                                            World.published <-+-> Learner -> GuideBook (all partitions')

Everything may be cut small (records, wake-ups and fetches a step, partitions) and ended at any step (`crash`), so that tests
can say what must not depend on it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from agents.clock import PartitionClock
from agents.effects import Effects
from agents.guides import GuideBook
from agents.limits import StepLimits
from agents.lives import Committed
from agents.outbox import Outbox
from agents.record import Customer, decode_customer
from agents.runner import PartitionRunner
from agents.wakeups import Keeping
from alerts import alert as alerts
from alerts.alert import Alert
from alerts.budget import BudgetKeeper
from alerts.policy import Policy
from features.catalog import NAMES
from features.store import MemoryPartition, MemoryStore
from models.guide import Guide, initial_guide
from models.labels import Example, decode_batch
from models.learner import Learner
from models.question import Question
from streams.codec import Arrival, RawRecord, Rejected
from streams.errors import StateError
from streams.feed import Batch
from streams.outgoing import Outgoing
from streams.time import DAY_MS
from streams.topics import partition_for
from tests.unit.agents.samples import KEEPING, LATENESS_MS, POLICY, QUESTION, SCALES, TOPICS, pipeline

EPOCH_MS = 7 * DAY_MS
ROUNDS_MAX = 20_000
OUTBOX_MAX = 10_000


def placed(items: Iterable[Arrival | Rejected], partitions: int) -> list[dict[str, list[Arrival | Rejected]]]:
    """Per partition, topic to records with their offsets: what Kafka would hold."""
    logs: list[dict[str, list[Arrival | Rejected]]] = [
        {topic: [] for topic in TOPICS.inputs.values()} for _ in range(partitions)
    ]
    for item in items:
        old = item.record
        partition = partition_for(old.key or b"", partitions)
        log = logs[partition][old.topic]
        record = RawRecord(old.topic, partition, len(log), old.timestamp_ms, old.key, old.value)
        if isinstance(item, Arrival):
            log.append(Arrival(item.stream, item.event, record))
        else:
            log.append(Rejected(record, item.reason, item.error, item.message, item.stage))
    return logs


class LogSource:
    """One partition's topics, fetched by `pump`."""

    def __init__(self, log: Mapping[str, Sequence[Arrival | Rejected]]) -> None:
        self._log = log
        self._next = dict.fromkeys(log, 0)
        self.paused: set[str] = set()
        self.pauses = 0
        self.known: dict[str, Committed] = {}

    def at_end(self, topic: str) -> bool:
        return self._next[topic] >= len(self._log[topic])

    async def start_from(self, offsets: Mapping[str, int]) -> None:
        self._next.update(offsets)
        self.paused.clear()

    def pause(self, topic: str) -> None:
        self.paused.add(topic)
        self.pauses += 1

    def resume(self, topic: str) -> None:
        self.paused.discard(topic)

    async def committed(self) -> Mapping[str, Committed]:
        return self.known

    def stored(self, offsets: Mapping[str, int], note: str = "") -> None:
        self.known |= {topic: Committed(offset, note) for topic, offset in offsets.items()}
        for topic, offset in offsets.items():
            assert offset <= self._next[topic]

    def pump(self, runner: PartitionRunner, records: int) -> None:
        """Fetch up to so many records of each topic."""
        for topic, log in self._log.items():
            first = self._next[topic]
            if topic not in self.paused and first < len(log):
                self._next[topic] = min(first + records, len(log))
                runner.push(topic, log[first : self._next[topic]])


class Counting:
    """An observer that adds up."""

    def __init__(self) -> None:
        self.outcomes: dict[str, int] = defaultdict(int)
        self.scorings: dict[str, int] = defaultdict(int)
        self.steps = 0
        self.items_max = 0
        self.fences = 0

    def stepped(self, runner: PartitionRunner, batch: Batch, effects: Effects, seconds: Mapping[str, float]) -> None:
        self.steps += 1
        self.items_max = max(self.items_max, len(batch.items))
        for (_, outcome), number in effects.outcomes.items():
            self.outcomes[outcome] += number
        for cause, number in effects.scorings.items():
            self.scorings[cause] += number

    def published(self, runner: PartitionRunner, effects: Effects) -> None:
        pass

    def answered(self) -> None:
        pass

    def waiting(self, partition: int, why: StateError) -> None:
        pass

    def fenced(self, partition: int) -> None:
        self.fences += 1


@dataclass(slots=True)
class Lane:
    """One partition: its state outlives its runner."""

    log: Mapping[str, Sequence[Arrival | Rejected]]
    store: MemoryPartition
    source: LogSource
    outbox: Outbox
    runner: PartitionRunner


@dataclass
class World:
    """The shop; `run` brings it to the end of time (`until_ms`).

    Attributes:
        items: the log, in the order in which it was published.
        until_ms: where the partitions' clocks end.
        partitions, events, wakes, fetch, cache: how small things are cut.
        guide: a frozen model; None to learn.
        fresh: a learner that has seen nothing; None for a plain one.
        acknowledges: whether what is published gets acknowledged.
    """

    items: Sequence[Arrival | Rejected]
    until_ms: int
    partitions: int = 1
    events: int = 2_000
    wakes: int = 2_000
    fetch: int = 1_000
    cache: int = 10_000
    guide: Guide | None = None
    policy: Policy = POLICY
    question: Question = QUESTION
    fresh: Learner | None = None
    keeping: Keeping = KEEPING
    min_labels: int = 5
    acknowledges: bool = True
    published: list[Outgoing] = field(default_factory=list)
    counting: Counting = field(default_factory=Counting)

    def __post_init__(self) -> None:
        self.learner = (
            self.fresh
            or Learner(NAMES, SCALES, extra=BudgetKeeper(self.policy), grid_ms=EPOCH_MS, min_labels=self.min_labels)
            if self.guide is None
            else None
        )
        self.guides = GuideBook(self.guide or initial_guide(NAMES, SCALES), EPOCH_MS if self.learner else None)
        logs = placed(self.items, self.partitions)
        self.lanes = [self._lane(number, log, MemoryPartition()) for number, log in enumerate(logs)]

    def _lane(self, partition: int, log: Mapping[str, Sequence[Arrival | Rejected]], store: MemoryPartition) -> Lane:
        source, outbox = LogSource(log), Outbox(self)
        clock = PartitionClock(LATENESS_MS, lambda: self.until_ms, live=False, until_ms=self.until_ms)
        runner = PartitionRunner(
            partition,
            list(log),
            store=MemoryStore(store),
            source=source,
            outbox=outbox,
            pipeline=pipeline(self.policy, self.question, self.keeping),
            guides=self.guides,
            clock=clock,
            observer=self.counting,
            config=StepLimits(
                events_max=self.events,
                bytes_max=1 << 30,
                wakes_max=self.wakes,
                buffer_bytes_max=1 << 30,
                cache_max=self.cache,
                outbox_max=OUTBOX_MAX,
                partitions=self.partitions,
                examples_topic=TOPICS.examples,
                idle_seconds=0.0,
                mark_every_ms=EPOCH_MS,
            ),
            timer=lambda: 0.0,
        )
        return Lane(log, store, source, outbox, runner)

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        self.published.extend(messages)
        for message in messages:
            if message.topic == TOPICS.examples and self.learner is not None:
                self.learner.absorb(decode_batch(message.value or b""))

    # -- driving -------------------------------------------------------------------------------------------------------

    def run(self, crashes: Sequence[int] = ()) -> World:
        """Step until everything is done; every worker dies and is replaced before each of the rounds `crashes`."""
        asyncio.run(self._run(frozenset(crashes)))
        return self

    async def _run(self, crashes: frozenset[int]) -> None:
        for lane in self.lanes:
            await lane.runner.open()
        for round_ in range(ROUNDS_MAX):
            if all(lane.runner.done() for lane in self.lanes):
                return
            if round_ in crashes:
                await self._crash()
            for lane in self.lanes:
                lane.source.pump(lane.runner, self.fetch)
                await lane.runner.step()
                # A worker that is about to die has published what it decided, and never hears that it arrived.
                if round_ + 1 in crashes:
                    await self.publish([message for messages, _ in lane.outbox._waiting for message in messages])
                else:
                    await lane.outbox.flush()
            self._follow()
        raise AssertionError(f"not done after {ROUNDS_MAX} rounds")

    async def _crash(self) -> None:
        self.lanes = [self._lane(number, lane.log, lane.store) for number, lane in enumerate(self.lanes)]
        for lane in self.lanes:
            await lane.runner.open()

    def _follow(self) -> None:
        if self.learner is None:
            return
        for guide in self.learner.advance():
            self.guides.add(guide.learnt_until_ms, guide)
        if self.learner.learnt_until_ms is not None:
            self.guides.finished(self.learner.learnt_until_ms)

    # -- what came of it -----------------------------------------------------------------------------------------------

    @property
    def states(self) -> dict[str, bytes]:
        return {customer: value for lane in self.lanes for customer, value in lane.store.states.items()}

    @property
    def timers(self) -> dict[str, int]:
        return {customer: due for lane in self.lanes for customer, due in lane.store.timers.get(1 << 61, 1 << 20)}

    def customer(self, customer_id: str) -> Customer:
        return decode_customer(self.states[customer_id])

    def values(self, topic: str) -> list[bytes]:
        return [message.value or b"" for message in self.published if message.topic == topic]

    @property
    def alerts(self) -> list[Alert]:
        """In the order of event time, without the trigger's place in the log, which depends on the partitions."""
        found = [alerts.decode(value) for value in self.values(TOPICS.alerts)]
        return sorted(found, key=lambda alert: (alert.raised_at, alert.customer_id, alert.alert_id))

    @property
    def examples(self) -> list[Example]:
        batches = {(batch.source, batch.seq): batch for batch in map(decode_batch, self.values(TOPICS.examples))}
        return sorted(
            (example for batch in batches.values() for example in batch.examples),
            key=lambda example: (example.taken_ms, example.customer),
        )

    def said(self) -> list[tuple[bytes, bytes]]:
        """Alerts and scores as (key, value), in the order of each customer, customers sorted."""
        topics = (TOPICS.alerts, TOPICS.scores)
        chosen = [(message.key or b"", message.value or b"") for message in self.published if message.topic in topics]
        return sorted(chosen, key=lambda message: message[0])
