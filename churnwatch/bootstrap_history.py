"""The history of a bootstrap: event files checked, then replayed in memory by the worker's own parts.

1. check    every line goes through the codec, and its time must be one that still counts where it stands in its file
2. replay   feed, runner, pipeline and learner, on the events' own clock; state in memory, messages into a `Sink`
3. rest     the clock stops at the watermark of the last event, as a partition's does that has taken in all there is so far

The learner hears every batch as if all partitions had spoken with one voice, so a worker's partitions can go on where this ends: with
the same sequence number, and the same promise of what has been sent.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import groupby, islice
from pathlib import Path
from time import perf_counter
from typing import Final

from agents.clock import PartitionClock
from agents.effects import Effects
from agents.guides import GuideBook
from agents.meta import Meta
from agents.outbox import Outbox
from agents.runner import PartitionRunner
from churnwatch import compose
from churnwatch.settings import Settings
from features.store import MemoryPartition, MemoryStore
from features.tiles import RETENTION_DAYS
from models.guide import Guide
from models.labels import ExampleBatch, decode_batch
from models.learner import Learner
from models.store import HISTORY_MAX
from streams.codec import Arrival, Limits, RawRecord, decode
from streams.errors import InputFileError
from streams.feed import Batch, event_ms
from streams.files import read_events
from streams.outgoing import Outgoing
from streams.time import DAY_MS, iso

READ_EVENTS: Final = 4_000
REPORT_EVERY: Final = 5_000
BAD_LINES_MAX: Final = 100_000
"""More bad lines than this and the files are not of events."""

FILES: Final = "files"
"""What the runner takes for the one topic; the events themselves know their own."""

KEPT_MS: Final = RETENTION_DAYS * DAY_MS
"""What lies further behind the newest event counts for nothing any more."""


@dataclass(frozen=True, slots=True)
class Files:
    """The event files and how they are read: as `settings` say, events before `until_ms` only (None: all), as of `now_ms`."""

    settings: Settings
    paths: Sequence[Path]
    until_ms: int | None
    now_ms: int

    def events(self, path: Path, bad: Callable[[InputFileError], None]) -> Iterator[tuple[int, Arrival]]:
        """Yield (line, event) of one file; `bad` is told of every line that is no event, which is then passed over."""
        limits = Limits(self.settings.value_bytes_max, self.settings.future_tolerance_ms)
        inputs = self.settings.topics().inputs
        for line, stream, raw in read_events(path, bad=bad):
            item = decode(
                RawRecord(inputs[stream], 0, line - 1, 0, None, raw), stream, limits, self.now_ms, keyed=False
            )
            if isinstance(item, Arrival):
                yield line, item
            else:
                bad(InputFileError(path, line, f"{item.reason}: {item.message}"))

    def wanted(self, arrival: Arrival) -> bool:
        """Whether the event belongs to the history."""
        return self.until_ms is None or arrival.event.occurred_at < self.until_ms

    def arrivals(self) -> Iterator[Arrival]:
        """Give the history's events in the order of the merge feed: by event time, then by topic."""

        def one(path: Path) -> Iterator[Arrival]:
            return (arrival for _, arrival in self.events(path, _pass_over) if self.wanted(arrival))

        for _, together in groupby(merge(*map(one, self.paths), key=event_ms), event_ms):
            yield from sorted(together, key=lambda arrival: arrival.record.topic)


@dataclass(slots=True)
class Checked:
    """What the check found.

    Attributes:
        lines: lines looked at so far.
        events: events of the history.
        after: events left to the topics, at or after `until_ms`.
        skipped: bad lines left out.
        first_ms, last_ms: span of the history's event times; `last_ms` is None where there is no event.
    """

    lines: int = 0
    events: int = 0
    after: int = 0
    skipped: int = 0
    first_ms: int = 0
    last_ms: int | None = None


def check(files: Files, *, skip_bad: bool) -> Iterator[Checked]:
    """Check every line; yields the same, growing result every few thousand lines, and when it is complete.

    Raises:
        InputFileError: the first bad line (with `skip_bad` too many of them), or one so far out of order that it would not count.
    """
    found = Checked()

    def bad(error: InputFileError) -> None:
        if not skip_bad:
            raise error
        found.skipped += 1
        if found.skipped > BAD_LINES_MAX:
            raise InputFileError(path, None, f"more than {BAD_LINES_MAX} bad lines: is this a file of events?")

    for path in files.paths:
        newest_ms = 0
        for line, arrival in files.events(path, bad):
            found.lines += 1
            if found.lines % REPORT_EVERY == 0:
                yield found
            if not files.wanted(arrival):
                found.after += 1
                continue
            at_ms = arrival.event.occurred_at
            if at_ms < newest_ms - KEPT_MS and arrival.stream != "profiles":
                problem = f"it occurred at {iso(at_ms)}, a line above it at {iso(newest_ms)}: too far behind to count"
                raise InputFileError(path, line, f"{problem}; sort the file by occurred_at")
            newest_ms = max(newest_ms, at_ms)
            found.first_ms = min(found.first_ms, at_ms) if found.events else at_ms
            found.events += 1
        if newest_ms:
            found.last_ms = max(newest_ms, found.last_ms or 0)
    yield found


def _pass_over(_: InputFileError) -> None:
    """Leave out what the check has counted, or has refused already."""


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
        learner.absorb(ExampleBatch(0, self._partitions, batch.seq, batch.mark_ms, False, batch.examples, batch.stats))
        for source in range(1, self._partitions):
            learner.absorb(ExampleBatch(source, self._partitions, batch.seq, batch.mark_ms))


class _Observer:
    """Counts, per step."""

    def __init__(self, history: History) -> None:
        self._events = history.events

    def stepped(self, runner: PartitionRunner, batch: Batch, effects: Effects, seconds: Mapping[str, float]) -> None:  # noqa: ARG002
        for (_, outcome), count in effects.outcomes.items():
            self._events[outcome] += count
            self._events["read"] += count

    def published(self, runner: PartitionRunner, effects: Effects) -> None:
        """Nothing waits for an acknowledgement."""

    def answered(self) -> None:
        """Memory always answers."""

    def waiting(self, partition: int, why: str) -> None:
        """Memory always answers."""

    def fenced(self, partition: int) -> None:
        """There is no other writer."""


class _FileSource:
    """All records come by `push`; the log ends when the files do."""

    def __init__(self) -> None:
        self.ended = False

    def at_end(self, topic: str) -> bool:  # noqa: ARG002 - the port's
        return self.ended

    async def start_from(self, offsets: Mapping[str, int]) -> None:
        """There is one place to start from."""

    def pause(self, topic: str) -> None:
        """Nothing comes unasked."""

    def resume(self, topic: str) -> None:
        """Nothing comes unasked."""

    def stored(self, offsets: Mapping[str, int]) -> None:
        """Nothing is committed."""


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
    source, outbox = _FileSource(), Outbox(sink(settings, history, partitions))
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
