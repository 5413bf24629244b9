"""What `churnwatch deliver` counts. No label names a customer, an owner or an address."""

from __future__ import annotations

from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

from agents.metric_kinds import Metric, counter, gauge, histogram

Outcome = Literal["delivered", "filtered", "repeated", "dead_lettered"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("delivered", "filtered", "repeated", "dead_lettered")
ANSWERS: Final = ("2xx", "3xx", "4xx", "5xx", "none")
ALERTS: Final = counter(
    "webhook_alerts", "alerts", "Alerts settled: delivered, filtered, repeated, dead_lettered", "outcome"
)
ATTEMPTS: Final = counter(
    "webhook_attempts", "posts", "Posts, by the kind of answer: 2xx, 3xx, 4xx, 5xx, none", "answer"
)
SECONDS: Final = histogram(
    "webhook_attempt_seconds",
    "seconds",
    "How long the receiver took to answer, or not to",
    (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0),
)
UP: Final = gauge(
    "webhook_receiver_up", "bool", "1 where the latest attempt of any partition met a receiver that works, else 0"
)
WAITING: Final = gauge("webhook_waiting_alerts", "alerts", "Alerts on the partitions held that are not settled yet")
OLDEST: Final = gauge(
    "webhook_oldest_waiting_seconds",
    "seconds",
    "Age of the oldest alert in hand, from its time in Kafka; 0 where there is none",
)
PARTITIONS: Final = gauge("webhook_partitions", "partitions", "Partitions of the alerts' topic held")

DELIVERING: Final = (ALERTS, ATTEMPTS, SECONDS, UP, WAITING, OLDEST, PARTITIONS)
"""All metrics of `deliver`; docs/alerts.md lists them."""


class DeliverMetrics:
    """The metrics of one process, all of them there from the start."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each counter, read by nothing here
        self._registry = CollectorRegistry()
        self._alerts = self._counter(ALERTS, OUTCOMES)
        self._attempts = self._counter(ATTEMPTS, ANSWERS)
        self._seconds = Histogram(SECONDS.name, SECONDS.meaning, buckets=SECONDS.buckets, registry=self._registry)
        self._up, self._waiting = self._gauge(UP), self._gauge(WAITING)
        self._oldest, self._partitions = self._gauge(OLDEST), self._gauge(PARTITIONS)
        self._up.set(1)

    def settled(self, outcome: Outcome) -> None:
        """One alert needs no further attempt."""
        self._alerts.labels(outcome).inc()

    def attempted(self, status: int | None, seconds: float) -> None:
        """One post was answered with that status, or not at all."""
        kind = "none" if status is None else f"{status // 100}xx"
        self._attempts.labels(kind if kind in ANSWERS else "none").inc()
        self._seconds.observe(seconds)

    def render(self, *, up: bool, waiting: int, oldest_seconds: float, partitions: int) -> bytes:
        """Give all of them in Prometheus' text form."""
        self._up.set(up)
        self._waiting.set(waiting)
        self._oldest.set(oldest_seconds)
        self._partitions.set(partitions)
        return generate_latest(self._registry)

    def _counter(self, declared: Metric, values: tuple[str, ...]) -> Counter:
        made = Counter(declared.name, declared.meaning, declared.labels, registry=self._registry)
        for value in values:
            made.labels(value)
        return made

    def _gauge(self, declared: Metric) -> Gauge:
        return Gauge(declared.name, declared.meaning, registry=self._registry)
