"""The offline replay: what the system would have said, had it been there.

It runs the live worker's own parts (feed, runner, pipeline, learner) over files instead of Kafka and memory instead of Redis. What a
customer's records lead to does not depend on partitions or chunks, so one partition here gives what four and two workers give there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import groupby
from pathlib import Path
from time import perf_counter

from agents.clock import PartitionClock
from agents.effects import Effects
from agents.guides import GuideBook
from agents.outbox import Outbox
from agents.runner import PartitionRunner
from alerts.alert import Alert
from alerts.alert import decode as decode_alert
from churnwatch import compose
from churnwatch.offline import FileSource, OfflineObserver
from churnwatch.settings import Settings
from features.store import MemoryPartition, MemoryStore
from models.guide import Guide
from models.labels import Example, ExampleBatch, decode_batch
from models.learner import Learner
from streams.codec import Arrival, Limits, RawRecord, Rejected, decode
from streams.feed import Batch, event_ms
from streams.files import read_events
from streams.outgoing import Outgoing
from streams.topics import Topics

READ_EVENTS = 4_000
FILE = "file"


@dataclass(slots=True, repr=False)  # asyncio writes out a finished task's result, and this one is long
class Backtest:
    """What a replay said and learnt.

    Attributes:
        events: outcome (read, applied, duplicate, late, dead_lettered) to events.
        alerts: all alerts, in order.
        examples: all labelled examples, in the order in which they matured for the pipeline.
        scorings: cause (event, silence, snapshot) to scorings.
        guide: the last guide.
        quality: the learner's prequential figures.
        first_ms, last_ms: event time of the first and last event.
        seconds: how long it took.
        partition: the state at the end.
    """

    events: Counter[str] = field(default_factory=Counter)
    alerts: list[Alert] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)
    scorings: Counter[str] = field(default_factory=Counter)
    guide: Guide | None = None
    quality: dict[str, float] = field(default_factory=dict)
    first_ms: int = 0
    last_ms: int = 0
    seconds: float = 0.0
    partition: MemoryPartition = field(default_factory=MemoryPartition)


Progress = Callable[[Backtest, int, Learner | None], None]
"""Called now and then with the result so far, the clock in epoch milliseconds, and the learner (None for a frozen model)."""

Watch = Callable[[Sequence[Arrival | Rejected]], None]
"""Shown all records of a step, in event-time order, once the step is done."""


class _Sink:
    """Takes what the worker would publish: collects alerts, hands example batches to the learner."""

    def __init__(self, topics: Topics, result: Backtest, learner: Learner | None) -> None:
        self._topics = topics
        self._result = result
        self._learner = learner

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        for message in messages:
            if message.topic == self._topics.alerts:
                self._result.alerts.append(decode_alert(message.value or b""))
            elif message.topic == self._topics.examples:
                self._take(decode_batch(message.value or b""))

    def _take(self, batch: ExampleBatch) -> None:
        self._result.examples.extend(batch.examples)
        if self._learner is not None:
            self._learner.absorb(batch)


class _Observer(OfflineObserver):
    """Counts, per step."""

    def __init__(self, result: Backtest, watch: Watch | None) -> None:
        self._result = result
        self._watch = watch

    def stepped(self, runner: PartitionRunner, batch: Batch, effects: Effects, seconds: Mapping[str, float]) -> None:  # noqa: ARG002
        if self._watch is not None:
            self._watch(batch.items)
        for (_, outcome), count in effects.outcomes.items():
            self._result.events[outcome] += count
            self._result.events["read"] += count
        self._result.scorings.update(effects.scorings)


def read_arrivals(paths: Sequence[Path], topics: Topics, limits: Limits, now_ms: int) -> Iterator[Arrival | Rejected]:
    """Give the events of all files (each in event-time order) as the merge feed would give them from Kafka's topics.

    Of events at the same instant the topic's name decides there, not their place in the file.
    """

    def one(path: Path) -> Iterator[Arrival | Rejected]:
        for line, stream, raw in read_events(path):
            record = RawRecord(topics.inputs[stream], 0, line - 1, 0, None, raw)
            yield decode(record, stream, limits, now_ms, keyed=False)

    came = merge(*map(one, paths), key=event_ms)
    for _, together in groupby(came, event_ms):
        yield from sorted(together, key=lambda item: item.record.topic)


async def replay(
    settings: Settings,
    paths: Sequence[Path],
    *,
    now_ms: int,
    frozen: Guide | None = None,
    progress: Progress | None = None,
    watch: Watch | None = None,
) -> Backtest:
    """Replay files through the pipeline and, unless `frozen` is given, the learner.

    Args:
        settings: as for the worker; the clock is the events' own whatever it says.
        paths: event files, each in event-time order.
        now_ms: wall clock, for what is refused as lying in the future.
        frozen: a guide to score with instead of learning.
        progress: see `Progress`.
        watch: see `Watch`.

    Raises:
        InputFileError: a file or line cannot be read.
    """
    settings = settings.model_copy(update={"clock": "replay", "learning_enabled": frozen is None})
    started = perf_counter()
    result = Backtest()
    topics = settings.topics()
    learner = compose.learner(settings) if frozen is None else None
    guides = GuideBook(frozen or compose.first_guide(), compose.epoch_ms(settings))
    source, outbox = FileSource(), Outbox(_Sink(topics, result, learner))
    clock = PartitionClock(settings.lateness_ms, lambda: now_ms, live=False)
    runner = PartitionRunner(
        0,
        [FILE],
        store=MemoryStore(result.partition),
        source=source,
        outbox=outbox,
        pipeline=compose.pipeline(settings),
        guides=guides,
        clock=clock,
        observer=_Observer(result, watch),
        config=compose.step_limits(settings, 1),
        timer=perf_counter,
    )
    await runner.open()
    limits = Limits(settings.value_bytes_max, settings.future_tolerance_ms)
    arrivals = read_arrivals(paths, topics, limits, now_ms)
    while not runner.done():
        while len(runner.feed) < READ_EVENTS and not source.ended:
            runner.push(FILE, _next(arrivals, source, result))
        if source.ended:
            clock.until_ms = result.last_ms
        worked = await runner.step()
        await outbox.flush()
        if learner is not None:
            _follow(learner, guides)
        if progress is not None and worked:
            progress(result, runner.meta.clock_ms, learner)
    result.guide = guides.latest.guide
    result.quality = learner.quality() if learner is not None else {}
    result.seconds = perf_counter() - started
    return result


def _next(arrivals: Iterator[Arrival | Rejected], source: FileSource, result: Backtest) -> list[Arrival | Rejected]:
    chunk = [item for _, item in zip(range(READ_EVENTS), arrivals, strict=False)]
    source.ended = len(chunk) < READ_EVENTS
    times = [item.event.occurred_at for item in chunk if isinstance(item, Arrival)]
    if times:
        result.first_ms = result.first_ms or times[0]
        result.last_ms = max(result.last_ms, *times)
    return chunk


def _follow(learner: Learner, guides: GuideBook) -> None:
    for guide in learner.advance():
        guides.add(guide.learnt_until_ms, guide)
    if learner.learnt_until_ms is not None:
        guides.finished(learner.learnt_until_ms)
