"""Every metric of Churnwatch, declared once: name, type, labels, unit and what it means.

`agents.metrics` builds the metrics from this table, `churnwatch.metric_docs` writes docs/metrics.md from it, and the tests hold
the dashboard and the alert rules to it. The names follow Prometheus' rules (https://prometheus.io/docs/practices/naming/):
base units, `_total` on counters, the unit last.

No label ever names a customer. Each label takes a bounded number of values: those listed in `LABELS`, the input topics as they
are configured, or the partitions held. A value that is not listed is counted as `other`, so no producer can grow the table.
"""

from collections.abc import Mapping
from typing import Final

from agents.metric_goals import GOAL_LABELS, REACHING_GOALS
from agents.metric_kinds import Label, counter, gauge, histogram
from features.catalog import NAMES

LABELS: Final[Mapping[str, Label]] = {
    "topic": Label((), "an input topic, by its configured name"),
    "partition": Label((), "a partition that the worker holds; its series end when the partition leaves"),
    "outcome": Label(("read", "applied", "duplicate", "late", "dead_lettered"), "what became of an event"),
    "reason": Label(
        ("malformed", "invalid", "future", "late", "oversized", "mismatched_key"), "why an event was dead-lettered"
    ),
    "mode": Label(("live", "lagging", "replay"), "the clock a partition runs on"),
    "stage": Label(
        ("fetch", "decode", "queue", "load", "pipeline", "commit", "publish"),
        "a part of the way of an event; fetch (live only) is from Kafka's timestamp, queue from the buffer to a step",
    ),
    "operation": Label(
        ("open", "load", "due", "commit", "outbox", "learner", "ping"), "what was asked of Redis, in one round trip"
    ),
    "cause": Label(("event", "silence", "snapshot"), "why a customer was scored"),
    "kind": Label(("opened", "escalated", "resolved", "churned"), "what the alert says of its episode"),
    "band": Label(("watch", "high", "critical"), "how high the risk is"),
    "segment": Label(("new", "standard", "loyal", "high_value"), "the customer's segment"),
    "code": Label(("engagement", "price", "service", "product", "competition"), "a reason given in an alert"),
    "status": Label(
        ("acknowledged", "contacted", "accepted", "declined", "false_alarm", "snoozed"),
        "what the retention team reports",
    ),
    "label": Label(("churned", "stayed"), "the truth, once known"),
    "metric": Label(
        (
            "examples",
            "base_rate",
            "auc",
            "weekly_auc",
            "pr_auc",
            "log_loss",
            "brier",
            "ece",
            "precision_10",
            "lift_10",
            "rule_auc",
            "rule_weekly_auc",
            "rule_pr_auc",
            "rule_precision_10",
            "alarm_share",
            "alarm_precision",
            "alarm_recall",
            "lead_days",
        ),
        "a figure of prequential quality; `rule_` is what the silence rule alone would achieve on the same examples, "
        "`alarm_` what lay above the threshold in force, `lead_days` how long before the horizon ended half of the leavers did that ever do",
    ),
    "bin": Label(tuple(f"0.{tenth}" for tenth in range(10)), "risks from here to a tenth above"),
    "side": Label(("said", "came"), "the mean risk as it was said, or the share that left"),
    "verdict": Label(("not_yet_known", "poor", "fair", "good"), "how far the model can be relied on, in a word"),
    "window": Label(("all", "recent"), "over all examples so far, or those of the latest weeks"),
    "recipe": Label(("mean", "logistic", "within", "stacked"), "a way of blending the base learners"),
    "feature": Label(NAMES, "a feature, by its name in docs/features.md"),
    "drift": Label(("inputs", "base_rate", "errors"), "what has moved"),
    "version": Label((), "of Churnwatch"),
    "python": Label((), "version of Python"),
    "faust": Label((), "version of faust-streaming"),
    "river": Label((), "version of River"),
    **GOAL_LABELS,
}

BUILD_LABELS: Final = ("version", "python", "faust", "river")
"""The labels of churnwatch_build_info."""

CHUNK_EVENTS: Final = (1, 4, 16, 64, 256, 512, 1024, 2048, 4096, 16384)
ROUND_TRIP_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
STAGE_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
DELAY_SECONDS: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 3600.0, 21600.0, 86400.0)


