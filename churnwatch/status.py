"""What a worker says of itself when asked: /metrics, /healthz, /readyz. Nothing outside the process is touched."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from agents.guides import GuideBook
from agents.health import HealthState, Progress, Readiness, Verdict, health, readiness
from agents.ingest import Assignments, TopicSource
from agents.metrics import Metrics
from agents.observe import WorkerObserver
from agents.runner import PartitionRunner
from agents.sources import Outages, latest_heard, silent_topics

PATIENCE_MS: Final = 10_000


def now_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000


def monotonic_ms() -> int:
    """A clock that never goes back, for spans."""
    return time.monotonic_ns() // 1_000_000


@dataclass(slots=True)
class _Seen:
    """What was found when last looked; `clocks_ms` is partition to when its clock was."""

    second: int = -1
    silent: frozenset[str] = frozenset()
    clocks_ms: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """Looks at the worker's parts when asked; `loaded` and `stopping` tell what only the worker knows."""

    topics: Sequence[str]
    assignments: Assignments
    observer: WorkerObserver
    metrics: Metrics
    guides: GuideBook
    replay: bool
    loaded: Callable[[], bool]
    stopping: Callable[[], bool]
    silent_ms: int
    telling: frozenset[str]
    """Topics whose silence a customer's silence is judged by."""
    outages: Outages
    others: Callable[[], Sequence[Progress]]
    """How the parts fare that are no partitions."""
    awake_ms: Callable[[], int]
    """The clock that stalls are measured by; it stands still while the process does."""
    stalled_ms_max: int

    _seen: _Seen = field(default_factory=_Seen)

    def health(self) -> Verdict:
        """Whether the process works."""
        return health(HealthState(self.parts(), self.awake_ms(), self.stalled_ms_max))

    def parts(self) -> list[Progress]:
        """How everything fares that must move."""
        return [*(self._progress(runner, source) for runner, source in self._runners()), *self.others()]

    def readiness(self) -> Verdict:
        """Whether the worker does what it is for."""
        progress = [self._progress(runner, source) for runner, source in self._runners()]
        if not progress and self.assignments.runners:
            progress = [Progress(0, pending=False, progressed_ms=self.awake_ms())]  # the learner alone
        answered_ms = self.observer.redis_answered_ms
        return readiness(Readiness(progress, answered_ms, self.loaded(), self.stopping(), self.awake_ms(), PATIENCE_MS))

    def render_metrics(self) -> bytes:
        """All metrics, with what is only looked at when asked for brought up to date."""
        for runner, source in self._runners():
            self._measure(runner, source)
        silent = self.silent()
        for topic in self.topics:
            self.metrics.source_silent(topic, silent=topic in silent)
        self.observer.reckon()
        guide = self.guides.latest.guide
        age_seconds = (now_ms() - guide.learnt_until_ms) / 1000 if guide.learnt_until_ms else 0.0
        self.metrics.model(version=guide.version, examples=guide.examples, ready=guide.ready, age_seconds=age_seconds)
        self.metrics.quality(guide.quality)
        self.metrics.standing(guide.standing)
        self.metrics.champion(guide.recipe, guide.standing)
        self.metrics.drift(guide.standing.drift)
        self.metrics.condition(healthy=self.health().ok, ready=self.readiness().ok)
        return self.metrics.render()

    def heard(self, partition: int) -> Mapping[str, int]:
        """Topic to the latest event time that any partition held has heard, for the topics that silence is judged by.

        Asked by each partition's clock, live, at every step.
        """
        self._seen.clocks_ms[partition] = now_ms()
        heard_ms = self._heard()
        self._watch(heard_ms)
        return {topic: at_ms for topic, at_ms in heard_ms.items() if topic in self.telling}

    def held(self) -> bool:
        """Whether a source that silence is judged by is silent as a whole; looked up once a second at most."""
        if self.replay:
            return False
        return bool(self._watch(self._heard()) & self.telling)

    def silent(self) -> frozenset[str]:
        """Input topics that are silent as a whole."""
        return frozenset() if self.replay else self._silent(self._heard())

    def _heard(self) -> dict[str, int]:
        return latest_heard(runner.meta.heard_ms for runner, _ in self._runners())

    def _watch(self, heard_ms: Mapping[str, int]) -> frozenset[str]:
        """Look for outages once a second, say when they begin and end, and tell which there are."""
        second = monotonic_ms() // 1000
        if self._seen.second != second:
            self._seen.second, self._seen.silent = second, self._silent(heard_ms)
            self.outages.note(heard_ms, self._seen.silent, now_ms())
        return self._seen.silent

    def _silent(self, heard_ms: Mapping[str, int]) -> frozenset[str]:
        runners = list(self._runners())
        caught_up = {topic: all(source.at_end(topic) for _, source in runners) for topic in self.topics}
        return silent_topics(heard_ms, caught_up, now_ms(), self.silent_ms)

    def _measure(self, runner: PartitionRunner, source: TopicSource) -> None:
        meta = runner.meta
        behind_ms = now_ms() - meta.taken_ms if meta.taken_ms > 0 else 0
        for topic in self.topics:
            lag = (source.lag_events(topic) or 0) + runner.feed.buffered(topic)
            self.metrics.lag(topic, runner.partition, lag, behind_ms / 1000 if lag else 0.0)
        mode = "replay" if self.replay else ("lagging" if len(runner.feed) else "live")
        self.metrics.clock(runner.partition, mode, max(meta.clock_ms, 0))
        self.metrics.partition(
            runner.partition,
            stalled_seconds=self._progress(runner, source).stalled_ms(self.awake_ms()) / 1000,
            outbox_pending=runner.outbox.pending,
            customers=meta.customers,
            open_episodes=meta.open_episodes,
        )

    def _progress(self, runner: PartitionRunner, source: TopicSource) -> Progress:
        lag = sum(source.lag_events(topic) or 0 for topic in self.topics)
        meta, paced = runner.meta, self.guides.holds(runner.feed.head_ms())
        pending = bool(lag or len(runner.feed) or runner.outbox.pending or source.epoch < 0)
        # Live, time itself is work: a clock that nobody looks at wakes nobody up. One that waits for a source is looked at.
        looked_ms = self._seen.clocks_ms.setdefault(runner.partition, now_ms())
        pending = pending or (not self.replay and now_ms() - looked_ms > PATIENCE_MS)
        mark = (meta.commits, meta.clock_ms)
        return self.observer.progress(runner.partition, pending=pending, paced=paced, mark=mark)

    def _runners(self) -> Iterator[tuple[PartitionRunner, TopicSource]]:
        for slot, runner in self.assignments.runners.items():
            if isinstance(runner, PartitionRunner):
                yield runner, self.assignments.source(slot)
