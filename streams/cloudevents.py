"""CloudEvents 1.0 over Kafka, both modes: `id` is the event_id, `time` occurred_at, `subject` the customer_id.

- structured: content type `application/cloudevents+json`, the value is an envelope with `data`.
- binary: the attributes are headers (`ce_id` …), the value is the event's other fields as JSON.

Where the data repeat one of the three fields, the attribute counts: it is what routers and gateways see. Attributes that Churnwatch
has no use for (`source`, `type`, extensions) are not looked at.
Source: CloudEvents Kafka Protocol Binding 1.0.2, section 3; a record with both marks is structured, as it says there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

from pydantic_core import from_json

STRUCTURED: Final = b"application/cloudevents+json"
FIELDS: Final = {"id": "event_id", "time": "occurred_at", "subject": "customer_id"}

Headers = Sequence[tuple[str, bytes]]
Mode = Literal["binary", "structured"]


class EnvelopeError(ValueError):
    """The value is JSON, but what is around the event is not CloudEvents 1.x as it is accepted here."""


def mode_of(headers: Headers) -> Mode | None:
    """Return the mode of the CloudEvent that the headers announce; None for a plain event."""
    mode: Mode | None = None
    for name, value in headers:
        if name == "ce_specversion":
            mode = "binary"
        elif name.lower() == "content-type" and value.split(b";")[0].strip().lower() == STRUCTURED:
            return "structured"
    return mode


def fields_of(mode: Mode, headers: Headers, value: bytes) -> dict[str, Any]:
    """Return the event's fields, for its model to validate.

    Raises:
        EnvelopeError: not an object, not version 1.x, or data in another form than a JSON object.
        ValueError: the value is not JSON, or a header is not UTF-8.
    """
    body = from_json(value, cache_strings=False)
    if not isinstance(body, dict):
        raise EnvelopeError("the value of a CloudEvent is a JSON object here")
    attributes = (
        body if mode == "structured" else {name[3:]: text.decode() for name, text in headers if name[:3] == "ce_"}
    )
    version = attributes.get("specversion")
    if not isinstance(version, str) or not version.startswith("1."):
        raise EnvelopeError("the specversion of a CloudEvent must be 1.0")
    data = _data_of(body) if mode == "structured" else body
    return {
        **data,
        **{ours: attributes[theirs] for theirs, ours in FIELDS.items() if attributes.get(theirs) is not None},
    }


def _data_of(envelope: dict[str, Any]) -> dict[str, Any]:
    data = envelope.get("data")
    if data is None and "data_base64" not in envelope:
        return {}
    if not isinstance(data, dict):
        raise EnvelopeError("the data of a CloudEvent must be a JSON object; data_base64 is not accepted")
    return data
