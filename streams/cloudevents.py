"""CloudEvents 1.0 over Kafka, both modes: `id` is the event_id, `time` occurred_at, `subject` the customer_id.

- binary: the attributes are headers (`ce_id` …), the value is the event's other fields as JSON.
- structured: content type `application/cloudevents+json`, the value an envelope with `data`.

Where the data repeat one of the three fields, the attribute counts: it is what routers and gateways see.
Source: CloudEvents Kafka Protocol Binding 1.0.2, sections 3.2 and 3.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pydantic_core import from_json

STRUCTURED: Final = b"application/cloudevents+json"
FIELDS: Final = {"id": "event_id", "time": "occurred_at", "subject": "customer_id"}

Headers = Sequence[tuple[str, bytes]]


def is_cloud_event(headers: Headers) -> bool:
    """Tell whether a record's headers announce a CloudEvent of either mode."""
    return any(
        name == "ce_specversion" or (name.lower() == "content-type" and _media_type(value) == STRUCTURED)
        for name, value in headers
    )


def attributes_of(headers: Headers, value: bytes) -> dict[str, Any]:
    """Return the event's fields, for its model to validate.

    Raises ValueError for what is not JSON, not an object, or not version 1.x of CloudEvents.
    """
    body = from_json(value, cache_strings=False)
    if not isinstance(body, dict):
        raise ValueError("the body of a CloudEvent is a JSON object")
    if any(name == "ce_specversion" for name, _ in headers):
        attributes = {name[3:]: text.decode() for name, text in headers if name.startswith("ce_") and text is not None}
        data = body
    else:
        attributes = {name: held for name, held in body.items() if name != "data"}
        data = body.get("data") or {}
        if not isinstance(data, dict):
            raise ValueError("the data of the CloudEvent is not a JSON object; data_base64 is not accepted")
    version = attributes.get("specversion")
    if not (isinstance(version, str) and version.startswith("1.")):
        raise ValueError("specversion must be 1.0")
    return {**data, **{ours: attributes[theirs] for theirs, ours in FIELDS.items() if attributes.get(theirs) is not None}}


def _media_type(value: bytes | None) -> bytes:
    return (value or b"").split(b";")[0].strip().lower()
