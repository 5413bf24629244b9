"""The worker's metrics: what `agents.metric_catalog` declares, filled in.

Calls come once per chunk, step or scrape, never once per event: counting in a series costs about two microseconds, and a step
counts in some thirty of them, whether it takes in one event or a thousand. Amounts are plain numbers, and spans of time are seconds, as Prometheus wants them.

The conservation law
    At every moment churnwatch_events_total{outcome="read"} = applied + duplicate + late + dead_lettered, for each topic.
    `events` is the only way to count events and adds all five at once; neither it nor `render` awaits anything. Both
    run on the worker's event loop, so no scrape can fall between two of the five. Do not render from another thread.
"""

from collections.abc import Collection, Iterable, Mapping
from itertools import product
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.process_collector import ProcessCollector

from agents.goal_figures import Sample
from agents.metric_catalog import BUILD_LABELS, LABELS, METRICS
from agents.metric_goals import REACHING_GOALS
from agents.metric_kinds import Metric
from agents.metric_series import Series
from models.candidates import RECIPES
from models.drift import Drift
from models.standing import Standing
from models.verdict import VERDICTS

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
"""The media type of what `Metrics.render` returns."""

RECENT: Final = "recent_"
"""What the learner puts before the names of figures over the latest examples."""


class Metrics:
    """All metrics of one worker.

    `topics` are the input topics' names: together with `LABELS` they bound every label, and any other value is counted as
    `other`. `build` gives the versions of `BUILD_LABELS`. Series whose labels are known beforehand start at 0, since
    Prometheus cannot see the increase of a counter that appears with its first value.
    """

    def __init__(self, registry: CollectorRegistry, topics: Collection[str], build: Mapping[str, str]) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each counter, read by nothing here
        self._registry = registry
        allowed = {name: frozenset(label.values) for name, label in LABELS.items() if label.values}
        allowed["topic"] = frozenset(topics)
        self._counters = {
            m.name: Series(m, Counter(m.name, m.meaning, m.labels, registry=registry), allowed) for m in _of("counter")
        }
        self._gauges = {
            m.name: Series(m, Gauge(m.name, m.meaning, m.labels, registry=registry), allowed) for m in _of("gauge")
        }
        self._histograms = {
            m.name: Series(m, Histogram(m.name, m.meaning, m.labels, registry=registry, buckets=m.buckets), allowed)
            for m in _of("histogram")
        }
        self._partitions: frozenset[int] = frozenset()
        self._start_at_zero(allowed)
        self._set("churnwatch_build_info", 1, *(build[label] for label in BUILD_LABELS))
        ProcessCollector(namespace="churnwatch", registry=registry)

    def render(self) -> bytes:
        """Return all metrics in Prometheus' text format (`CONTENT_TYPE`)."""
        return generate_latest(self._registry)

    def events(
        self, topic: str, *, applied: int = 0, duplicate: int = 0, late: int = 0, dead_lettered: int = 0
    ) -> None:
        """Count what became of a topic's events in one step, once the step is committed.

        The four outcomes exclude each other: an event that is too late counts as `late` alone, although it goes to the
        dead-letter topic as well. What was read is their sum. Raises ValueError, and counts nothing, if one is negative.
        """
        outcomes = {"applied": applied, "duplicate": duplicate, "late": late, "dead_lettered": dead_lettered}
        if min(outcomes.values()) < 0:
            raise ValueError(f"events are counted upwards only, not {outcomes}")
        self._add("churnwatch_events_total", sum(outcomes.values()), topic, "read")
        for outcome, count in outcomes.items():
            self._add("churnwatch_events_total", count, topic, outcome)

    def dead_letters(self, topic: str, reasons: Mapping[str, int]) -> None:
        """Count a step's dead letters by reason, in the same breath as `events`."""
        for reason, count in reasons.items():
            self._add("churnwatch_dead_letters_total", count, topic, reason)

    def step(self, records: int, stages: Mapping[str, float]) -> None:
        """Record one committed step of a partition: the input events it took in, and the seconds of each of its stages."""
        self._observe("churnwatch_chunk_events", records)
        for stage, seconds in stages.items():
            self.stage(stage, seconds)

    def stage(self, stage: str, seconds: float) -> None:
        """Record the time of one stage that runs beside the steps: `decode` for a chunk, `publish` for an outbox batch."""
        self._observe("churnwatch_stage_seconds", seconds, stage)

    def redis(self, operation: str, seconds: float) -> None:
        """Record one round trip to Redis."""
        self._observe("churnwatch_redis_seconds", seconds, operation)

    def redis_failed(self, operation: str) -> None:
        """Count a round trip to Redis that failed or timed out."""
        self._add("churnwatch_redis_failures_total", 1, operation)

    def lag(self, topic: str, partition: int, events: int, seconds: float) -> None:
        """Set how far a partition of a topic is behind its log: events not yet committed, and the age of the oldest."""
        self._set("churnwatch_lag_events", events, topic, partition)
        self._set("churnwatch_lag_seconds", seconds, topic, partition)

    def clock(self, partition: int, mode: str, watermark_ms: int) -> None:
        """Set a partition's clock: `live`, `lagging` or `replay`, and its watermark in epoch milliseconds."""
        for known in LABELS["mode"].values:
            self._set("churnwatch_clock_mode", known == mode, partition, known)
        self._set("churnwatch_watermark_timestamp_seconds", watermark_ms / 1000, partition)

    def partition(
        self, partition: int, *, stalled_seconds: float, outbox_pending: int, customers: int, open_episodes: int
    ) -> None:
        """Set the state of a partition: seconds without progress, messages waiting, customers with an open episode."""
        self._set("churnwatch_partition_stalled_seconds", stalled_seconds, partition)
        self._set("churnwatch_outbox_pending", outbox_pending, partition)
        self._set("churnwatch_customers", customers, partition)
        self._set("churnwatch_open_episodes", open_episodes, partition)

    def assigned(self, partitions: Collection[int]) -> None:
        """Count a rebalance and note the partitions now held; the series of those that left are removed."""
        self._add("churnwatch_rebalances_total", 1)
        self._set("churnwatch_partitions_assigned", len(partitions))
        for gone in self._partitions.difference(partitions):
            for gauge in self._gauges.values():
                gauge.end_partition(gone)
        self._partitions = frozenset(partitions)

    def fence_lost(self) -> None:
        """Count a commit refused because another worker holds the partition."""
        self._add("churnwatch_fence_lost_total", 1)

    def timers(self, *, due: int, fired: int, late_seconds_max: float) -> None:
        """Count a step's wake-ups: those due, those that led to work, and how late the latest was."""
        self._add("churnwatch_timers_due_total", due)
        self._add("churnwatch_timers_fired_total", fired)
        if due:
            self._observe("churnwatch_timers_late_seconds", max(0.0, late_seconds_max))

    def source_silent(self, topic: str, *, silent: bool) -> None:
        """Set whether a topic is silent as a whole."""
        self._set("churnwatch_source_silent", silent, topic)

    def scorings(self, causes: Mapping[str, int]) -> None:
        """Count a step's scorings by cause."""
        for cause, count in causes.items():
            self._add("churnwatch_scorings_total", count, cause)

    def alert(self, kind: str, band: str, segment: str, reasons: Iterable[str]) -> None:
        """Count one alert and its reasons. A budget bounds the alerts, so this may be called for each."""
        self._add("churnwatch_alerts_total", 1, kind, band, segment)
        for code in reasons:
            self._add("churnwatch_alert_reasons_total", 1, code)

    def alert_acknowledged(self, seconds: float) -> None:
        """Record how long an alert took, from Kafka's timestamp of its event to Kafka's acknowledgement of the alert."""
        self._observe("churnwatch_event_to_alert_seconds", max(0.0, seconds))

    def alert_budget(self, per_day: float) -> None:
        """Set how many alerts a day are wanted of the whole installation."""
        self._set("churnwatch_alert_budget_per_day", per_day)

    def outcomes(self, statuses: Mapping[str, int]) -> None:
        """Count a step's outcomes, as the retention team reported them, by status."""
        for status, count in statuses.items():
            self._add("churnwatch_outcomes_total", count, status)

    def examples(self, *, churned: int, stayed: int) -> None:
        """Count a step's labelled examples."""
        self._add("churnwatch_examples_total", churned, "churned")
        self._add("churnwatch_examples_total", stayed, "stayed")

    def model(self, *, version: int, examples: int, ready: bool, age_seconds: float) -> None:
        """Set which model scores, what it has learnt from, whether alerts rest on it, and how old its knowledge is."""
        self._set("churnwatch_model_version", version)
        self._set("churnwatch_model_examples", examples)
        self._set("churnwatch_model_ready", ready)
        self._set("churnwatch_model_age_seconds", max(0.0, age_seconds))

    def quality(self, figures: Mapping[str, float]) -> None:
        """Set the prequential figures as the learner names them: `auc` over all examples, `recent_auc` over the latest.

        Names that the label `metric` does not list (counts, error bounds) are left out.
        """
        for name, value in figures.items():
            figure = name.removeprefix(RECENT)
            if figure in LABELS["metric"].values:
                self._set("churnwatch_model_quality", value, figure, "recent" if name.startswith(RECENT) else "all")

    def standing(self, standing: Standing) -> None:
        """Set the verdict, the figures of each segment and the reliability curve."""
        for verdict in VERDICTS:
            self._set("churnwatch_model_verdict", verdict == standing.verdict.band, verdict)
        for segment, figures in standing.segments.items():
            for name, value in figures.items():
                if name in LABELS["metric"].values:
                    self._set("churnwatch_model_segment_quality", value, name, segment)
        for point in standing.reliability:
            tenth = LABELS["bin"].values[point.place]
            self._set("churnwatch_model_reliability", point.said, tenth, "said")
            self._set("churnwatch_model_reliability", point.came, tenth, "came")
            self._set("churnwatch_model_reliability_examples", point.examples, tenth)

    def champion(self, recipe: str, standing: Standing) -> None:
        """Set which recipe speaks, how its challengers stand, and how often one took over."""
        gains = {trial.recipe: trial.gain for trial in standing.trials}
        for known in RECIPES:
            self._set("churnwatch_model_champion", known == recipe, known)
            self._set("churnwatch_model_challenger_gain_nats", gains.get(known, 0.0), known)
        self._set("churnwatch_model_promotions", len(standing.promotions))

    def drift(self, drift: Drift) -> None:
        """Set what has moved, by how much, and whether it is warned of."""
        warnings = drift.warnings()
        for known in LABELS["drift"].values:
            self._set("churnwatch_drift_warning", known in warnings, known)
        for feature, index in drift.inputs.items():
            self._set("churnwatch_drift_input_index", index, feature)
        if drift.base_rate is not None:
            self._set("churnwatch_drift_base_rate_shift", drift.base_rate.now - drift.base_rate.before)
        if drift.errors is not None:
            self._set("churnwatch_drift_excess_loss_nats", drift.errors.now)

    def goals(self, samples: Iterable[Sample]) -> None:
        """Set the figures of goals and steering; what is not among the samples has no series, and without any there is none."""
        for declared in REACHING_GOALS:
            self._gauges[declared.name].clear()
        for name, value, labels in samples:
            self._set(name, value, *labels)

    def learner_lag(self, batches: int) -> None:
        """Set how many messages the learner has yet to learn; a worker that loses the learner sets 0."""
        self._set("churnwatch_learner_lag_batches", batches)

    def condition(self, *, healthy: bool, ready: bool) -> None:
        """Set what the health and readiness checks said, on every check and before every scrape."""
        self._set("churnwatch_healthy", healthy)
        self._set("churnwatch_ready", ready)

    def _start_at_zero(self, allowed: Mapping[str, frozenset[str]]) -> None:
        """Create every series of a counter or histogram whose labels can be listed; no source is known to be silent."""
        for metric in METRICS:
            for values in product(*(sorted(allowed.get(label, ())) for label in metric.labels)):
                if metric.kind == "counter":
                    self._counters[metric.name].of(*values)
                elif metric.kind == "histogram":
                    self._histograms[metric.name].of(*values)
                elif metric.name == "churnwatch_source_silent":
                    self._gauges[metric.name].of(*values)

    def _add(self, name: str, amount: float, *values: str | int) -> None:
        self._counters[name].of(*values).inc(amount)

    def _set(self, name: str, value: float, *values: str | int) -> None:
        self._gauges[name].of(*values).set(value)

    def _observe(self, name: str, value: float, *values: str | int) -> None:
        self._histograms[name].of(*values).observe(value)


def _of(kind: str) -> list[Metric]:
    return [metric for metric in METRICS if metric.kind == kind]
