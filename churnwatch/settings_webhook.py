"""Where `churnwatch deliver` takes alerts: one receiver, how it is signed to, how long it is tried, and which alerts it gets."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from pydantic import SecretStr

from churnwatch.settings_fields import DURATION, Chapter, Duration, setting
from churnwatch.settings_sources import public_name

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - the prefix that every secret has
SECRET_BYTES_MIN: Final = 24
"""What Standard Webhooks asks for."""


def some_of(*words: str) -> str:
    """Return the pattern of a list of some of these words, separated by commas; an empty list is one.

    >>> some_of("new", "loyal")
    '^(((new|loyal),)*(new|loyal))?$'
    """
    one = "|".join(words)
    return f"^((({one}),)*({one}))?$"


class WebhookSettings(Chapter):
    """The webhook."""

    webhook_url: SecretStr | None = setting(
        "Webhook",
        None,
        "http[s]://…",
        "Where `deliver` posts alerts; kept secret, for whoever knows it may post there too",
    )
    webhook_secret: SecretStr | None = setting(
        "Webhook",
        None,
        "whsec_…",
        'Signs what is posted: "whsec_" and at least 24 random bytes in base64 (`openssl rand -base64 32`)',
    )
    webhook_secret_old: SecretStr | None = setting(
        "Webhook", None, "whsec_…", "While the secret is being changed: the former one, which signs as well"
    )
    webhook_format: Literal["json", "slack"] = setting(
        "Webhook", "json", "", "What is posted: the alert as it is on the topic, or a text for Slack and its like"
    )
    webhook_name: str = setting(
        "Webhook",
        "deliver",
        "",
        "Put after CHURNWATCH_KAFKA_GROUP_ID; a second receiver needs another name",
        pattern=r"^[A-Za-z0-9_.-]{1,64}$",
    )
    webhook_start: Literal["end", "beginning"] = setting(
        "Webhook",
        "end",
        "",
        "Where a name that is new begins: with what comes from then on, or with all that the topic holds",
    )
    webhook_segments: str = setting(
        "Webhook",
        "",
        "segments",
        "Only alerts of these; empty means all",
        pattern=some_of("new", "standard", "loyal", "high_value"),
    )
    webhook_bands: str = setting(
        "Webhook", "", "bands", "Only alerts of these; empty means all", pattern=some_of("watch", "high", "critical")
    )
    webhook_kinds: str = setting(
        "Webhook",
        "",
        "kinds",
        "Only alerts of these; empty means all",
        pattern=some_of("opened", "escalated", "resolved", "churned"),
    )
    webhook_owners: str = setting(
        "Webhook",
        "",
        "owners",
        "Only alerts whose customer's profile names one of these, separated by commas; empty means all",
    )
    webhook_timeout_ms: Duration = setting(
        "Webhook", "15s", DURATION, "How long the receiver may take to answer", ge=10, le=60_000
    )
    webhook_backoff_ms: Duration = setting(
        "Webhook", "1s", DURATION, "Most waited before the second attempt; doubled for each further one", ge=1
    )
    webhook_backoff_max_ms: Duration = setting(
        "Webhook", "5m", DURATION, "Most waited between two attempts, whatever the receiver's Retry-After says", ge=1
    )
    webhook_give_up_ms: Duration = setting(
        "Webhook",
        "24h",
        DURATION,
        "How long an alert is tried before it goes to the dead letters and the next one is tried",
        ge=0,
    )
    webhook_connections_max: int = setting(
        "Webhook",
        8,
        "connections",
        "How many alerts are posted at the same time, each of another partition",
        ge=1,
        le=100,
    )
    webhook_tls_ca: Path | None = setting("Webhook", None, "PEM file", "Authority to trust instead of the system's")
    webhook_port: int = setting(
        "Webhook", 6070, "port", "Where `deliver` serves /metrics and /healthz, at CHURNWATCH_WEB_HOST", ge=1, le=65535
    )


def webhook_contradictions(settings: WebhookSettings) -> Iterator[str]:
    """Say, a line each, what is wrong with the webhook's settings; never with what they hold."""
    if settings.webhook_url is not None and not _is_address(settings.webhook_url.get_secret_value()):
        yield f"{public_name('webhook_url')} must be an address such as https://crm.example/alerts, http:// or https://"
    for name in ("webhook_secret", "webhook_secret_old"):
        secret: SecretStr | None = getattr(settings, name)
        if secret is not None and len(secret_key(secret.get_secret_value())) < SECRET_BYTES_MIN:
            yield (
                f'{public_name(name)} must be "{SECRET_PREFIX}" and at least {SECRET_BYTES_MIN} random bytes in base64, as '
                f'`echo "{SECRET_PREFIX}$(openssl rand -base64 32)"` makes'
            )
    if settings.webhook_secret_old and not settings.webhook_secret:
        yield f"{public_name('webhook_secret_old')} needs {public_name('webhook_secret')}"
    if settings.webhook_backoff_ms > settings.webhook_backoff_max_ms:
        yield f"{public_name('webhook_backoff_ms')} must not exceed {public_name('webhook_backoff_max_ms')}"


def secret_key(secret: str) -> bytes:
    """Return the key that a secret stands for; empty where it is none.

    >>> secret_key("whsec_c2Vzc2Ft"), secret_key("sesame")
    (b'sessam', b'')
    """
    if not secret.startswith(SECRET_PREFIX):
        return b""
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        return b""


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port_is_one = parts.port is None or parts.port > 0
    except ValueError:
        return False
    plain = url.isprintable() and " " not in url
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and port_is_one and plain
