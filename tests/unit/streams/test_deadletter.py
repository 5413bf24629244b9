import msgspec

from streams.codec import RawRecord, Rejected
from streams.deadletter import dead_letter, is_error_header
from streams.outgoing import Outgoing
from streams.time import parse_instant

FAILED_MS = parse_instant("2024-05-02T08:30:00.250Z")
PUBLISHED = [
    ("__connect.errors.topic", b"customer.orders"),
    ("__connect.errors.partition", b"3"),
    ("__connect.errors.offset", b"1812"),
    ("__connect.errors.stage", b"validate"),
    ("__connect.errors.exception.class.name", b"ValidationError"),
    ("__connect.errors.exception.message", "amount: Zahl über null".encode()),
    ("churnwatch.reason", b"invalid"),
    ("churnwatch.first_failed_at", b"2024-05-02T08:30:00.250Z"),
]


def rejected(key: bytes | None, value: bytes | None, *headers: tuple[str, bytes], offset: int = 1812) -> Rejected:
    record = RawRecord("customer.orders", 3, offset, 0, key, value, headers)
    return Rejected(record, "invalid", "ValidationError", "amount: Zahl über null", "validate")


def test_key_and_value_are_untouched_and_the_headers_say_why() -> None:
    letter = dead_letter(rejected(b"\xff", b"\x00{"), FAILED_MS)
    assert letter == Outgoing("customer.orders.dlq", b"\xff", b"\x00{", PUBLISHED)


def test_null_stays_null_and_empty_stays_empty() -> None:
    assert (dead_letter(rejected(None, None), 0).key, dead_letter(rejected(None, None), 0).value) == (None, None)
    assert (dead_letter(rejected(b"", b""), 0).key, dead_letter(rejected(b"", b""), 0).value) == (b"", b"")


def test_the_records_own_headers_are_kept_in_order_before_ours() -> None:
    own = [("traceparent", b"00-1"), ("x", b""), ("x", b"\xff"), ("churnwatch.tenant", b"eu")]
    assert dead_letter(rejected(b"c", b"{}", *own), FAILED_MS).headers == [*own, *PUBLISHED]


def test_a_letter_that_fails_again_keeps_its_first_time_and_repeats_nothing() -> None:
    first = dead_letter(rejected(b"c", b"{}", ("traceparent", b"00-1")), FAILED_MS)
    again = dead_letter(rejected(b"c", b"{}", *first.headers, offset=99), FAILED_MS + 86_400_000)
    assert again.headers == [
        ("traceparent", b"00-1"),
        *PUBLISHED[:2],
        ("__connect.errors.offset", b"99"),
        *PUBLISHED[3:],
    ]


def test_only_its_own_headers_are_error_headers() -> None:
    assert all(is_error_header(name) for name, _ in PUBLISHED)
    assert not any(map(is_error_header, ("traceparent", "churnwatch.tenant", "ce_id", "")))


def test_a_letter_survives_the_outbox() -> None:
    letter = dead_letter(rejected(None, None, ("x", b"\xff")), FAILED_MS)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(letter), type=Outgoing) == letter
