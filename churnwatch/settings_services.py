"""What Churnwatch talks to: Kafka and its topics, Redis."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from churnwatch.settings_fields import DURATION, Chapter, Duration, setting
from streams.topics import DEFAULTS


class ServiceSettings(Chapter):
    """Kafka, Redis and the topics."""

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
    kafka_instance_id: str | None = setting(
        "Kafka",
        None,
        "",
        "This worker's own name in the group, no other's: started anew within the session it keeps its partitions; but the others "
        "then get those of one that stopped only when the session is over",
        pattern=r"^[A-Za-z0-9_.-]{1,200}$",
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
