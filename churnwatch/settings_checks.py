"""Which settings do not fit together, in words, by the names that the outside world knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from churnwatch.settings_sources import public_name
from features.tiles import RETENTION_DAYS
from streams.errors import ConfigError
from streams.time import DAY_MS

if TYPE_CHECKING:
    from churnwatch.settings import Settings

HORIZON_DAYS_MAX = 120
SOURCES = r"^(((orders|logins|tickets|reviews|cancellations),)*(orders|logins|tickets|reviews|cancellations))?$"


def contradictions(settings: Settings) -> Iterator[str]:
    """Say, a line each, which settings do not fit together."""
    yield from _question_contradictions(settings)
    yield from _work_contradictions(settings)
    yield from _access_contradictions(settings)


def _question_contradictions(settings: Settings) -> Iterator[str]:
    for name in ("horizon_ms", "active_ms", "snapshot_ms"):
        if getattr(settings, name) % DAY_MS:
            yield f"{public_name(name)} must be whole days, such as 60d"
    if settings.horizon_ms > HORIZON_DAYS_MAX * DAY_MS:
        yield f"{public_name('horizon_ms')} must be at most {HORIZON_DAYS_MAX}d"
    if settings.active_ms > RETENTION_DAYS * DAY_MS:
        yield f"{public_name('active_ms')} must be at most {RETENTION_DAYS}d: no older days are kept"
    if settings.snapshot_ms > settings.horizon_ms:
        yield f"{public_name('snapshot_ms')} must not exceed {public_name('horizon_ms')}"
    if settings.expiry_ms < settings.active_ms + settings.horizon_ms:
        yield f"{public_name('expiry_ms')} must be at least active + horizon, or labels are lost"


def _work_contradictions(settings: Settings) -> Iterator[str]:
    if settings.chunk_bytes_max < settings.value_bytes_max:
        yield f"{public_name('chunk_bytes_max')} must be at least {public_name('value_bytes_max')}"
    if settings.buffer_bytes_max < settings.chunk_bytes_max:
        yield f"{public_name('buffer_bytes_max')} must be at least {public_name('chunk_bytes_max')}"
    shares = ("alert_share_new", "alert_share_standard", "alert_share_loyal", "alert_share_high_value")
    if not any(getattr(settings, name) for name in shares):
        yield f"{public_name(shares[0])} and the other three shares are all 0: give a segment a part of the budget"
    if settings.stalled_ms < 2 * settings.redis_timeout_ms:
        # Or waiting for Redis would be taken for standing still.
        yield f"{public_name('stalled_ms')} must be at least twice {public_name('redis_timeout_ms')}"
    try:
        settings.topics()
    except ConfigError as error:
        yield f"CHURNWATCH_TOPIC_…: {error}"
    if settings.replay_until_ms is not None and settings.clock != "replay":
        yield f"{public_name('replay_until_ms')} needs {public_name('clock')}=replay"
    if settings.worker_role == "learner" and not settings.learning_enabled:
        yield f"{public_name('worker_role')}=learner needs {public_name('learning_enabled')}=on"
    if settings.playbook_learning and not settings.learning_enabled:
        yield f"{public_name('playbook_learning')}=on needs {public_name('learning_enabled')}=on: the learner learns both"
    if settings.model_file is not None and settings.learning_enabled:
        yield f"{public_name('model_file')} needs {public_name('learning_enabled')}=off"


def _access_contradictions(settings: Settings) -> Iterator[str]:
    sasl = settings.kafka_security_protocol.startswith("SASL_")
    if sasl and not (settings.kafka_sasl_username and settings.kafka_sasl_password):
        yield (
            f"{public_name('kafka_security_protocol')}={settings.kafka_security_protocol} needs "
            f"{public_name('kafka_sasl_username')} and {public_name('kafka_sasl_password')}"
        )
    if not sasl and (settings.kafka_sasl_username or settings.kafka_sasl_password):
        yield (
            f"{public_name('kafka_sasl_username')} needs {public_name('kafka_security_protocol')} to be "
            f"SASL_SSL or SASL_PLAINTEXT, or the password would not be used"
        )
    if bool(settings.kafka_ssl_certfile) != bool(settings.kafka_ssl_keyfile):
        yield f"{public_name('kafka_ssl_certfile')} and {public_name('kafka_ssl_keyfile')} go together"
    if bool(settings.redis_tls_cert) != bool(settings.redis_tls_key):
        yield f"{public_name('redis_tls_cert')} and {public_name('redis_tls_key')} go together"
    if (settings.redis_tls_ca or settings.redis_tls_cert) and not settings.redis_url.startswith("rediss://"):
        yield f"{public_name('redis_tls_ca')} needs a {public_name('redis_url')} that starts with rediss://"
