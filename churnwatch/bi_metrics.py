"""What `churnwatch bi load` counts. No label names a customer."""

from __future__ import annotations

from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

from agents.metric_kinds import Metric, counter, gauge, histogram
from bi.messages import KINDS, Kind

Outcome = Literal["loaded", "passed_over", "erased"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("loaded", "passed_over", "erased")
MESSAGES: Final = counter(
    "bi_messages",
    "messages",
    "Messages that the database reflects: loaded, passed_over (could not be read), erased (of a customer who was erased since)",
    "kind",
    "outcome",
)
ROWS: Final = counter("bi_rows", "rows", "Rows merged into the tables, one for each key in a transaction")
SECONDS: Final = histogram(
    "bi_load_seconds",
    "seconds",
    "How long one transaction took",
    (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0),
)
LAG: Final = gauge("bi_lag_messages", "messages", "Messages on the topics that the database does not reflect yet")
LAG_SECONDS: Final = gauge(
    "bi_lag_seconds", "seconds", "Age of the message loaded last, by its time in Kafka, while there is lag; else 0"
)
UP: Final = gauge(
    "bi_database_up", "bool", "1 while the database answers and this process is the one that fills it, else 0"
)
LEARNER: Final = gauge(
    "bi_learner_age_seconds",
    "seconds",
    "Since goals and model quality were last read from Redis; -1 before the first time",
)

LOADING: Final = (MESSAGES, ROWS, SECONDS, LAG, LAG_SECONDS, UP, LEARNER)
"""All metrics of `bi load`; docs/bi/sink.md lists them."""


class BiMetrics:
    """The metrics of one process, all of them there from the start. `up` and `lag` are read by /healthz too."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each counter, read by nothing here
        self._registry = CollectorRegistry()
        self._messages = Counter(MESSAGES.name, MESSAGES.meaning, MESSAGES.labels, registry=self._registry)
        for kind in KINDS:
            for outcome in OUTCOMES:
                self._messages.labels(kind, outcome)
        self._rows = Counter(ROWS.name, ROWS.meaning, registry=self._registry)
        self._seconds = Histogram(SECONDS.name, SECONDS.meaning, buckets=SECONDS.buckets, registry=self._registry)
        self._gauges = {declared: self._gauge(declared) for declared in (LAG, LAG_SECONDS, UP, LEARNER)}
        self.up = False
        self.lag = 0
        self.latest_ms: int | None = None
        """Kafka's time of the message loaded last."""
        self.learner_at: float | None = None
        """The monotonic clock when Redis was last read, seconds."""

    def loaded(self, counts: dict[tuple[Kind, Outcome], int], rows: int, seconds: float) -> None:
        """One transaction is committed."""
        for (kind, outcome), count in counts.items():
            self._messages.labels(kind, outcome).inc(count)
        self._rows.inc(rows)
        self._seconds.observe(seconds)

    def render(self, *, now_ms: int, now_seconds: float) -> bytes:
        """Give all of them in Prometheus' text form."""
        behind = self.lag and self.latest_ms is not None
        values = {
            LAG: self.lag,
            LAG_SECONDS: max(0, now_ms - (self.latest_ms or 0)) / 1000 if behind else 0,
            UP: self.up,
            LEARNER: -1 if self.learner_at is None else now_seconds - self.learner_at,
        }
        for declared, value in values.items():
            self._gauges[declared].set(value)
        return generate_latest(self._registry)

    def _gauge(self, declared: Metric) -> Gauge:
        return Gauge(declared.name, declared.meaning, registry=self._registry)
