"""The star schema for BI tools: where it is kept, and how `churnwatch bi` fills it."""

from __future__ import annotations

from pydantic import SecretStr

from churnwatch.settings_fields import DURATION, Chapter, Duration, setting


class BiSettings(Chapter):
    """The star schema."""

    bi_url: SecretStr | None = setting(
        "BI",
        None,
        "postgresql://…",
        "PostgreSQL that `bi` fills, with user, password and libpq's options, such as `?sslmode=verify-full&sslrootcert=…`",
    )
    bi_schema: str = setting(
        "BI",
        "churnwatch",
        "",
        "Schema in that database that the tables and views stand in; made where it is missing",
        pattern=r"^[a-z_][a-z0-9_]{0,62}$",
    )
    bi_chunk_max: int = setting("BI", 5_000, "messages", "Most that are loaded in one transaction", ge=1, le=100_000)
    bi_learner_every_ms: Duration = setting(
        "BI", "5m", DURATION, "How often goals, expected revenue and model quality are read from Redis", ge=100
    )
    bi_port: int = setting(
        "BI", 6072, "port", "Where `bi load` serves /metrics and /healthz, at CHURNWATCH_WEB_HOST", ge=1, le=65535
    )
