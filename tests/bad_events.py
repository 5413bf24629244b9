"""Every way in which an event can be bad, each with the reason that it must be dead-lettered for.

The codec's tests decode them; the integration tests publish them to a Kafka. They hold for any clock before the year 9000. Two are larger
than a topic takes by default (1 MiB): `max.message.bytes` must be raised to publish them, or they must be left out.
"""

import json
from typing import Any, NamedTuple

from streams.codec import Reason

KEY = b"c-1"
OVERSIZED_BYTES = 5 << 20
CE_JSON = ("content-type", b"application/cloudevents+json; charset=utf-8")
CE_BINARY = (("ce_specversion", b"1.0"), ("ce_id", b"e-1"), ("ce_time", b"2024-05-01T10:00:00Z"), ("ce_subject", KEY))

FIELDS: dict[str, dict[str, Any]] = {
    "logins": {"channel": "web", "session_seconds": 30},
    "orders": {"order_id": "o-1", "amount": 12.5, "currency": "EUR", "items": 2},
    "tickets": {"ticket_id": "t-1", "status": "opened", "category": "billing"},
    "reviews": {"rating": 4},
    "profiles": {"plan": "gold", "segment": "vip"},
    "cancellations": {"reason": "price"},
    "outcomes": {"alert_id": "a-1", "status": "contacted"},
}
"""The fields of a good event of each stream, beside the three that every event has."""


class BadEvent(NamedTuple):
    name: str
    stream: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    reason: Reason


def good(stream: str, **changed: Any) -> dict[str, Any]:
    """Give the fields of a good event, some of them changed; `...` leaves one out."""
    event = {
        "event_id": "e-1",
        "customer_id": KEY.decode(),
        "occurred_at": "2024-05-01T10:00:00Z",
        **FIELDS[stream],
        **changed,
    }
    return {name: value for name, value in event.items() if value is not ...}


def encoded(fields: Any) -> bytes:
    return json.dumps(fields).encode()


def envelope(**changed: Any) -> bytes:
    """Give a structured CloudEvent around the fields of a good order."""
    attributes = {
        "specversion": "1.0",
        "id": "e-1",
        "source": "/shop",
        "type": "order",
        "time": "2024-05-01T10:00:00Z",
        "subject": "c-1",
        "data": FIELDS["orders"],
        **changed,
    }
    return encoded({name: value for name, value in attributes.items() if value is not ...})


def _raw(name: str, value: bytes | None, reason: Reason = "malformed", stream: str = "orders") -> BadEvent:
    return BadEvent(name, stream, KEY, value, (), reason)


def _field(name: str, stream: str, **changed: Any) -> BadEvent:
    return BadEvent(name, stream, KEY, encoded(good(stream, **changed)), (), "invalid")


def _keyed(name: str, key: bytes | None, customer_id: str = "c-1") -> BadEvent:
    return BadEvent(name, "logins", key, encoded(good("logins", customer_id=customer_id)), (), "mismatched_key")


def _structured(name: str, value: bytes, reason: Reason = "invalid", key: bytes = KEY) -> BadEvent:
    return BadEvent(name, "orders", key, value, (CE_JSON,), reason)


def _binary(name: str, *headers: tuple[str, bytes], value: bytes | None = None, reason: Reason = "invalid") -> BadEvent:
    """Give a binary CloudEvent; the headers given come after the good ones, so that they count."""
    return BadEvent(
        name, "orders", KEY, encoded(FIELDS["orders"]) if value is None else value, (*CE_BINARY, *headers), reason
    )


_OPEN = encoded(good("orders"))[:-1]

