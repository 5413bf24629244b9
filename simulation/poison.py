"""Bad events of many kinds, each with the reason for which it must come back as a dead letter."""

from __future__ import annotations

import json
from random import Random
from typing import Any, Final

from simulation.shop import VALUE_BYTES_MAX
from streams.time import DAY_MS

Headers = tuple[tuple[str, bytes], ...]
FAR_FUTURE_MS: Final = 4_000 * DAY_MS


def poisoned(rng: Random, good: dict[str, Any], stream: str) -> tuple[bytes | None, bytes | None, Headers, str]:
    """Spoil an event; returns key, value and headers of the record, and the reason."""
    key = str(good["customer_id"]).encode()
    if rng.random() < 0.5:
        value, reason = _raw(rng, good, stream)
        return key, value, (), reason
    spoiled = rng.choice(_FIELDS)
    kind, changes = spoiled
    event = {name: what for name, what in (good | changes).items() if what is not _GONE}
    if kind == "mismatched_key":
        return rng.choice((None, b"somebody", b"")), _json(good), (), kind
    if kind == "future":
        event["occurred_at"] = good["occurred_at"] + FAR_FUTURE_MS
    return key, _json(event), (), kind


_GONE: Final = object()
_FIELDS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("mismatched_key", {}),
    ("future", {}),
    ("invalid", {"event_id": _GONE}),
    ("invalid", {"event_id": ""}),
    ("invalid", {"event_id": 7}),
    ("invalid", {"occurred_at": _GONE}),
    ("invalid", {"occurred_at": "yesterday"}),
    ("invalid", {"occurred_at": -1}),
    ("invalid", {"occurred_at": "2020-01-01T00:00:00"}),
    ("invalid", {"occurred_at": True}),
    ("invalid", {"customer_id": _GONE}),
    ("invalid", {"customer_id": None}),
    ("invalid", {"customer_id": "x" * 129}),
)


def _raw(rng: Random, good: dict[str, Any], stream: str) -> tuple[bytes | None, str]:
    kinds: list[tuple[bytes | None, str]] = [
        (b"", "malformed"),
        (b"{", "malformed"),
        (b"\xff\xfe\x00", "malformed"),
        (b'{"event_id": "\xc3"}', "malformed"),
        (_json(good)[:-2], "malformed"),
        (b"[" * 1_500, "malformed"),
        (b"null", "invalid"),
        (b"[]", "invalid"),
        (b'"order"', "invalid"),
        (b"{}", "invalid"),
        (_json(good | {"padding": "x" * VALUE_BYTES_MAX}), "oversized"),
        (b"9" * (VALUE_BYTES_MAX + 1), "oversized"),
    ]
    if stream != "profiles":
        kinds.append((None, "malformed"))
    return rng.choice(kinds)


def _json(event: dict[str, Any]) -> bytes:
    return json.dumps(event).encode()


def enveloped(event: dict[str, Any], *, structured: bool) -> tuple[bytes, Headers]:
    """The event as a CloudEvent: value and headers."""
    around = {"specversion": "1.0", "id": event["event_id"], "subject": event["customer_id"]}
    data = {name: what for name, what in event.items() if name not in ("event_id", "customer_id")}
    if structured:
        envelope = around | {"source": "shop", "type": "event", "data": data}
        return _json(envelope), (("content-type", b"application/cloudevents+json; charset=utf-8"),)
    return _json(data), tuple((f"ce_{name}", text.encode()) for name, text in around.items())
