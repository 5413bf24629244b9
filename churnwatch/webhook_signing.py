"""Signing what is posted, so that a receiver can tell an alert from a forgery and a repetition from a new one.

The scheme is that of Standard Webhooks 1.0 (https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md):
HMAC-SHA256 over `id.timestamp.body`, in base64, `v1,` before it; one signature for each key, separated by spaces. The id stays the same
however often an alert is sent, the timestamp is that of the attempt.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from typing import Final

from churnwatch.settings_webhook import WebhookSettings, secret_key

ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"


def signing_keys(settings: WebhookSettings) -> tuple[bytes, ...]:
    """Return the keys that sign, the one in force first; none where nothing is signed."""
    secrets = (settings.webhook_secret, settings.webhook_secret_old)
    return tuple(secret_key(secret.get_secret_value()) for secret in secrets if secret is not None)


def signature(key: bytes, message_id: str, at_seconds: int, body: bytes) -> str:
    """Return one signature.

    >>> signature(secret_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    digest = hmac.digest(key, f"{message_id}.{at_seconds}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"


def signed(keys: Sequence[bytes], message_id: str, at_ms: int, body: bytes) -> dict[str, str]:
    """Return the headers that go with a body; without a signature where there is no key."""
    at_seconds = at_ms // 1000
    headers = {ID: message_id, TIMESTAMP: str(at_seconds)}
    if keys:
        headers[SIGNATURE] = " ".join(signature(key, message_id, at_seconds, body) for key in keys)
    return headers