BAD_EVENTS: tuple[BadEvent, ...] = (
    # Nothing that can be read.
    _raw("null value", None),
    _raw("null value of a login", None, stream="logins"),
    BadEvent("tombstone without key", "profiles", None, None, (), "malformed"),
    BadEvent("tombstone with empty key", "profiles", b"", None, (), "malformed"),
    BadEvent("tombstone whose key is not UTF-8", "profiles", b"\xff\xfe", None, (), "malformed"),
    BadEvent("tombstone whose key is too long", "profiles", b"c" * 129, None, (), "malformed"),
    _raw("empty value", b""),
    _raw("only blanks", b" \n"),
    _raw("not JSON", b"customer=c-1;amount=12"),
    _raw("Avro with a schema id", b"\x00\x00\x00\x00\x07\x06c-1\x02"),
    _raw("cut off in the middle", _OPEN),
    _raw("two objects", _OPEN + b"}{}"),
    _raw("single quotes", b"{'event_id': 'e-1'}"),
    _raw("not UTF-8", _OPEN.replace(b"o-1", b"\xff\xfe") + b"}"),
    _raw("not UTF-8 in an unknown field", _OPEN + b', "note": "caf\xe9"}'),
    _raw("UTF-16", (_OPEN + b"}").decode().encode("utf-16")),
    _raw("byte order mark", b"\xef\xbb\xbf" + _OPEN + b"}"),
    _raw("lone surrogate", _OPEN.replace(b"o-1", b"\\ud800") + b"}"),
    _raw("raw control character", _OPEN.replace(b"o-1", b"o\x001") + b"}"),
    _raw("nested too deeply", b"[" * 100_000),
    _raw("unknown field nested too deeply", _OPEN + b', "x": ' + b'{"x":' * 50_000 + b"1" + b"}" * 50_001),
    _raw("number of 5000 digits", _OPEN.replace(b"12.5", b"9" * 5000) + b"}"),
    # JSON, but not an object.
    _raw("null in JSON", b"null", "invalid"),
    _raw("array of events", b"[" + _OPEN + b"}]", "invalid"),
    _raw("text in JSON", b'"c-1"', "invalid"),
    _raw("number in JSON", b"12", "invalid"),
    # Fields that are missing.
    _raw("no fields", b"{}", "invalid"),
    _field("no event_id", "orders", event_id=...),
    _field("no customer_id", "logins", customer_id=...),
    _field("no occurred_at", "logins", occurred_at=...),
    _field("no amount", "orders", amount=...),
    _field("no order_id", "orders", order_id=...),
    _field("no ticket status", "tickets", status=...),
    _field("neither rating nor nps", "reviews", rating=...),
    _field("no alert_id", "outcomes", alert_id=...),
    # Fields of the wrong type.
    _field("event_id null", "orders", event_id=None),
    _field("event_id a number", "orders", event_id=7),
    _field("customer_id a list", "orders", customer_id=["c-1"]),
    _field("amount in quotes", "orders", amount="12.5"),
    _field("amount a boolean", "orders", amount=True),
    _field("amount null", "orders", amount=None),
    _field("items an object", "orders", items={"sku": 1}),
    _field("do_not_contact a word", "profiles", do_not_contact="yes"),
    _field("do_not_contact a number", "profiles", do_not_contact=1),
    _field("topics not a list", "reviews", topics="price"),
    _field("text a list", "reviews", text=["good"]),
    # Fields out of range.
    _field("event_id empty", "orders", event_id=""),
    _field("event_id of 5000 characters", "orders", event_id="e" * 5000),
    _field("customer_id empty", "orders", customer_id=""),
    _field("customer_id of 129 characters", "orders", customer_id="c" * 129),
    _field("amount negative", "orders", amount=-0.01),
    _field("amount absurd", "orders", amount=1e300),
    _field("amount an integer of 400 digits", "orders", amount=10**400),
    _field("amount NaN", "orders", amount=float("nan")),
    _field("amount infinite", "orders", amount=float("inf")),
    _raw("amount beyond all numbers", _OPEN.replace(b"12.5", b"1e999") + b"}", "invalid"),
    _field("discount negative", "orders", discount=-1),
    _field("currency in words", "orders", currency="euro"),
    _field("currency followed by a line end", "orders", currency="EUR\n"),
    _field("unknown order status", "orders", status="shipped"),
    _field("unknown channel", "logins", channel="fax"),
    _field("session of negative length", "logins", session_seconds=-1),
    _field("unknown ticket category", "tickets", category="spam"),
    _field("satisfaction 0", "tickets", satisfaction=0),
    _field("rating 6", "reviews", rating=6),
    _field("nps 11", "reviews", rating=..., nps=11),
    _field("unknown theme", "reviews", topics=["weather"]),
    _field("too many themes", "reviews", topics=["price"] * 1000),
    _field("text of 20,001 characters", "reviews", text="x" * 20_001),
    _field("plan of 5000 characters", "profiles", plan="x" * 5000),
    _field("unknown reason to leave", "cancellations", reason="boredom"),
    _field("unknown outcome", "outcomes", status="ignored"),
    _field("negative cost", "outcomes", cost=-5),
    # Instants that are none.
    _field("time without offset", "orders", occurred_at="2024-05-01T10:00:00"),
    _field("date without time", "orders", occurred_at="2024-05-01"),
    _field("time of the 30th of February", "orders", occurred_at="2024-02-30T10:00:00Z"),
    _field("time at 24:00", "orders", occurred_at="2024-05-01T24:00:00Z"),
    _field("time in the year 0", "orders", occurred_at="0000-05-01T10:00:00Z"),
    _field("time before 1970", "orders", occurred_at="1969-12-31T23:59:59Z"),
    _field("epoch milliseconds in quotes", "orders", occurred_at="1714557600000"),
    _field("epoch seconds with a fraction", "orders", occurred_at=1714557600.5),
    _field("occurred_at a boolean", "orders", occurred_at=True),
    _field("occurred_at negative", "orders", occurred_at=-1),
    _field("occurred_at in nanoseconds", "orders", occurred_at=1_714_557_600_000_000_000),
    _field("occurred_at of 100 digits", "orders", occurred_at=10**100),
    _field("effective_at in words", "cancellations", effective_at="next month"),
    _field("snooze_until without offset", "outcomes", status="snoozed", snooze_until="2024-05-01T10:00:00"),
    # Too large, in the wrong place, too early.
    _raw("5 MB of text", encoded(good("reviews", text="x" * OVERSIZED_BYTES)), "oversized", "reviews"),
    _raw("5 MB of anything", b"\xff" * OVERSIZED_BYTES, "oversized"),
    _keyed("no key", None),
    _keyed("empty key", b""),
    _keyed("key of another customer", b"c-2"),
    _keyed("key in JSON", b'"c-1"'),
    _keyed("key not UTF-8", b"\xff\xfe"),
    _keyed("key in Latin-1", "Zoë".encode("latin-1"), "Zoë"),
    _raw("customer twice, the last another one", _OPEN + b', "customer_id": "c-2"}', "mismatched_key"),
    _raw("from the year 9000", encoded(good("orders", occurred_at="9000-01-01T00:00:00Z")), "future"),
    _raw(
        "from the year 9000 in epoch ms", encoded(good("logins", occurred_at=221_845_392_000_000)), "future", "logins"
    ),
    # CloudEvents, structured.
    _structured("envelope not JSON", b"<event/>", "malformed"),
    _structured("envelope not UTF-8", envelope().replace(b"e-1", b"\xff"), "malformed"),
    _structured("envelope nested too deeply", b'{"data":' * 100_000, "malformed"),
    _structured("envelope an array", b"[" + envelope() + b"]"),
    _structured("envelope without specversion", envelope(specversion=...)),
    _structured("envelope of version 0.3", envelope(specversion="0.3")),
    _structured("envelope with a number for a version", envelope(specversion=1.0)),
    _structured("envelope without id", envelope(id=...)),
    _structured("envelope without subject", envelope(subject=...)),
    _structured("envelope with a number for an id", envelope(id=7)),
    _structured("envelope with a naive time", envelope(time="2024-05-01T10:00:00")),
    _structured("envelope without data", envelope(data=...)),
    _structured("envelope with a list for data", envelope(data=[FIELDS["orders"]])),
    _structured("envelope with data in base64", envelope(data=..., data_base64="e30=")),
    _structured("envelope with a boolean for an amount", envelope(data={**FIELDS["orders"], "amount": True})),
    _structured("envelope with an amount of 400 digits", envelope(data={**FIELDS["orders"], "amount": 10**400})),
    _structured("envelope of another customer", envelope(subject="c-2"), "mismatched_key"),
    _structured("envelope from the future", envelope(time="9000-01-01T00:00:00Z"), "future"),
    # CloudEvents, binary.
    _binary("binary body not JSON", value=b"\x00\x01", reason="malformed"),
    _binary("binary body null", value=b"null"),
    _binary("binary id not UTF-8", ("ce_id", b"\xff"), reason="malformed"),
    _binary("binary id empty", ("ce_id", b"")),
    _binary("binary time not a time", ("ce_time", b"yesterday")),
    _binary("binary time in epoch milliseconds", ("ce_time", b"1714557600000")),
    _binary("binary of version 2.0", ("ce_specversion", b"2.0")),
    _binary("binary of another customer", ("ce_subject", b"c-2"), reason="mismatched_key"),
    _binary("binary from the future", ("ce_time", b"9000-01-01T00:00:00Z"), reason="future"),
)
