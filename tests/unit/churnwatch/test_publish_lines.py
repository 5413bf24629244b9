"""Event files become messages: checked whole, keys and values as published, interleaved by event time."""

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from churnwatch import publish_lines
from churnwatch.publish_lines import Checked, check, message, messages
from streams.codec import Arrival, Limits, RawRecord, decode
from streams.errors import InputFileError

NOW_MS = 900_000_000_000
ORDER: dict[str, Any] = {
    "stream": "orders",
    "event_id": "e1",
    "customer_id": "ann",
    "occurred_at": "1998-01-01T00:00:00Z",
    "order_id": "o1",
    "amount": 12.5,
}


def file_of(path: Path, lines: Iterable[object]) -> Path:
    text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def checked(*paths: Path, skip_bad: bool = False) -> Checked:
    *_, result = check(paths, Limits(), NOW_MS, skip_bad=skip_bad)
    return result


def order(number: int, second: int, **changes: Any) -> dict[str, Any]:
    return ORDER | {"event_id": f"e{number}", "occurred_at": f"1998-01-01T00:00:{second:02}Z"} | changes


def test_good_files_are_counted_with_the_span_of_their_times(tmp_path: Path) -> None:
    login = {"stream": "logins", "event_id": "l", "customer_id": "bob", "occurred_at": 883_000_000_000}
    found = checked(file_of(tmp_path / "a.jsonl.gz", [ORDER, login]), file_of(tmp_path / "b.jsonl", [order(2, 9)]))
    assert found.events == {"orders": 2, "logins": 1}
    assert (found.total, found.skipped) == (3, 0)
    assert (found.first_ms, found.last_ms) == (883_000_000_000, 883_612_809_000)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("not json", "not an event"),
        ({"stream": "orders"}, "invalid: "),
        (ORDER | {"amount": "12"}, "amount"),
        (ORDER | {"occurred_at": "2001-01-01T00:00:00Z"}, "future: "),
        (ORDER | {"stream": "gossip"}, "unknown stream"),
        (ORDER | {"customer_id": ""}, "customer_id"),
    ],
)
def test_the_first_bad_line_is_named_by_file_and_line(tmp_path: Path, line: object, problem: str) -> None:
    path = file_of(tmp_path / "a.jsonl", [ORDER, line, "worse"])
    with pytest.raises(InputFileError) as caught:
        checked(path)
    assert str(caught.value).startswith(f"{path}:2: ")
    assert problem in str(caught.value)


def test_bad_lines_can_be_left_out(tmp_path: Path) -> None:
    bad = ["not json", ORDER | {"stream": "gossip"}, ORDER | {"amount": -1}]
    path = file_of(tmp_path / "a.jsonl", [ORDER, *bad, order(2, 5)])
    found = checked(path, skip_bad=True)
    assert (found.total, found.skipped) == (2, 3)
    assert [json.loads(value)["event_id"] for *_, value in messages([path], found.bad)] == ["e1", "e2"]


def test_a_file_of_nothing_but_bad_lines_ends_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish_lines, "BAD_LINES_MAX", 3)
    with pytest.raises(InputFileError, match="more than 3 bad lines"):
        checked(file_of(tmp_path / "a.jsonl", ["x"] * 5), skip_bad=True)


def test_no_file_has_no_span(tmp_path: Path) -> None:
    found = checked(file_of(tmp_path / "a.jsonl", []))
    assert (found.total, found.first_ms, found.last_ms) == (0, None, None)


def test_a_message_is_the_line_without_its_stream_and_the_codec_takes_it() -> None:
    raw = b'{"event_id":"e","stream":"orders","customer_id":"\\u00e4nn","occurred_at":5,"order_id":"o","amount":1.50,"x":[1, 2]}'
    occurred_ms, stream, key, value = message("orders", raw)
    assert (occurred_ms, stream, key) == (5, "orders", "änn".encode())
    assert (
        value == b'{"event_id":"e","customer_id":"\\u00e4nn","occurred_at":5,"order_id":"o","amount":1.50,"x":[1, 2]}'
    )
    record = RawRecord("customer.orders", 0, 0, 0, key, value)
    assert isinstance(decode(record, "orders", Limits(), NOW_MS), Arrival)


def test_a_shift_moves_every_instant_and_nothing_else() -> None:
    line = {
        "customer_id": "c",
        "occurred_at": 1000,
        "signed_up_at": "1970-01-01T00:00:02Z",
        "effective_at": None,
        "plan": "p",
    }
    occurred_ms, _, _, value = message("profiles", json.dumps(line).encode(), shift_ms=60_500)
    assert occurred_ms == 61_500
    assert json.loads(value) == line | {
        "occurred_at": "1970-01-01T00:01:01.500Z",
        "signed_up_at": "1970-01-01T00:01:02.500Z",
    }


def test_files_are_interleaved_by_event_time_and_keep_their_own_order(tmp_path: Path) -> None:
    first = file_of(tmp_path / "a.jsonl", [order(1, 1), order(2, 4), order(3, 4), order(4, 9)])
    second = file_of(tmp_path / "b.jsonl", [order(5, 0), order(6, 5), order(7, 59)])
    ids = [json.loads(value)["event_id"] for *_, value in messages([first, second], {})]
    assert ids == ["e5", "e1", "e2", "e3", "e6", "e4", "e7"]


def test_progress_is_reported_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish_lines, "REPORT_EVERY", 2)
    path = file_of(tmp_path / "a.jsonl", [order(i, i) for i in range(5)])
    assert [found.total for found in check([path], Limits(), NOW_MS)] == [2, 4, 5]
