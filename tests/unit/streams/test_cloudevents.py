import pytest

from streams.cloudevents import mode_of
from streams.codec import Arrival, Limits, RawRecord, Rejected, decode
from streams.events import InputEvent
from streams.forms import event_of
from tests.bad_events import CE_BINARY, CE_JSON, FIELDS, encoded, envelope, good

NOW_MS = 1_714_600_000_000
ORDER = event_of("orders", good("orders"))
Headers = tuple[tuple[str, bytes], ...]


def arrived(value: bytes, headers: Headers, stream: str = "orders") -> InputEvent:
    result = decode(RawRecord("customer.orders", 0, 0, NOW_MS, b"c-1", value, headers), stream, Limits(), NOW_MS)
    assert isinstance(result, Arrival), result
    return result.event


def test_structured_mode() -> None:
    assert arrived(envelope(), (CE_JSON,)) == ORDER


def test_binary_mode() -> None:
    assert arrived(encoded(FIELDS["orders"]), (*CE_BINARY, ("content-type", b"application/json"))) == ORDER


@pytest.mark.parametrize("header", ["content-type", "Content-Type"])
@pytest.mark.parametrize(
    "media_type", [b"application/cloudevents+json", b"Application/CloudEvents+JSON ; charset=UTF-8"]
)
def test_the_media_type_decides_whatever_its_parameters(header: str, media_type: bytes) -> None:
    assert mode_of([("traceparent", b"00-0"), (header, media_type)]) == "structured"


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("content-type", b"application/json"),),
        (("content-type", b"\xff"),),
        (("ce_id", b"e-9"),),
        (("traceparent", b"00-0"), ("", b"")),
    ],
)
def test_other_headers_leave_an_event_plain(headers: Headers) -> None:
    assert mode_of(headers) is None
    assert arrived(encoded(good("orders")), headers) == ORDER


def test_a_record_with_both_marks_is_structured() -> None:
    wrong = (("ce_specversion", b"1.0"), ("ce_id", b"e-9"), ("ce_subject", b"c-9"))
    assert arrived(envelope(), (*wrong, CE_JSON)) == ORDER
    assert arrived(envelope(), (CE_JSON, *wrong)) == ORDER


@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_the_attributes_count_where_the_data_repeat_them(mode: str) -> None:
    data = good("orders", event_id="e-9", customer_id="c-9", occurred_at=9)
    if mode == "binary":
        assert arrived(encoded(data), CE_BINARY) == ORDER
    else:
        assert arrived(envelope(data=data), (CE_JSON,)) == ORDER


@pytest.mark.parametrize("absent", [..., None])
def test_the_data_count_where_an_attribute_is_absent(absent: object) -> None:
    value = envelope(data=good("orders"), subject=absent, time=absent)
    assert arrived(value, (CE_JSON,)) == ORDER


@pytest.mark.parametrize("data", [..., None])
def test_an_event_without_fields_of_its_own_needs_no_data(data: object) -> None:
    assert arrived(envelope(data=data), (CE_JSON,), "logins").event_id == "e-1"


@pytest.mark.parametrize("data", [0, "", False, [], "e30="])
def test_data_that_are_no_object_are_not_taken_for_none(data: object) -> None:
    result = decode(
        RawRecord("customer.logins", 0, 0, NOW_MS, b"c-1", envelope(data=data), (CE_JSON,)), "logins", Limits(), NOW_MS
    )
    assert isinstance(result, Rejected)
    assert result.reason == "invalid"


def test_minor_versions_are_compatible() -> None:
    assert arrived(envelope(specversion="1.1"), (CE_JSON,)) == ORDER
