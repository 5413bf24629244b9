import pytest

from streams.codec import MESSAGE_MAX, Arrival, Limits, RawRecord, Rejected, decode, decode_chunk, late
from streams.events import STREAMS, Profile, Ticket
from streams.forms import event_of
from streams.time import DAY_MS, iso, parse_instant
from tests.bad_events import BAD_EVENTS, KEY, BadEvent, encoded, good

NOW_MS = parse_instant("2024-05-02T00:00:00Z")
LIMITS = Limits()
SECRET = "4111 1111 1111 1111"


def record(value: bytes | None, key: bytes | None = KEY, headers: tuple[tuple[str, bytes], ...] = ()) -> RawRecord:
    return RawRecord("customer.topic", 3, 1812, NOW_MS, key, value, headers)


def rejected(value: bytes | None, stream: str = "orders", **limits: int) -> Rejected:
    result = decode(record(value), stream, Limits(**limits), NOW_MS)
    assert isinstance(result, Rejected)
    return result


@pytest.mark.parametrize("bad", BAD_EVENTS, ids=lambda bad: bad.name)
def test_a_bad_event_is_rejected_for_its_reason(bad: BadEvent) -> None:
    given = record(bad.value, bad.key, bad.headers)
    result = decode(given, bad.stream, LIMITS, NOW_MS)
    assert isinstance(result, Rejected)
    assert result.reason == bad.reason, result.message
    assert result.record is given
    assert 0 < len(result.message) <= MESSAGE_MAX
    assert result.error
    assert result.stage == ("decode" if bad.reason in {"malformed", "oversized"} else "validate")


def test_the_list_of_bad_events_is_complete() -> None:
    assert len(BAD_EVENTS) >= 40
    assert len({bad.name for bad in BAD_EVENTS}) == len(BAD_EVENTS)
    assert {bad.reason for bad in BAD_EVENTS} == {"malformed", "invalid", "future", "oversized", "mismatched_key"}


@pytest.mark.parametrize("stream", STREAMS)
def test_a_good_event_arrives_with_its_record(stream: str) -> None:
    given = record(encoded(good(stream)))
    result = decode(given, stream, LIMITS, NOW_MS)
    assert result == Arrival(stream, event_of(stream, good(stream)), given)


def test_a_chunk_keeps_its_order() -> None:
    records = [
        record(encoded(good("logins", event_id="a"))),
        record(b"{"),
        record(encoded(good("logins", event_id="b"))),
    ]
    results = decode_chunk(records, "logins", LIMITS, NOW_MS)
    assert [result.record for result in results] == records
    assert [type(result) for result in results] == [Arrival, Rejected, Arrival]
    assert decode_chunk([], "logins", LIMITS, NOW_MS) == []


def test_the_key_is_the_customer_id_in_utf_8() -> None:
    value = encoded(good("logins", customer_id="Zoë 😀"))
    assert isinstance(decode(record(value, "Zoë 😀".encode()), "logins", LIMITS, NOW_MS), Arrival)


def test_a_line_of_a_file_has_no_key() -> None:
    given = record(encoded(good("logins")), key=None)
    assert isinstance(decode(given, "logins", LIMITS, NOW_MS, keyed=False), Arrival)


def test_a_message_says_where_the_fault_is_and_not_what_stands_there() -> None:
    value = encoded(
        good("orders", amount=SECRET, currency=SECRET, status=SECRET, occurred_at=SECRET, order_id=[SECRET])
    )
    message = rejected(value).message
    assert SECRET not in message
    for field in ("amount", "currency", "order_id", "occurred_at"):
        assert f"{field}: " in message


def test_a_message_is_bounded() -> None:
    everything: dict[str, object] = {name: {"x": 1} for name in Ticket.__struct_fields__}
    result = rejected(encoded(everything), "tickets")
    assert len(result.message) <= MESSAGE_MAX


@pytest.mark.parametrize("excess", [0, 1])
def test_the_size_may_be_reached_and_not_exceeded(excess: int) -> None:
    value = encoded(good("orders"))
    result = decode(record(value), "orders", Limits(value_bytes_max=len(value) - excess), NOW_MS)
    assert isinstance(result, Rejected if excess else Arrival)


def test_the_size_is_looked_at_before_anything_else() -> None:
    assert rejected(b"{" * 101, value_bytes_max=100).reason == "oversized"


@pytest.mark.parametrize(("ahead_ms", "expected"), [(DAY_MS, Arrival), (DAY_MS + 1, Rejected)])
def test_a_clock_may_go_ahead_by_the_limit(ahead_ms: int, expected: type) -> None:
    value = encoded(good("logins", occurred_at=NOW_MS + ahead_ms))
    assert isinstance(decode(record(value), "logins", LIMITS, NOW_MS), expected)


def test_a_tombstone_erases_the_profile_of_its_key() -> None:
    result = decode(record(None), "profiles", LIMITS, NOW_MS)
    assert isinstance(result, Arrival)
    event = Profile(event_id="tombstone:customer.topic:3:1812", customer_id="c-1", occurred_at=NOW_MS)
    assert result.event == event
    assert result == decode(record(None), "profiles", LIMITS, NOW_MS + 1), "redelivered, it is a duplicate"


def test_tombstones_on_the_longest_topic_differ() -> None:
    ids = set()
    for offset in (1_000_000_000_000, 1_000_000_000_001):
        result = decode(RawRecord("t" * 249, 1000, offset, 0, KEY, None), "profiles", LIMITS, NOW_MS)
        assert isinstance(result, Arrival)
        ids.add(result.event.event_id)
    assert len(ids) == 2


@pytest.mark.parametrize(("timestamp_ms", "occurred_at"), [(-1, 0), (5, 5)])
def test_a_tombstone_occurred_when_kafka_says(timestamp_ms: int, occurred_at: int) -> None:
    result = decode(RawRecord("customer.profiles", 0, 0, timestamp_ms, KEY, None), "profiles", LIMITS, NOW_MS)
    assert isinstance(result, Arrival)
    assert result.event.occurred_at == occurred_at


def test_a_tombstone_from_the_future_is_one_of_the_future() -> None:
    result = decode(RawRecord("customer.profiles", 0, 0, 1 << 62, KEY, None), "profiles", LIMITS, NOW_MS)
    assert isinstance(result, Rejected)
    assert result.reason == "future"


def test_late_names_both_instants() -> None:
    given = record(encoded(good("orders")))
    arrival = decode(given, "orders", LIMITS, NOW_MS)
    assert isinstance(arrival, Arrival)
    result = late(arrival, NOW_MS)
    assert (result.reason, result.record, result.stage) == ("late", given, "pipeline")
    assert iso(arrival.event.occurred_at) in result.message
    assert iso(NOW_MS) in result.message
    assert late(arrival, -DAY_MS).reason == "late"
