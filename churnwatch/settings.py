"""Every setting of Churnwatch: declared once, with its default, its unit and what it means.

A setting comes from the environment (`CHURNWATCH_KAFKA_BOOTSTRAP`), else from the one optional TOML file that
`CHURNWATCH_CONFIG` names (`kafka_bootstrap = "…"`, or `bootstrap = "…"` below `[kafka]`), else from its default.
Spans of time are written with a unit ("60d", "1h", "250ms") and kept as integer milliseconds in a field that ends
in `_ms`; the name for the outside world goes without that ending (`lateness_ms` is `CHURNWATCH_LATENESS`).

`settings_checks` says which do not fit together, `settings_load.load_settings` reads and explains; `settings_docs` writes docs/settings.md from the declarations here.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from typing_extensions import override

from churnwatch.redis_address import split_login
from churnwatch.settings_checks import SOURCES, contradictions
from churnwatch.settings_sources import ENV_PREFIX, EnvironmentSource, FileSource
from streams.time import DAY_MS, parse_duration, parse_instant
from streams.topics import DEFAULTS, Topics

DURATION = "duration"
INSTANT = "instant"


def _duration_ms(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


def _instant_ms(value: object) -> object:
    if not isinstance(value, str):
        return value
    return parse_instant(int(value) if value.isdecimal() else value)


Duration = Annotated[int, BeforeValidator(_duration_ms)]
Instant = Annotated[int, BeforeValidator(_instant_ms)]


def setting(group: str, default: Any, unit: str, meaning: str, **limits: Any) -> Any:
    """Declare one setting: its chapter, default, unit ("" where it has none), meaning and pydantic's limits."""
    if unit == DURATION and isinstance(default, str):
        default = parse_duration(default)
    return Field(default=default, description=meaning, json_schema_extra={"group": group, "unit": unit}, **limits)


