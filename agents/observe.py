"""What the runners report, made into metrics and into what the health checks are judged by. Per step, never per event."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping

from agents.effects import Effects
from agents.goal_figures import goal_samples
from agents.health import A_BOOTSTRAP, Progress
from agents.meta import UNFINISHED
from agents.metrics import Metrics
from agents.parts import KAFKA, LEARNER, OUTBOX, PARTITION, Parts
from agents.runner import PartitionRunner
from alerts.goals import Goals
from alerts.ledger import Books, Ledger
from models.learner import Learner
from models.standing import Standing
from streams.errors import LogUnavailable, NotOpened, StateError
from streams.feed import Batch

log = logging.getLogger("churnwatch.worker")


A_MODEL = "a model"
REDIS = "Redis"


class WorkerObserver:
    """One for the worker; told by its runners, asked by its web routes.

    Args:
        metrics: where to count.
        now_ms: wall clock, for latencies.
        monotonic_ms: for progress.
        goals: the targets that are set (`alerts.goals`).
    """

    def __init__(
        self, metrics: Metrics, now_ms: Callable[[], int], monotonic_ms: Callable[[], int], goals: Goals | None = None
    ) -> None:
        self._metrics = metrics
        self._now_ms = now_ms
        self._monotonic_ms = monotonic_ms
        self.parts = Parts(monotonic_ms)
        self.redis_answered_ms: int | None = None
        self._gaps = 0
        self._told_version = 0
        self._standing: Standing | None = None
        self._changed_ms = 0
        self._goals: Goals = goals or {}
        self._ledger: Ledger | None = None

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
        self.parts.moved(OUTBOX, runner.partition)
        self._moved(runner.partition)
        for alert in effects.alerts:
            if alert.since_ms is not None:
                self._metrics.alert_acknowledged((self._now_ms() - alert.since_ms) / 1000)

    def answered(self) -> None:
        """Redis has answered."""
        self.redis_answered_ms = self._monotonic_ms()

    def waiting(self, partition: int, why: StateError) -> None:
        """Redis or Kafka does not answer, or a bootstrap still fills the partition: say so, and let readiness fail."""
        if str(why) == UNFINISHED:
            self.answered()
            self._wait(partition, A_BOOTSTRAP, str(why))
        elif isinstance(why, LogUnavailable):
            self._wait(partition, KAFKA, str(why))
        else:
            self._metrics.redis_failed("commit")
            self._wait(partition, REDIS, str(why))

    def fenced(self, partition: int) -> None:
        """Another writer has changed the partition."""
        self._metrics.fence_lost()
        log.warning("Partition %d was changed by another writer; reading it anew", partition)

    def publishing_waits(self, partition: int, why: str) -> None:
        """Kafka does not acknowledge."""
        self.parts.waits(KAFKA, OUTBOX, partition)
        self._wait(partition, KAFKA, why)

    def _wait(self, partition: int, service: str, why: str) -> None:
        if self.parts.waits(service, PARTITION, partition):
            log.warning("Partition %d waits for %s: %s", partition, service, why)

    def _moved(self, partition: int) -> None:
        waited_for = self.parts.moved(PARTITION, partition)
        if waited_for:
            log.info("Partition %d goes on: %s answers again", partition, waited_for)
        self.answered()

    # -- told by the learner -------------------------------------------------------------------------------------------

    def learnt(self, learner: Learner, waiting_batches: int) -> None:
        """Note the learner's figures."""
        self.parts.moved(LEARNER)
        self.answered()
        self._metrics.learner_lag(waiting_batches)
        self._ledger = learner.extra.ledger if isinstance(learner.extra, Books) else None
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

    def learner_waiting(self, why: StateError) -> None:
        """Redis does not answer the learner, or does not hold yet what the partitions' first openings leave there."""
        self.parts.waits(REDIS, LEARNER)
        if isinstance(why, NotOpened):
            log.info("The learner waits: %s", why)
            return
        self._metrics.redis_failed("learner")
        log.warning("The learner waits for Redis: %s", why)

    # -- asked by the web routes ---------------------------------------------------------------------------------------

    def held(self, partitions: list[int]) -> None:
        """The partitions held now."""
        self.parts.keep(partitions)
        self._metrics.assigned(partitions)
        self._ledger = None  # who holds the learner now tells of it with its next turn
        self._metrics.goals(())
        log.info("Partitions held: %s", ", ".join(map(str, partitions)) or "none")

    def reckon(self) -> None:
        """Bring the figures of goals and steering up to date, where what was learnt since was booked here. Before a scrape."""
        if self._ledger is not None:
            self._metrics.goals(goal_samples(self._ledger, self._goals))
            self._ledger = None

    def progress(self, partition: int, *, pending: bool, paced: bool, mark: object = None) -> Progress:
        """How a partition fares; one without work counts as having just moved, and so does one whose `mark` has changed.

        `paced`: it waits for the learner, in replay.
        """
        return self.parts.look(PARTITION, partition, pending=pending, mark=mark, waits_for=A_MODEL if paced else None)


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
