"""From a Kafka record to an event, or to the reason why not. Nothing in here raises, whatever the bytes.

1. The size, before anything is parsed; then the form: plain JSON, or CloudEvents in either mode (`streams.cloudevents`).
2. The fields: most events come the short way (`streams.quick`), the others are judged by their form (`streams.forms`).
3. What only the record can tell: the key must be the customer's id, and the time must not lie far ahead of the clock.

`malformed` is what cannot be read at all, `invalid` what can be read and is not the event.

Whether an event is too late is for the pipeline to say, which knows the partition's clock: `late`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from msgspec import Struct
from pydantic import ValidationError

from streams.cloudevents import EnvelopeError, fields_of, mode_of
from streams.events import IDENTIFIER_MAX, InputEvent
from streams.forms import event_in, event_of
from streams.quick import event_quickly
from streams.time import DAY_MS, INSTANT_MAX_MS, iso

Reason = Literal["malformed", "invalid", "future", "late", "oversized", "mismatched_key"]
MESSAGE_MAX: Final = 300
"""Characters of an error's message: enough to mend the producer, too few to carry a payload into logs."""

PROBLEMS_MAX: Final = 5
"""Fields that a message names."""


# Structs, and none that the garbage collector need look at: there is one of each for every event, and a dataclass takes ten times
# as long to make.
class RawRecord(Struct, frozen=True, gc=False):
    """A Kafka record, untouched. `timestamp_ms` is Kafka's, in epoch milliseconds."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Arrival(Struct, frozen=True, gc=False):
    """A valid event of `stream`, and the record it came in."""

    stream: str
    event: InputEvent
    record: RawRecord


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that is no valid event: `error` is an exception's class name, `stage` the part of the work that failed."""

    record: RawRecord
    reason: Reason
    error: str
    message: str
    stage: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What a record may be at most: bytes of its value, and milliseconds ahead of the clock."""

    value_bytes_max: int = 1 << 20
    future_ms_max: int = DAY_MS


def decode(record: RawRecord, stream: str, limits: Limits, now_ms: int, *, keyed: bool = True) -> Arrival | Rejected:
    """Return the event in a record of `stream`, or why there is none.

    `now_ms` is the wall clock; `keyed` is False for lines of a file, which have no key to be checked.
    """
    value = record.value
    if value is None:
        return _tombstone(record, stream, limits, now_ms)
    if len(value) > limits.value_bytes_max:
        message = f"the value has {len(value)} bytes, {limits.value_bytes_max} are allowed"
        return Rejected(record, "oversized", "ValueError", message, "decode")
    mode = mode_of(record.headers) if record.headers else None
    try:
        if mode is None:
            event = event_quickly(stream, value) or event_in(stream, value)
        else:
            event = event_of(stream, fields_of(mode, record.headers, value))
    except ValidationError as error:
        return _invalid(record, error)
    except EnvelopeError as error:
        return Rejected(record, "invalid", "EnvelopeError", _short(error), "validate")
    except ValueError as error:
        return Rejected(record, "malformed", type(error).__name__, _short(error), "decode")
    return _placed(record, stream, event, limits, now_ms, keyed=keyed)


def decode_chunk(records: Iterable[RawRecord], stream: str, limits: Limits, now_ms: int) -> list[Arrival | Rejected]:
    """Return what `decode` makes of each record, in order."""
    return [decode(record, stream, limits, now_ms) for record in records]


def late(arrival: Arrival, horizon_ms: int) -> Rejected:
    """Return the rejection of an event from before `horizon_ms`, the oldest instant of which anything is still kept."""
    message = f"it occurred at {iso(arrival.event.occurred_at)}; what is kept begins at {iso(max(horizon_ms, 0))}"
    return Rejected(arrival.record, "late", "ValueError", message, "pipeline")


def failed(arrival: Arrival, error: Exception) -> Rejected:
    """Return the rejection of a valid event that could not be worked on: a fault of ours, but it must not stop those behind it."""
    return Rejected(arrival.record, "invalid", type(error).__name__, _short(error), "pipeline")


def _placed(
    record: RawRecord, stream: str, event: InputEvent, limits: Limits, now_ms: int, *, keyed: bool
) -> Arrival | Rejected:
    """Check the event against its record and the clock."""
    if keyed and record.key != event.customer_id.encode():
        what = "no key" if record.key is None else "another key than its customer_id"
        message = f"the record has {what}; the key decides the partition, so it must be the customer_id in UTF-8"
        return Rejected(record, "mismatched_key", "ValueError", message, "validate")
    if event.occurred_at > now_ms + limits.future_ms_max:
        message = f"it says it occurred at {iso(event.occurred_at)}, and now it is {iso(now_ms)}"
        return Rejected(record, "future", "ValueError", message, "validate")
    return Arrival(stream, event, record)


def _tombstone(record: RawRecord, stream: str, limits: Limits, now_ms: int) -> Arrival | Rejected:
    """A null value: on the compacted profile topic it erases the profile, elsewhere it says nothing."""
    if stream != "profiles":
        return Rejected(record, "malformed", "ValueError", "the value is null", "decode")
    place = f"tombstone:{record.topic}:{record.partition}:{record.offset}"
    try:
        event = event_of(
            stream,
            {
                "event_id": place[-IDENTIFIER_MAX:],
                "customer_id": (record.key or b"").decode(),
                "occurred_at": min(max(record.timestamp_ms, 0), INSTANT_MAX_MS),
            },
        )
    except ValueError as error:
        message = "the value is null and the key is no customer_id (1 to 128 characters in UTF-8): nothing to erase"
        return Rejected(record, "malformed", type(error).__name__, message, "decode")
    return _placed(record, stream, event, limits, now_ms, keyed=True)


def _invalid(record: RawRecord, error: ValidationError) -> Rejected:
    """Tell what is not JSON from what is not the event, and say which fields are wrong without repeating what they hold."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    if problems[0]["type"] == "json_invalid":
        return Rejected(record, "malformed", "ValidationError", _short(problems[0]["msg"]), "decode")
    told = "; ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'event'}: {problem['msg'].removeprefix('Value error, ')}"
        for problem in problems[:PROBLEMS_MAX]
    )
    return Rejected(record, "invalid", "ValidationError", _short(told), "validate")


def _short(problem: object) -> str:
    text = str(problem)
    return text if len(text) <= MESSAGE_MAX else text[: MESSAGE_MAX - 1] + "…"