KEEPING_UP: Final = (
    counter(
        "events",
        "events",
        "Events taken in since the start. At every moment read = applied + duplicate + late + dead_lettered, for each topic",
        "topic",
        "outcome",
    ),
    counter(
        "dead_letters",
        "events",
        "Events sent to their dead-letter topic. Summed over the reasons they are the events late or dead_lettered",
        "topic",
        "reason",
    ),
    gauge("lag_events", "events", "Events in the log that are not yet committed", "topic", "partition"),
    gauge(
        "lag_seconds",
        "seconds",
        "How long ago the oldest event not yet committed was written to the log; 0 when there is none",
        "topic",
        "partition",
    ),
    gauge(
        "watermark_timestamp_seconds",
        "seconds since the epoch",
        "Event time up to which a partition's input is taken to be complete",
        "partition",
    ),
    gauge("clock_mode", "1 or 0", "1 for the clock that a partition runs on", "partition", "mode"),
    gauge(
        "partition_stalled_seconds",
        "seconds",
        "How long a partition has had work and made no progress; 0 while it moves or has nothing to do",
        "partition",
    ),
    gauge("partitions_assigned", "partitions", "Partitions that this worker holds"),
    counter("rebalances", "assignments", "Times that the group dealt out the partitions anew"),
    counter("fence_lost", "commits", "Commits refused because another worker had taken over the partition"),
    gauge("source_silent", "1 or 0", "1 while a topic is silent as a whole: alerts resting on it are held", "topic"),
    histogram("chunk_events", "events", "Events taken in one step of a partition", CHUNK_EVENTS),
    histogram("stage_seconds", "seconds", "Time one step spent in each stage", STAGE_SECONDS, "stage"),
    histogram("redis_seconds", "seconds", "Time of one round trip to Redis", ROUND_TRIP_SECONDS, "operation"),
    counter("redis_failures", "round trips", "Round trips to Redis that failed or timed out", "operation"),
    gauge("outbox_pending", "messages", "Messages committed and not yet acknowledged by Kafka", "partition"),
    histogram(
        "event_to_alert_seconds",
        "seconds",
        "From Kafka's timestamp of an event to Kafka's acknowledgement of the alert it raised; alerts of silence do not count",
        DELAY_SECONDS,
    ),
    counter("timers_due", "wake-ups", "Wake-ups that came due"),
    counter("timers_fired", "wake-ups", "Wake-ups that were due and led to work, not overtaken by an event"),
    histogram(
        "timers_late_seconds", "seconds", "How late the latest wake-up of a step was, by its clock", DELAY_SECONDS
    ),
    gauge("healthy", "1 or 0", "What /healthz last said"),
    gauge("ready", "1 or 0", "What /readyz last said"),
    gauge("build_info", "1", "Always 1; the labels are the versions", *BUILD_LABELS),
)

BEING_RIGHT: Final = (
    counter("scorings", "scorings", "Times that a customer's risk was computed", "cause"),
    counter("examples", "examples", "Labelled examples sent to the learner", "label"),
    gauge(
        "model_quality",
        "as the figure",
        "Quality of the risks as they were said at the time, against the truth that came later (prequential)",
        "metric",
        "window",
    ),
    gauge(
        "model_segment_quality",
        "as the figure",
        "The same for the customers of one segment, over all examples so far",
        "metric",
        "segment",
    ),
    gauge(
        "model_reliability",
        "share",
        "What was said against what came, by tenths of risk, over the latest weeks: equal where the risks are honest",
        "bin",
        "side",
    ),
    gauge("model_reliability_examples", "examples", "Examples behind a point of churnwatch_model_reliability", "bin"),
    gauge("model_verdict", "1 or 0", "1 for what the quality of the latest weeks comes to", "verdict"),
    gauge("model_champion", "1 or 0", "1 for the recipe that speaks, 0 for its challengers", "recipe"),
    gauge(
        "model_challenger_gain_nats",
        "nats",
        "How much lower a challenger's log loss was than the champion's on the same examples, in the mean week; 0 for itself",
        "recipe",
    ),
    gauge("model_promotions", "changes", "Changes of champion that the model remembers, of the latest ten"),
    gauge("drift_warning", "1 or 0", "1 while something has moved so far that it is warned of", "drift"),
    gauge(
        "drift_input_index",
        "index",
        "Population stability index of a feature: the snapshots of the latest 28 days against the 182 before; from 0.25 on it warns",
        "feature",
    ),
    gauge(
        "drift_base_rate_shift",
        "share",
        "Share that leaves, the latest 4 weeks whose labels are in less the 26 before; from 0.1 on, either way, it warns",
    ),
    gauge(
        "drift_excess_loss_nats",
        "nats",
        "Log loss beyond what the model expected of its own risks, in the latest 4 weeks whose labels are in; 0 is honest",
    ),
    gauge("model_version", "version", "Version of the model that scores"),
    gauge("model_examples", "examples", "Examples that the model has learnt from"),
    gauge("model_ready", "1 or 0", "1 once alerts rest on the model; until then they rest on the silence rule"),
    gauge("model_age_seconds", "seconds", "Clock time past the instant up to which the model in use has learnt"),
    gauge("learner_lag_batches", "messages", "Messages of the example topic not yet learnt; 0 where no learner runs"),
)

BEING_USEFUL: Final = (
    counter("alerts", "alerts", "Alerts decided on", "kind", "band", "segment"),
    counter("alert_reasons", "reasons", "Reasons given in those alerts", "code"),
    gauge("alert_budget_per_day", "alerts a day", "About how many alerts a day are wanted of the whole installation"),
    gauge("customers", "customers", "Customers with state", "partition"),
    gauge("open_episodes", "episodes", "Customers with an open episode", "partition"),
    counter("outcomes", "outcomes", "Outcomes reported by the retention team", "status"),
)

PROCESS: Final = (
    gauge("process_resident_memory_bytes", "bytes", "Resident memory of the worker"),
    gauge("process_virtual_memory_bytes", "bytes", "Virtual memory of the worker"),
    gauge("process_start_time_seconds", "seconds since the epoch", "When the worker started"),
    counter("process_cpu_seconds", "seconds", "User and system CPU time of the worker"),
    gauge("process_open_fds", "descriptors", "Open file descriptors"),
    gauge("process_max_fds", "descriptors", "Most file descriptors that may be open"),
)
"""What prometheus_client itself measures of the process, on Linux only."""

METRICS: Final = KEEPING_UP + BEING_RIGHT + BEING_USEFUL + REACHING_GOALS
"""All metrics that `agents.metrics` makes."""
