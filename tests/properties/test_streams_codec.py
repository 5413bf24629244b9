"""Whatever the bytes, decoding ends in an event or in a reason; what is written as an event comes back as it was."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.codec import MESSAGE_MAX, Arrival, Limits, RawRecord, Rejected, decode, decode_chunk
from streams.deadletter import dead_letter, is_error_header
from streams.events import STREAMS
from streams.time import DAY_MS
from tests.bad_events import FIELDS, good

NOW_MS = 1_714_600_000_000
LIMITS = Limits(value_bytes_max=4096)
REASONS = {"malformed", "invalid", "future", "oversized", "mismatched_key"}

streams = st.sampled_from(sorted(STREAMS))
text = st.text(st.characters(codec="utf-8"), max_size=40)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
header_names = st.sampled_from(
    ["ce_specversion", "ce_id", "ce_time", "ce_subject", "content-type", "churnwatch.first_failed_at", "x", ""]
)
header_values = st.binary(max_size=20) | st.sampled_from(
    [b"1.0", b"c-1", b"application/cloudevents+json", b"2024-05-01T10:00:00Z"]
)
headers = st.lists(st.tuples(header_names, header_values), max_size=6).map(tuple)


@st.composite
def nearly_events(draw: st.DrawFn) -> bytes:
    """An event or an envelope with some fields replaced by anything, and some bytes of it too."""
    stream = draw(streams)
    fields: dict[str, Any] = good(stream)
    if draw(st.booleans()):
        fields = {
            "specversion": "1.0",
            "id": "e",
            "time": fields["occurred_at"],
            "subject": "c-1",
            "data": FIELDS[stream],
        }
    for name in draw(st.lists(st.sampled_from([*fields, "data", "topics", "nps"]), max_size=3)):
        fields[name] = draw(json_values)
    value = bytearray(json.dumps(fields).encode())
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(value) - 1))
        value[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(value)


values = (
    st.none() | st.binary(max_size=5000) | json_values.map(lambda held: json.dumps(held).encode()) | nearly_events()
)
records = st.builds(
    RawRecord,
    topic=st.just("customer.topic"),
    partition=st.integers(0, 100),
    offset=st.integers(0, 1 << 62),
    timestamp_ms=st.integers(-1, (1 << 63) - 1),
    key=st.none() | st.just(b"c-1") | st.binary(max_size=200),
    value=values,
    headers=headers,
)

unhurried = settings(deadline=None)  # a busy machine is no defect


@unhurried
@given(records, streams, st.integers(0, 1 << 62))
def test_any_record_ends_in_an_event_or_a_reason(record: RawRecord, stream: str, now_ms: int) -> None:
    result = decode(record, stream, LIMITS, now_ms)
    if isinstance(result, Rejected):
        assert result.reason in REASONS
        assert 0 < len(result.message) <= MESSAGE_MAX
        assert result.record is record
    else:
        assert result.stream == stream
        assert type(result.event) is STREAMS[stream]
        assert result.event.customer_id.encode() == record.key
        assert 0 <= result.event.occurred_at <= now_ms + LIMITS.future_ms_max


@unhurried
@given(st.lists(records, max_size=4), streams)
def test_a_chunk_is_its_records_one_by_one(chunk: list[RawRecord], stream: str) -> None:
    assert decode_chunk(chunk, stream, LIMITS, NOW_MS) == [decode(one, stream, LIMITS, NOW_MS) for one in chunk]


@unhurried
@given(records, streams, st.integers(0, NOW_MS))
def test_a_letter_can_be_sent_and_replayed(record: RawRecord, stream: str, failed_ms: int) -> None:
    rejected = decode(record, stream, LIMITS, NOW_MS)
    if isinstance(rejected, Arrival):
        return
    letter = dead_letter(rejected, failed_ms)
    assert (letter.key, letter.value) == (record.key, record.value)
    assert [header for header in letter.headers if not is_error_header(header[0])] == [
        header for header in record.headers if not is_error_header(header[0])
    ]
    names = [name for name, _ in letter.headers if is_error_header(name)]
    assert len(names) == len(set(names)) == 8
    assert all(isinstance(held, bytes) for _, held in letter.headers)
    replayed = RawRecord(
        record.topic, record.partition, record.offset, 0, letter.key, letter.value, tuple(letter.headers)
    )
    again = decode(replayed, stream, LIMITS, NOW_MS)
    assert isinstance(again, Arrival) or dead_letter(again, failed_ms + 1).headers == letter.headers


@unhurried
@given(text.filter(bool), text.filter(bool), st.integers(0, NOW_MS), st.floats(0, 1e12), st.booleans())
def test_a_written_event_comes_back(event_id: str, customer_id: str, at_ms: int, amount: float, escaped: bool) -> None:
    fields = good("orders", event_id=event_id, customer_id=customer_id, occurred_at=at_ms, amount=amount)
    value = json.dumps(fields, ensure_ascii=escaped).encode()
    result = decode(RawRecord("t", 0, 0, 0, customer_id.encode(), value), "orders", LIMITS, NOW_MS)
    assert isinstance(result, Arrival), result
    assert {name: getattr(result.event, name) for name in fields} == fields


@unhurried
@given(text.filter(bool), st.none() | st.binary(max_size=50))
def test_any_key_but_the_customers_is_mismatched(customer_id: str, key: bytes | None) -> None:
    value = json.dumps(good("logins", customer_id=customer_id)).encode()
    result = decode(RawRecord("t", 0, 0, 0, key, value), "logins", LIMITS, NOW_MS)
    if key == customer_id.encode():
        assert isinstance(result, Arrival)
    else:
        assert isinstance(result, Rejected)
        assert result.reason == "mismatched_key"


@unhurried
@given(st.integers(0, 10 * DAY_MS), st.integers(-10 * DAY_MS, 10 * DAY_MS))
def test_the_future_begins_where_the_limit_says(limit_ms: int, ahead_ms: int) -> None:
    value = json.dumps(good("logins", occurred_at=NOW_MS + ahead_ms)).encode()
    result = decode(RawRecord("t", 0, 0, 0, b"c-1", value), "logins", Limits(future_ms_max=limit_ms), NOW_MS)
    assert isinstance(result, Rejected) == (ahead_ms > limit_ms)


@unhurried
@given(st.sampled_from(sorted(FIELDS)), st.text(min_size=1, max_size=20))
def test_the_three_ways_to_write_an_event_are_one(stream: str, event_id: str) -> None:
    plain = json.dumps(good(stream, event_id=event_id, customer_id="c")).encode()
    at = "2024-05-01T10:00:00Z"
    envelope = {"specversion": "1.0", "id": event_id, "time": at, "subject": "c", "data": FIELDS[stream]}
    binary = (("ce_specversion", b"1.0"), ("ce_id", event_id.encode()), ("ce_time", at.encode()), ("ce_subject", b"c"))
    structured = (("content-type", b"application/cloudevents+json"),)
    events = []
    for value, head in (
        (plain, ()),
        (json.dumps(envelope).encode(), structured),
        (json.dumps(FIELDS[stream]).encode(), binary),
    ):
        result = decode(RawRecord("t", 0, 0, 0, b"c", value, head), stream, LIMITS, NOW_MS)
        assert isinstance(result, Arrival), result
        events.append(result.event)
    assert events[0] == events[1] == events[2]
