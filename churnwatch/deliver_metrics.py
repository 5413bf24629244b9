"""What `churnwatch deliver` counts. No label names a customer, an owner or an address."""

from __future__ import annotations

from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

Outcome = Literal["delivered", "filtered", "repeated", "dead_lettered"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("delivered", "filtered", "repeated", "dead_lettered")
ANSWERS: Final = ("2xx", "3xx", "4xx", "5xx", "none")
SECONDS: Final = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)

MEANINGS: Final = {
    "churnwatch_webhook_alerts_total": "Alerts settled, by outcome: delivered, filtered, repeated, dead_lettered",
    "churnwatch_webhook_attempts_total": "Posts, by the kind of answer: 2xx, 3xx, 4xx, 5xx, none",
    "churnwatch_webhook_attempt_seconds": "How long the receiver took to answer, or not to",
    "churnwatch_webhook_receiver_up": "1 where the latest attempt of any partition reached a receiver that works, else 0",
    "churnwatch_webhook_waiting_alerts": "Alerts on the topic that are not settled yet, in the partitions held",
    "churnwatch_webhook_oldest_waiting_seconds": "Age of the oldest alert in hand, from its time in Kafka; 0 where there is none",
    "churnwatch_webhook_partitions": "Partitions of the alerts' topic held",
}


class DeliverMetrics:
    """The metrics of one process, all of them there from the start."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each counter, read by nothing here
        self._registry = CollectorRegistry()
        self._alerts = self._counter("alerts", "outcome", OUTCOMES)
        self._attempts = self._counter("attempts", "answer", ANSWERS)
        name = "churnwatch_webhook_attempt_seconds"
        self._seconds = Histogram(name, MEANINGS[name], buckets=SECONDS, registry=self._registry)
        self._up = self._gauge("receiver_up")
        self._waiting = self._gauge("waiting_alerts")
        self._oldest = self._gauge("oldest_waiting_seconds")
        self._partitions = self._gauge("partitions")
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

    def _counter(self, name: str, label: str, values: tuple[str, ...]) -> Counter:
        full = f"churnwatch_webhook_{name}_total"
        made = Counter(full, MEANINGS[full], [label], registry=self._registry)
        for value in values:
            made.labels(value)
        return made

    def _gauge(self, name: str) -> Gauge:
        full = f"churnwatch_webhook_{name}"
        return Gauge(full, MEANINGS[full], registry=self._registry)
