"""The offline replay: what the system would have said, had it been there.

It runs the live worker's own pipeline and learner over files instead of Kafka, with nothing stored and nothing published. What a
customer's records lead to does not depend on partitions or chunks, so a replay gives what four and two workers give there, whether
one process does it (`jobs` 1) or several, among which the customers are dealt out:

    files -> Dealer -> Shard (one a process) -> examples -> Learner (this process)
                         ^------------ guides ----------------'
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Final

from agents.guides import GuideBook
from alerts.alert import Alert
from alerts.alert import decode as decode_alert
from churnwatch import compose
from churnwatch.backtest_frames import Rest, Told, Wants
from churnwatch.backtest_history import History
from churnwatch.backtest_route import Dealer, Decoding
from churnwatch.backtest_rows import Snapshots
from churnwatch.backtest_shard import Shard, Stumbled
from churnwatch.settings import Settings
from features.store import MemoryPartition
from models.guide import Guide
from models.labels import Example, ExampleBatch
from models.learner import Learner
from streams.codec import Limits
from streams.errors import StateError
from streams.time import parse_instant

log = logging.getLogger("churnwatch.backtest")

WAITING_MAX: Final = 10_000_000
"""Examples that may wait to be learnt. A worker learns some early where there are more than it may hold, and which ones these are depends on
who came first; here that bound is out of reach, so that the answers are the same for any number of processes."""


@dataclass(slots=True, repr=False)  # asyncio writes out a finished task's result, and this one is long
class Backtest:
    """What a replay said and learnt; what is not wanted (`Wants`) stays empty.

    Attributes:
        events: outcome (read, applied, duplicate, late, dead_lettered) to events.
        alerts: all alerts, by time, then customer.
        labelled: how many examples there were.
        examples: the labelled examples, in the order in which they are learnt: matured, taken, customer.
        scorings: cause (event, silence, snapshot) to scorings.
        guide: the last guide.
        quality: the learner's prequential figures.
        first_ms, last_ms: event time of the first event, and the latest of all.
        seconds: how long it took.
        partition: the state at the end.
        history, snapshots: when customers ordered, and what was said of them.
    """

    events: Counter[str] = field(default_factory=Counter)
    alerts: list[Alert] = field(default_factory=list)
    labelled: int = 0
    examples: list[Example] = field(default_factory=list)
    scorings: Counter[str] = field(default_factory=Counter)
    guide: Guide | None = None
    quality: dict[str, float] = field(default_factory=dict)
    first_ms: int = 0
    last_ms: int = 0
    seconds: float = 0.0
    partition: MemoryPartition = field(default_factory=MemoryPartition)
    history: History = field(default_factory=History)
    snapshots: Snapshots = field(default_factory=Snapshots)


LEARNT: Final = Wants(examples=True, states=True)
"""What the customers and the learner had come to."""

Progress = Callable[[Backtest, int, Learner | None], None]
"""Called now and then with the result so far, the clock in epoch milliseconds, and the learner (None for a frozen model)."""


class Collector:
    """What the shards say, gathered: into the result, and into the learner, whose guides go back to them.

    What comes of a late line is learnt when the learner is where the log was then, neither sooner nor later, whoever was quicker.
    """

    def __init__(self, result: Backtest, learner: Learner | None, wants: Wants, epoch_ms: int | None) -> None:
        self._result = result
        self._learner = learner
        self._wants = wants
        self._epoch_ms = epoch_ms or 1
        self._held: defaultdict[int, deque[tuple[int | None, ExampleBatch]]] = defaultdict(deque)
        """Shard to what the learner has not heard yet; the shards' limit bounds it."""

    def take(self, told: Told) -> list[Guide]:
        """Take in what came of a shard's step; returns the guides that have been cut, oldest first."""
        result = self._result
        for outcome, count in told.outcomes.items():
            result.events[outcome] += count
            result.events["read"] += count
        result.scorings.update(told.scorings)
        result.alerts.extend(map(decode_alert, told.alerts))
        for batch in told.batches:
            result.labelled += len(batch.examples)
            if self._wants.examples:
                result.examples.extend(batch.examples)
            if self._wants.snapshots:
                result.snapshots.add(batch.examples)
            if self._learner is not None:
                self._held[batch.source].append((told.late_ms, batch))
        return [] if self._learner is None else self._learn(self._learner)

    def _learn(self, learner: Learner) -> list[Guide]:
        guides: list[Guide] = []
        while True:
            heard = [self._hear(learner, held) for held in self._held.values()]
            if not any(heard):
                return guides
            guides += learner.advance()

    def _hear(self, learner: Learner, held: deque[tuple[int | None, ExampleBatch]]) -> bool:
        """Tell the learner what it may hear; returns whether there was any."""
        before = len(held)
        while held:
            late_ms, batch = held[0]
            done_ms = learner.learnt_until_ms
            if late_ms is not None and (done_ms is None or done_ms < late_ms // self._epoch_ms * self._epoch_ms):
                break
            learner.absorb(batch)
            held.popleft()
        return len(held) < before

    def keep(self, rest: Rest) -> None:
        """Take over what a shard held at its end."""
        partition = self._result.partition
        partition.states.update(rest.states)
        for customer_id, due_ms in rest.timers.items():
            partition.timers.update(customer_id, due_ms)
        self._result.history.add(rest)
        self._result.snapshots.add_open(rest.asked)

    def close(self, guides: GuideBook) -> None:
        """Bring everything into an order that no interleaving decides."""
        result = self._result
        result.alerts.sort(key=lambda alert: (parse_instant(alert.raised_at), alert.customer_id))
        result.examples.sort(key=lambda one: (one.matured_ms, one.taken_ms, one.customer))
        result.guide = guides.latest.guide
        result.quality = {} if self._learner is None else self._learner.quality()


async def replay(
    settings: Settings,
    paths: Sequence[Path],
    *,
    now_ms: int,
    frozen: Guide | None = None,
    progress: Progress | None = None,
    wants: Wants = LEARNT,
    vectors: bool = False,
    jobs: int = 1,
) -> Backtest:
    """Replay files through the pipeline and, unless `frozen` is given, the learner.

    Args:
        settings: as for the worker; the clock is the events' own whatever it says.
        paths: event files, each in event-time order.
        now_ms: wall clock, for what is refused as lying in the future.
        frozen: a guide to score with instead of learning.
        progress: see `Progress`.
        wants: what the result is to hold besides counts, alerts and guide.
        vectors: whether `snapshots` hold the feature vectors.
        jobs: processes to share the work; of 1 there is this one alone. Nothing but time depends on it.

    Raises:
        InputFileError: a file or line cannot be read.
        JobError: a process that shared the work has failed or was killed.
    """
    settings = settings.model_copy(update={"clock": "replay", "learning_enabled": frozen is None})
    started = perf_counter()
    play = partial(_play, settings, paths, now_ms, frozen, progress, wants, jobs, vectors=vectors)
    try:
        result = await play(careful=False)
    except Stumbled as stumbled:
        log.warning("A record cannot be worked on (%s): the replay begins again, to find it and leave it out", stumbled)
        result = await play(careful=True)
    result.seconds = perf_counter() - started
    return result


async def _play(
    settings: Settings,
    paths: Sequence[Path],
    now_ms: int,
    frozen: Guide | None,
    progress: Progress | None,
    wants: Wants,
    jobs: int,
    *,
    vectors: bool,
    careful: bool,
) -> Backtest:
    result = Backtest(history=History(settings.churn_on), snapshots=Snapshots(vectors=vectors))
    learner = compose.learner(settings, WAITING_MAX) if frozen is None else None
    guides = GuideBook(frozen or compose.first_guide(), compose.epoch_ms(settings))
    collector = Collector(result, learner, wants, compose.epoch_ms(settings))
    decoding = Decoding(settings.topics(), Limits(settings.value_bytes_max, settings.future_tolerance_ms), now_ms)
    dealer = Dealer(paths, decoding, settings.lateness_ms)

    def heard(told: Told, clock_ms: int) -> list[Guide]:
        fresh = collector.take(told)
        for guide in fresh:
            guides.add(guide.learnt_until_ms, guide)
        result.first_ms = dealer.first_ms
        if progress is not None:
            progress(result, clock_ms, learner)
        return fresh

    if jobs == 1:
        shard = Shard(settings, 0, 1, now_ms, frozen, wants, careful=careful)
        await _alone(shard, dealer, heard, collector, learner)
    else:
        from churnwatch.backtest_jobs import Crew

        crew = Crew(settings, now_ms, frozen, wants, jobs, careful=careful)
        await crew.run(dealer, heard, collector.keep, learner)
    result.last_ms = dealer.last_ms
    collector.close(guides)
    return result


async def _alone(
    shard: Shard,
    dealer: Dealer,
    heard: Callable[[Told, int], Iterable[Guide]],
    collector: Collector,
    learner: Learner | None,
) -> None:
    async def work() -> None:
        while (told := shard.work()) is not None:
            for guide in heard(told, told.clock_ms):
                shard.guides.add(guide.learnt_until_ms, guide)
            if learner is not None and learner.learnt_until_ms is not None:
                shard.guides.finished(learner.learnt_until_ms)
            await asyncio.sleep(0)  # or nobody would hear of a Ctrl-C

    for piece in dealer.pieces():
        shard.take(piece)
        await work()
    shard.end(dealer.last_ms)
    await work()
    if not shard.over:
        raise StateError("the backtest stands still: the learner waits for the lines, and the lines for the learner")
    for rest in shard.rest():
        collector.keep(rest)
