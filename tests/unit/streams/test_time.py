from datetime import datetime

import pytest

from streams.time import DAY_MS, INSTANT_MAX_MS, day_of, day_start, iso, parse_duration, parse_instant


@pytest.mark.parametrize(
    ("text", "instant_ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1997-01-01T12:00:00Z", 852_120_000_000),
        ("1997-01-01T13:00:00+01:00", 852_120_000_000),
        ("1997-01-01T04:00:00-08:00", 852_120_000_000),
        ("1997-01-01t12:00:00z", 852_120_000_000),
        ("1997-01-01 12:00:00Z", 852_120_000_000),
        ("1997-01-01T12:00:00.5Z", 852_120_000_500),
        ("1997-01-01T12:00:00.123999999Z", 852_120_000_123),
        ("1969-12-31T23:00:00-01:00", 0),
        ("9999-12-31T23:59:59.999Z", INSTANT_MAX_MS),
    ],
)
def test_instants_are_read_with_their_offset(text: str, instant_ms: int) -> None:
    assert parse_instant(text) == instant_ms
    assert parse_instant(instant_ms) == instant_ms


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            "now",
            "2024-05-01",
            "2024-05-01T10:00:00",
            "2024-05-01T10:00Z",
            "20240501T100000Z",
            "2024-W18-3T10:00:00Z",
        ),
        *("2024-05-01T10:00:00+0100", "2024-05-01T10:00:00+01", "2024-05-01T10:00:00.Z", "2024-05-01T10:00:00Z\n"),
        *("2024-02-30T10:00:00Z", "2024-05-01T24:00:00Z", "2024-05-01T23:59:60Z", "2024-05-01T10:00:00+24:00"),
        *(
            "0000-01-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "9999-12-31T23:59:59-01:00",
            "٢٠٢٤-05-01T10:00:00Z",
            "1714557600000",
        ),
        *(-1, INSTANT_MAX_MS + 1, 10**400, True, 1.0, None, b"2024-05-01T10:00:00Z", [0], datetime(2024, 5, 1)),  # noqa: DTZ001
    ],
)
def test_what_is_no_instant_is_a_value_error(value: object) -> None:
    with pytest.raises(ValueError, match="instant"):
        parse_instant(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("instant_ms", [0, 1, 999, 1_000, 852_120_000_000, INSTANT_MAX_MS])
def test_what_is_written_reads_the_same(instant_ms: int) -> None:
    assert parse_instant(iso(instant_ms)) == instant_ms


def test_instants_before_the_epoch_can_be_written() -> None:
    assert iso(-1) == "1969-12-31T23:59:59.999Z"


def test_a_day_begins_at_its_midnight() -> None:
    assert [day_of(instant) for instant in (-1, 0, DAY_MS - 1, DAY_MS)] == [-1, 0, 0, 1]
    assert day_of(day_start(9_862)) == 9_862
    assert day_of(day_start(9_862) - 1) == 9_861


@pytest.mark.parametrize(
    ("text", "duration_ms"),
    [("0s", 0), ("250ms", 250), ("15s", 15_000), ("30m", 1_800_000), ("1h", 3_600_000), (" 60 d ", 60 * DAY_MS)],
)
def test_spans_have_a_unit(text: str, duration_ms: int) -> None:
    assert parse_duration(text) == duration_ms


@pytest.mark.parametrize("text", ["", "60", "d", "1.5h", "-1d", "1h30m", "2 weeks", "1D", "٣d", "1" * 13 + "s"])
def test_a_span_without_unit_or_number_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="whole number and a unit"):
        parse_duration(text)