class Settings(BaseSettings):
    """All settings, immutable. Fields ending in `_ms` are integer milliseconds, the rest as their unit says."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True)

    kafka_bootstrap: str = setting("Kafka", "localhost:9092", "host:port,…", "Brokers to start from", min_length=1)
    kafka_group_id: str = setting("Kafka", "churnwatch", "", "Consumer group of the workers", min_length=1)
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = setting(
        "Kafka", "PLAINTEXT", "", "How to talk to the brokers"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = setting(
        "Kafka", "PLAIN", "", "How to log in where the protocol starts with SASL_"
    )
    kafka_sasl_username: str | None = setting("Kafka", None, "", "User for SASL")
    kafka_sasl_password: SecretStr | None = setting("Kafka", None, "", "Password for SASL")
    kafka_ssl_cafile: Path | None = setting("Kafka", None, "PEM file", "Authority to trust instead of the system's")
    kafka_ssl_certfile: Path | None = setting("Kafka", None, "PEM file", "Client certificate, for mutual TLS")
    kafka_ssl_keyfile: Path | None = setting("Kafka", None, "PEM file", "Key of the client certificate")
    kafka_session_ms: Duration = setting(
        "Kafka", "10s", DURATION, "Silence after which a worker's partitions go to the others", ge=1000
    )
    kafka_timeout_ms: Duration = setting(
        "Kafka", "6s", DURATION, "How long commands wait for the brokers before they give up", ge=100
    )

    redis_url: str = setting(
        "Redis",
        "redis://localhost:6379/0",
        "redis[s]://host:port/db",
        "Where the state lives; `rediss://` for TLS; a password in it is moved into CHURNWATCH_REDIS_PASSWORD",
        pattern=r"^(rediss?|unix)://",
    )
    redis_username: str | None = setting("Redis", None, "", "User, where Redis has access lists")
    redis_password: SecretStr | None = setting("Redis", None, "", "Password")
    redis_tls_ca: Path | None = setting("Redis", None, "PEM file", "Authority to trust instead of the system's")
    redis_tls_cert: Path | None = setting("Redis", None, "PEM file", "Client certificate, for mutual TLS")
    redis_tls_key: Path | None = setting("Redis", None, "PEM file", "Key of the client certificate")
    redis_cluster: bool = setting("Redis", False, "", "Whether the address is a node of a Redis Cluster")
    redis_namespace: str = setting(
        "Redis",
        "cw",
        "",
        "First part of every key, so that several installations can share a Redis",
        pattern=r"^[A-Za-z0-9_.-]{1,64}$",
    )
    redis_timeout_ms: Duration = setting("Redis", "5s", DURATION, "How long one command may take", ge=100)

    topic_prefix: str = setting("Topics", "", "", "Put before every topic's name", pattern=r"^[A-Za-z0-9_.-]{0,100}$")
    topic_logins: str = setting("Topics", DEFAULTS["logins"], "", "Logins (in)")
    topic_orders: str = setting("Topics", DEFAULTS["orders"], "", "Orders (in)")
    topic_tickets: str = setting("Topics", DEFAULTS["tickets"], "", "Support tickets (in)")
    topic_reviews: str = setting("Topics", DEFAULTS["reviews"], "", "Reviews and surveys (in)")
    topic_profiles: str = setting("Topics", DEFAULTS["profiles"], "", "Profiles (in, compacted)")
    topic_cancellations: str = setting("Topics", DEFAULTS["cancellations"], "", "Explicit cancellations (in)")
    topic_outcomes: str = setting("Topics", DEFAULTS["outcomes"], "", "What the retention team did (in)")
    topic_alerts: str = setting("Topics", DEFAULTS["alerts"], "", "Alerts (out)")
    topic_scores: str = setting("Topics", DEFAULTS["scores"], "", "Bands of customers (out, compacted)")
    topic_examples: str = setting("Topics", DEFAULTS["examples"], "", "Labelled examples (internal)")
    topic_partitions: int = setting(
        "Topics",
        12,
        "partitions",
        "Partitions of each input topic, for `topics create`; the unit of scale",
        ge=1,
        le=1024,
    )
    topic_replication: int = setting(
        "Topics", 1, "replicas", "Copies of each topic, for `topics create`; 3 on a real cluster", ge=1, le=9
    )

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

    alert_daily_budget: float = setting(
        "Alerts",
        40.0,
        "alerts a day",
        "About how many alerts a day are opened, if so many are above a floor; thresholds follow the risks seen",
        gt=0,
    )
    alert_share_new: float = setting(
        "Alerts", 0.1, "share", "Part for customers known for less than 60 days; what is not used goes on", ge=0, le=1
    )
    alert_share_standard: float = setting("Alerts", 0.2, "share", "Part for those with few orders", ge=0, le=1)
    alert_share_loyal: float = setting("Alerts", 0.35, "share", "Part for those with 5 order days or more", ge=0, le=1)
    alert_share_high_value: float = setting("Alerts", 0.35, "share", "Part for the tenth worth most a year", ge=0, le=1)
    alert_floor_new: float = setting("Alerts", 0.7, "risk", "No alert below, new customers", ge=0, le=1)
    alert_floor_standard: float = setting("Alerts", 0.6, "risk", "No alert below, standard customers", ge=0, le=1)
    alert_floor_loyal: float = setting("Alerts", 0.4, "risk", "No alert below, loyal customers", ge=0, le=1)
    alert_floor_high_value: float = setting("Alerts", 0.4, "risk", "No alert below, high-value customers", ge=0, le=1)
    alert_earliness: float = setting(
        "Alerts",
        0.75,
        "",
        "How much change counts: a risk that has just risen is alerted below the threshold, a long silence above; 0 is not",
        ge=0,
        le=4,
    )
    alert_hysteresis: float = setting(
        "Alerts", 0.1, "risk", "How far risk must fall below the threshold for an episode to resolve", ge=0, le=1
    )
    alert_cool_down_ms: Duration = setting("Alerts", "14d", DURATION, "Rest after an episode before the next", ge=0)
    alert_min_silence_ms: Duration = setting(
        "Alerts", "7d", DURATION, "Nobody is warned about sooner after the last order", ge=0
    )
    alert_min_order_days: int = setting("Alerts", 2, "days", "Days with an order before a customer can alert", ge=0)
    alert_holdout_share: float = setting(
        "Alerts",
        0.1,
        "share",
        "Part of the customers marked as not to be treated, to measure what acting brings",
        ge=0,
        le=0.5,
    )
    alert_salt: SecretStr = setting(
        "Alerts", SecretStr("churnwatch"), "", "Decides who is held out; keep it to yourself"
    )

    worker_role: Literal["all", "partitions", "learner"] = setting(
        "Operations", "all", "", "What a worker does; a learner of its own leaves the partitions' workers a whole core"
    )
    web_host: str = setting("Operations", "127.0.0.1", "address", "Where /metrics, /healthz and /readyz are served")
    web_port: int = setting("Operations", 6066, "port", "On which port", ge=1, le=65535)
    stalled_ms: Duration = setting(
        "Operations", "60s", DURATION, "Stuck for so long, a worker fails /healthz; for twice as long, it ends", ge=1000
    )
    log_level: Literal["debug", "info", "warning", "error"] = setting("Operations", "info", "", "How much is logged")
    log_format: Literal["text", "json"] = setting("Operations", "text", "", "How it is logged")
    debug: bool = setting("Operations", False, "", "Show tracebacks of failed commands")

    @classmethod
    @override
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the file."""
        return init_settings, EnvironmentSource(settings_cls), FileSource(settings_cls)

    @model_validator(mode="before")
    @classmethod
    def _take_password_out_of_url(cls, data: dict[str, Any]) -> dict[str, Any]:
        url = data.get("redis_url")
        if not isinstance(url, str):
            return data
        bare, login = split_login(url)
        return {f"redis_{name}": value for name, value in login.items()} | data | {"redis_url": bare}

    @model_validator(mode="after")
    def _check_together(self) -> Settings:
        problems = list(contradictions(self))
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def topics(self) -> Topics:
        """Give the topics' names as set, prefix included."""
        names = {name.removeprefix("topic_"): getattr(self, name) for name in Settings.topic_fields()}
        return Topics(prefix=self.topic_prefix, names=names)

    @classmethod
    def topic_fields(cls) -> list[str]:
        """List the fields that each name one topic."""
        numbers = {"topic_prefix", "topic_partitions", "topic_replication"}
        return [name for name in cls.model_fields if name.startswith("topic_") and name not in numbers]


def describe(info: FieldInfo) -> tuple[str, str, str]:
    """Give a setting's chapter, unit and meaning."""
    extra = cast("dict[str, object]", info.json_schema_extra)
    return str(extra["group"]), str(extra["unit"]), info.description or ""
