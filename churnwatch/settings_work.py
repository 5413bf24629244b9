"""How events become predictions: time, the pipeline, the question asked, and learning."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

from churnwatch.settings_checks import SOURCES
from churnwatch.settings_fields import DURATION, INSTANT, Chapter, Duration, Instant, setting
from streams.time import DAY_MS


class WorkSettings(Chapter):
    """Time, pipeline, question and learning."""

    clock: Literal["live", "replay"] = setting(
        "Time", "live", "", "What the time is: the wall's once caught up (live), or only the events' own (replay)"
    )
    lateness_ms: Duration = setting(
        "Time", "1h", DURATION, "How far events may lag behind the newest one before the clock moves on", ge=0
    )
    future_tolerance_ms: Duration = setting(
        "Time", "24h", DURATION, "How far ahead of the clock an event may claim to be before it is refused", ge=0
    )
    replay_until_ms: Instant | None = setting(
        "Time", None, INSTANT, "In replay: run the silence clock up to here, then stop"
    )
    source_silent_ms: Duration = setting("Time", "36h", DURATION, "A topic silent as a whole for so long is down", ge=1)
    silence_sources: str = setting(
        "Time", "orders,logins", "streams", "Live: who is silent is known once these are heard again", pattern=SOURCES
    )

    fetch_wait_ms: Duration = setting(
        "Pipeline",
        "25ms",
        DURATION,
        "Live: how long Kafka collects events before it hands them over; shorter for latency, longer for fewer, larger steps",
        le=5_000,
    )
    chunk_events_max: int = setting("Pipeline", 2000, "events", "Most events taken in one step", ge=1, le=100_000)
    chunk_bytes_max: int = setting("Pipeline", 8 << 20, "bytes", "Most bytes of events taken in one step", ge=1024)
    buffer_bytes_max: int = setting(
        "Pipeline", 32 << 20, "bytes", "Most fetched bytes a partition holds before its fetching pauses", ge=1024
    )
    wakes_per_step_max: int = setting("Pipeline", 2000, "wake-ups", "Most wake-ups handled in one step", ge=1)
    cache_customers_max: int = setting("Pipeline", 200_000, "customers", "Customers a worker keeps in memory", ge=0)
    value_bytes_max: int = setting("Pipeline", 1 << 20, "bytes", "Largest event value accepted", ge=1024)
    outbox_max: int = setting("Pipeline", 10_000, "messages", "Unsent messages at which a partition waits", ge=1)
    expiry_ms: Duration = setting("Pipeline", "400d", DURATION, "Silence after which a customer is deleted", ge=DAY_MS)
    drain_ms: Duration = setting("Pipeline", "30s", DURATION, "How long a stopping worker may take to finish", ge=0)

    horizon_ms: Duration = setting(
        "Question", "60d", DURATION, "Churned means: nothing happened for so long", ge=DAY_MS
    )
    active_ms: Duration = setting(
        "Question", "90d", DURATION, "Only customers with an order in this span are asked about", ge=DAY_MS
    )
    snapshot_ms: Duration = setting("Question", "7d", DURATION, "How often the question is asked", ge=DAY_MS)
    snapshot_anchor: date = setting("Question", date(1970, 1, 5), "date", "A day on which it is asked (a Monday)")
    churn_on: Literal["orders", "any"] = setting(
        "Question", "orders", "", "What must be absent: orders, or any sign of life"
    )

    learning_enabled: bool = setting("Learning", True, "", "Whether the model learns from matured examples")
    min_labels: int = setting(
        "Learning",
        500,
        "examples",
        "Labels seen before alerts rest on the model (a twentieth at least of each kind); until then on a rule",
        ge=1,
    )
    model_interval_ms: Duration = setting(
        "Learning", "2d", DURATION, "In replay, event time between two models", ge=1000
    )
    model_promotion: Literal["auto", "manual", "off"] = setting(
        "Learning",
        "auto",
        "",
        "Who makes a challenger champion: a paired test, model_recipe alone, or nobody (then none takes over)",
    )
    model_recipe: Literal["mean", "logistic", "within", "stacked"] = setting(
        "Learning", "stacked", "", "The blend that speaks; under model_promotion auto, the one that it starts with"
    )
    model_promotion_margin: float = setting(
        "Learning", 0.002, "nats", "How much lower a challenger's log loss must be", ge=0
    )
    model_promotion_labels: int = setting(
        "Learning", 5_000, "examples", "Labels that a challenger must have been judged on", ge=1
    )
    model_file: Path | None = setting(
        "Learning", None, "file", "A frozen model to score with, instead of the learner's; needs learning_enabled off"
    )
