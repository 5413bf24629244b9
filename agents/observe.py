"""What the runners report, made into metrics and into what the health checks are judged by. Per step, never per event."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agents.effects import Effects
from agents.health import Progress
from agents.metrics import Metrics
from agents.runner import PartitionRunner
from models.learner import Learner
from models.standing import Standing
from streams.feed import Batch

log = logging.getLogger("churnwatch.worker")


@dataclass(slots=True)
class _Partition:
    progressed_ms: int
    waits_for: str | None = None


class WorkerObserver:
    """One for the worker; told by its runners, asked by its web routes.

    Args:
        metrics: where to count.
        now_ms: wall clock, for latencies; monotonic_ms: for progress.
    """

    def __init__(self, metrics: Metrics, now_ms: Callable[[], int], monotonic_ms: Callable[[], int]) -> None:
        self._metrics = metrics
        self._now_ms = now_ms
        self._monotonic_ms = monotonic_ms
        self._partitions: dict[int, _Partition] = {}
        self.redis_answered_ms: int | None = None
        self._gaps = 0
        self._told_version = 0
        self._standing: Standing | None = None
        self._changed_ms = 0

    # -- told by partition runners -------------------------------------------------------------------------------------

    def stepped(self, runner: PartitionRunner, batch: Batch, effects: Effects, seconds: Mapping[str, float]) -> None:
        """Count a step whose transaction has succeeded."""
        self._moved(runner.partition)
        metrics = self._metrics
        _count_events(metrics, effects)
        metrics.step(len(batch.items), seconds)
        metrics.redis("load", seconds["load"])
        metrics.redis("commit", seconds["commit"])
        if effects.woken:
            metrics.timers(due=effects.woken, fired=effects.woken, late_seconds_max=effects.wake_late_ms_max / 1000)
        metrics.scorings(effects.scorings)
        metrics.outcomes(effects.reports)
        churned = sum(example.label for example in effects.examples)
        metrics.examples(churned=churned, stayed=len(effects.examples) - churned)
        for alert in effects.alerts:
            metrics.alert(alert.kind, alert.band, alert.segment, alert.reasons)

    def published(self, runner: PartitionRunner, effects: Effects) -> None:
        """Record how long the step's alerts took from their event to Kafka's acknowledgement."""
        self._moved(runner.partition)
        for alert in effects.alerts:
            if alert.since_ms is not None:
                self._metrics.alert_acknowledged((self._now_ms() - alert.since_ms) / 1000)

    def answered(self) -> None:
        """Redis has answered."""
        self.redis_answered_ms = self._monotonic_ms()

    def waiting(self, partition: int, why: str) -> None:
        """Redis does not answer: say so, and let readiness fail."""
        self._metrics.redis_failed("commit")
        self._wait(partition, "Redis", why)

    def fenced(self, partition: int) -> None:
        """Another writer has changed the partition."""
        self._metrics.fence_lost()
        log.warning("Partition %d was changed by another writer; reading it anew", partition)

    def publishing_waits(self, partition: int, why: str) -> None:
        """Kafka does not acknowledge."""
        self._wait(partition, "Kafka", why)

    def _wait(self, partition: int, service: str, why: str) -> None:
        state = self._partitions.setdefault(partition, _Partition(self._monotonic_ms()))
        if state.waits_for != service:
            log.warning("Partition %d waits for %s: %s", partition, service, why)
        state.waits_for = service

    def _moved(self, partition: int) -> None:
        state = self._partitions.setdefault(partition, _Partition(0))
        if state.waits_for:
            log.info("Partition %d goes on: %s answers again", partition, state.waits_for)
        state.progressed_ms, state.waits_for = self._monotonic_ms(), None
        self.redis_answered_ms = state.progressed_ms

    # -- told by the learner -------------------------------------------------------------------------------------------

    def learnt(self, learner: Learner, waiting_batches: int) -> None:
        """Note the learner's figures."""
        self.redis_answered_ms = self._monotonic_ms()
        self._metrics.learner_lag(waiting_batches)
        if learner.counters.gaps > self._gaps:
            self._gaps = learner.counters.gaps
            log.error(
                "%d example batches were never received: Kafka has dropped them (retention too small?)",
                learner.counters.gaps,
            )

        if learner.version != self._told_version:
            self._told_version = learner.version
            self._tell(learner.version, learner.standing())

    def _tell(self, version: int, standing: Standing) -> None:
        """Say in the log what is new: a champion, a warning of drift, another verdict."""
        changed_ms = standing.promotions[-1].at_ms if standing.promotions else 0
        if self._standing is not None and changed_ms > self._changed_ms:
            log.warning("From model %d on another recipe speaks: %s", version, standing.promotions[-1])
        warnings = standing.drift.warnings()
        known = {} if self._standing is None else self._standing.drift.warnings()
        for kind in warnings.keys() - known.keys():
            log.warning("Drift of %s, as of model %d: %s", kind.replace("_", " "), version, warnings[kind])
        for kind in known.keys() - warnings.keys():
            log.info("Drift of %s has ended, as of model %d", kind.replace("_", " "), version)
        if self._standing is not None and self._standing.verdict.band != standing.verdict.band:
            log.info("The model is %s now: %s", standing.verdict.words, standing.verdict.reason)
        self._standing, self._changed_ms = standing, changed_ms

    def learner_waiting(self, why: str) -> None:
        """Redis does not answer the learner."""
        self._metrics.redis_failed("learner")
        log.warning("The learner waits for Redis: %s", why)

    # -- asked by the web routes ---------------------------------------------------------------------------------------

    def held(self, partitions: list[int]) -> None:
        """The partitions held now."""
        now_ms = self._monotonic_ms()
        self._partitions = {partition: self._partitions.get(partition, _Partition(now_ms)) for partition in partitions}
        self._metrics.assigned(partitions)
        log.info("Partitions held: %s", ", ".join(map(str, partitions)) or "none")

    def progress(self, partition: int, *, pending: bool, paced: bool) -> Progress:
        """How a partition fares; one without work counts as having just moved. `paced`: it waits for the learner, in replay."""
        state = self._partitions.setdefault(partition, _Partition(self._monotonic_ms()))
        if not pending and state.waits_for is None:
            state.progressed_ms = self._monotonic_ms()
        return Progress(
            partition,
            pending or state.waits_for is not None,
            state.progressed_ms,
            state.waits_for or ("a model" if paced else None),
        )


def _count_events(metrics: Metrics, effects: Effects) -> None:
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    for (topic, outcome), count in effects.outcomes.items():
        outcomes[topic][outcome] += count
    letters: dict[str, Counter[str]] = defaultdict(Counter)
    for (topic, reason), count in effects.dead_letters.items():
        letters[topic][reason] += count
    for topic, counts in outcomes.items():
        metrics.events(topic, **counts)
    for topic, reasons in letters.items():
        metrics.dead_letters(topic, reasons)
