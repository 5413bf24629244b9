"""The history of a bootstrap, replayed in memory by the worker's own parts: feed, runner, pipeline and learner.

It goes by the events' own clock, which ends at the watermark of the last event, as a partition's does that has taken in all there
is so far. What a worker would publish goes into a `Sink`.

The learner hears every batch as if all partitions had spoken with one voice, so a worker's partitions can go on where this ends: with
the same sequence number, and the same promise of what has been sent.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from time import perf_counter
from typing import Final

from msgspec.structs import replace

from agents.clock import PartitionClock
from agents.effects import Effects
from agents.guides import GuideBook
from agents.meta import Meta
from agents.outbox import Outbox
from agents.runner import PartitionRunner
from churnwatch import compose
from churnwatch.bootstrap_files import Files
from churnwatch.offline import FileSource, OfflineObserver
from churnwatch.settings import Settings
from features.store import MemoryPartition, MemoryStore
from models.guide import Guide
from models.labels import ExampleBatch, decode_batch
from models.learner import Learner
from models.store import HISTORY_MAX
from streams.feed import Batch
from streams.outgoing import Outgoing

READ_EVENTS: Final = 4_000
FILES: Final = "files"
"""What the runner takes for the one topic; the events themselves know their own."""


@dataclass(slots=True, repr=False)  # asyncio writes out a finished task's result, and this one is long
class History:
    """What a replay of the history has made.

    Attributes:
        events: outcome (read, applied, duplicate, late, dead_lettered) to events.
        examples: labelled examples learnt from or waiting to be.
        withheld: alerts of the past, which nobody is told of.
        scores: customer's key to the last message for the topic of scores.
        partition, meta: state of all customers, and the bookkeeping, as if there were one partition.
        heard_ms: input topic to the latest event time of its stream.
        learner: what has learnt, for as many partitions as there are; None where nothing is learnt.
        guides: the newest guides, oldest first.
    """

    events: Counter[str] = field(default_factory=Counter)
    examples: int = 0
    withheld: int = 0
    scores: dict[bytes, Outgoing] = field(default_factory=dict)
    partition: MemoryPartition = field(default_factory=MemoryPartition)
    meta: Meta = field(default_factory=Meta)
    heard_ms: dict[str, int] = field(default_factory=dict)
    learner: Learner | None = None
    guides: deque[Guide] = field(default_factory=lambda: deque(maxlen=HISTORY_MAX))


class Sink:
    """Takes what a worker would publish: examples go to the learner, the last scores are kept, the rest is only counted."""

    def __init__(self, settings: Settings, history: History, partitions: int) -> None:
        self._topics = settings.topics()
        self._history = history
        self._partitions = partitions

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        """Take messages."""
        for message in messages:
            if message.topic == self._topics.examples:
                self._learn(decode_batch(message.value or b""))
            elif message.topic == self._topics.scores:
                self._history.scores[message.key or b""] = message
            elif message.topic == self._topics.alerts:
                self._history.withheld += 1

    def _learn(self, batch: ExampleBatch) -> None:
        self._history.examples += len(batch.examples)
        learner = self._history.learner
        if learner is None:
            return
        learner.absorb(replace(batch, source=0, partitions=self._partitions, idle=False))
        for source in range(1, self._partitions):
            learner.absorb(ExampleBatch(source, self._partitions, batch.seq, batch.mark_ms, life=batch.life))


class _Observer(OfflineObserver):
    """Counts, per step."""

    def __init__(self, history: History) -> None:
        self._events = history.events

    def stepped(self, runner: PartitionRunner, batch: Batch, effects: Effects, seconds: Mapping[str, float]) -> None:  # noqa: ARG002
        for (_, outcome), count in effects.outcomes.items():
            self._events[outcome] += count
            self._events["read"] += count


async def replay(
    files: Files,
    partitions: int,
    *,
    progress: Callable[[History], None] = lambda _: None,
    sink: type[Sink] = Sink,
) -> History:
    """Replay the checked files for a system of so many input partitions; `progress` is called after every step."""
    settings = files.settings.model_copy(update={"clock": "replay"})
    history = History(learner=compose.learner(settings) if settings.learning_enabled else None)
    guides = GuideBook(compose.frozen_guide(settings) or compose.first_guide(), compose.epoch_ms(settings))
    source, outbox = FileSource(), Outbox(sink(settings, history, partitions))
    runner = PartitionRunner(
        0,
        [FILES],
        store=MemoryStore(history.partition),
        source=source,
        outbox=outbox,
        pipeline=compose.pipeline(settings),
        guides=guides,
        clock=PartitionClock(settings.lateness_ms, lambda: files.now_ms, live=False),
        observer=_Observer(history),
        config=compose.step_limits(settings, 1),
        timer=perf_counter,
    )
    await runner.open()
    arrivals = files.arrivals()
    worked = True
    while worked or len(runner.feed) or not source.ended:
        while len(runner.feed) < READ_EVENTS and not source.ended:
            chunk = list(islice(arrivals, READ_EVENTS))
            source.ended = len(chunk) < READ_EVENTS
            for arrival in chunk:
                topic, at_ms = arrival.record.topic, arrival.event.occurred_at
                history.heard_ms[topic] = max(at_ms, history.heard_ms.get(topic, at_ms))
            runner.push(FILES, chunk)
        worked = await runner.step()
        await outbox.flush()
        if history.learner is not None:
            history.guides.extend(_follow(history.learner, guides))
        history.meta = runner.meta
        progress(history)
        await asyncio.sleep(0)  # memory never waits, and so Ctrl-C would never be heard
    return history


def _follow(learner: Learner, guides: GuideBook) -> list[Guide]:
    cut = learner.advance()
    for guide in cut:
        guides.add(guide.learnt_until_ms, guide)
    if learner.learnt_until_ms is not None:
        guides.finished(learner.learnt_until_ms)
    return cut
