"""The short ways give what the plain definitions give: JSON to an event, text to an instant, several topics to one sequence."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from streams.codec import Arrival, RawRecord, Rejected
from streams.events import Login
from streams.feed import FAR_MS, NO_TIME_MS, RECORD_BYTES, Batch, MergeFeed, event_ms
from streams.forms import event_in
from streams.quick import BYTES_MAX, OPENINGS_MAX, SHALLOW_BYTES_MAX, event_quickly
from streams.time import INSTANT_MAX_MS, INSTANT_MIN_MS, RFC_3339, parse_instant
from tests.bad_events import good

QUICK = ("logins", "orders", "tickets", "reviews")
unhurried = settings(deadline=None)  # a busy machine is no defect

# -- events ------------------------------------------------------------------------------------------------------------

INSTANTS = st.sampled_from(
    [
        "2024-05-01T10:00:00Z",
        "2024-05-01T10:00:00.250Z",
        "2024-05-01t10:00:00.2509999z",
        "2024-05-01 10:00:00+02:00",
        "2024-05-01T24:00:00Z",
        "2024-05-01T10:00:60Z",
        "1969-12-31T23:59:59Z",
        "2024-05-01T10:00Z",
        "2024-05-01T10:00:00",
        "٢024-05-01T10:00:00Z",
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(0, 20)
    | st.floats()
    | st.floats(0, 20)
    | st.text(st.characters(codec="utf-8"), max_size=10)
    | st.sampled_from(
        ["", "x" * 129, "EUR", "eur", "EU1", "EUR\n", "ÄÖÜ", "ＥＵＲ", "opened", "price", "returned", "web"]
    )
    | INSTANTS
)
VALUES = st.recursive(
    SCALARS,
    lambda held: st.lists(held, max_size=4) | st.dictionaries(st.text(max_size=8), held, max_size=4),
    max_leaves=12,
)
NUMBERS = st.from_regex(r"-?\d{0,22}(\.\d{0,22})?([eE][+-]?\d{1,3})?", fullmatch=True, alphabet=st.sampled_from("0123456789.eE+-"))  # fmt: skip


@st.composite
def near_events(draw: st.DrawFn) -> tuple[str, bytes]:
    """An event of a stream with fields replaced, added, told twice, its numbers as nobody writes them, and bytes spoilt."""
    stream = draw(st.sampled_from(QUICK))
    fields = list(good(stream, nps=..., discount=0.5).items())
    known = ["session_seconds", "satisfaction", "topics", "text", "kind", "severity", "category", "unknown", "nps"]
    for name in draw(st.lists(st.sampled_from([*dict(fields), *known]), max_size=4)):
        fields.insert(draw(st.integers(0, len(fields))), (name, draw(VALUES)))
    written = [f"{json.dumps(name)}:{json.dumps(held, ensure_ascii=draw(st.booleans()))}" for name, held in fields]
    if draw(st.booleans()):
        name = draw(st.sampled_from(["amount", "rating", "session_seconds", "occurred_at", "unknown", "items"]))
        written.append(f'"{name}":{draw(NUMBERS)}')
    value = bytearray(("{" + ", ".join(written) + "}").encode())
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(value) - 1))
        value[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return stream, bytes(value)


def odd(inner: str) -> tuple[str, bytes]:
    return "logins", json.dumps(good("logins")).encode()[:-1] + f', "odd": {inner}}}'.encode()


@settings(deadline=None, max_examples=600)
@given(near_events())
@example(odd("[" * 90 + "]" * 90))
@example(odd("[" * (SHALLOW_BYTES_MAX // 2 + OPENINGS_MAX) + "]" * (SHALLOW_BYTES_MAX // 2 + OPENINGS_MAX)))
@example(odd("9" * BYTES_MAX))
@example(odd("9" * (BYTES_MAX - 300)))
@example(odd("1e999"))
@example(("logins", odd('"?"')[1].replace(b"?", b"\xff")))
@example(("logins", odd('"?"')[1].replace(b"?", b"\xed\xa0\x80")))
@example(odd('"\\ud800"'))
@example(("orders", json.dumps(good("orders", amount=-0.0)).encode()))
@example(("orders", json.dumps(good("orders", occurred_at=1.0)).encode()))
@example(("orders", json.dumps(good("orders", occurred_at=True)).encode()))
@example(("orders", json.dumps(good("orders", occurred_at=1 << 70)).encode()))
@example(("reviews", json.dumps(good("reviews", rating=None)).encode()))
def test_what_comes_the_short_way_is_what_its_form_makes_of_it(written: tuple[str, bytes]) -> None:
    stream, value = written
    found = event_quickly(stream, value)
    if found is not None:
        judged = event_in(stream, value)  # does not raise
        assert (found, repr(found)) == (judged, repr(judged)), "and so is the sign of a zero, and the type of a number"


@unhurried
@given(st.sampled_from(QUICK), st.integers(INSTANT_MIN_MS, INSTANT_MAX_MS), st.text(st.characters(codec="utf-8")))
def test_what_producers_send_comes_the_short_way(stream: str, at_ms: int, text: str) -> None:
    fields: dict[str, Any] = good(stream, occurred_at=at_ms, event_id=f"é{text}"[:256], unknown={"a": [text]})
    value = json.dumps(fields).encode()
    assert len(value) > BYTES_MAX or event_quickly(stream, value) == event_in(stream, value)


# -- instants ----------------------------------------------------------------------------------------------------------


def plain_instant(text: str) -> int | None:
    """Read an instant by the pattern and the calendar; None where there is none."""
    if RFC_3339.fullmatch(text) is None:
        return None
    try:
        since = datetime.fromisoformat(text.upper()) - datetime(1970, 1, 1, tzinfo=UTC)
    except ValueError:
        return None
    at_ms = since // timedelta(milliseconds=1)
    return at_ms if INSTANT_MIN_MS <= at_ms <= INSTANT_MAX_MS else None


WRITTEN = st.builds(
    "{}-{:02}-{:02}{}{:02}:{:02}:{:02}{}{}".format,
    st.integers(1968, 2030) | st.integers(1, 9999),
    st.integers(0, 13),
    st.integers(0, 32),
    st.sampled_from("TTTt _"),
    st.integers(0, 25),
    st.integers(0, 60),
    st.integers(0, 60),
    st.sampled_from(["", "", ".000", ".999"]) | st.from_regex(r"\.\d{0,10}", fullmatch=True),
    st.sampled_from(["Z", "Z", "Z", "z", "+00:00", "-00:01", "+23:59", "+24:00", "", "+0000"]),
)


@settings(deadline=None, max_examples=400)
@given(WRITTEN)
def test_an_instant_is_read_by_parts_as_it_is_read_at_once(text: str) -> None:
    expected = plain_instant(text)
    for _ in range(2):  # the second time its day is known
        try:
            assert parse_instant(text) == expected
        except ValueError:
            assert expected is None


# -- the merge ---------------------------------------------------------------------------------------------------------

TOPICS = ("a", "b", "c")


def item(topic: str, offset: int, at_ms: int | None) -> Arrival | Rejected:
    record = RawRecord(topic, 0, offset, 0, b"c", b"v" * (offset % 3))
    if at_ms is None:
        return Rejected(record, "malformed", "ValueError", "", "decode")
    return Arrival("logins", Login(event_id=f"{topic}{offset}", customer_id="c", occurred_at=at_ms), record)


def plain_take(
    waiting: dict[str, list[Arrival | Rejected]], events_max: int, bytes_max: int, before_ms: int | None, ended: frozenset[str]
) -> Batch:  # fmt: skip
    """Hand out one record after the other: the earliest, of equal ones that of the first topic."""
    batch, size = Batch([], {}, {}), 0
    while len(batch.items) < events_max and size < bytes_max:
        if any(not held and topic not in ended for topic, held in waiting.items()):
            break
        heads = [(event_ms(held[0]), topic) for topic, held in waiting.items() if held]
        if not heads or min(heads)[0] >= (FAR_MS if before_ms is None else before_ms):
            break
        at_ms, topic = min(heads)
        taken = waiting[topic].pop(0)
        size += RECORD_BYTES + len(taken.record.value or b"")
        assert isinstance(batch.items, list)
        batch.items.append(taken)
        batch.next_offsets[topic] = taken.record.offset + 1
        if at_ms != NO_TIME_MS:
            batch.heard_ms[topic] = max(at_ms, batch.heard_ms.get(topic, at_ms))
    return batch


@unhurried
@given(
    st.tuples(*[st.lists(st.none() | st.integers(0, 9), max_size=9)] * len(TOPICS)),
    st.lists(
        st.tuples(
            st.integers(1, 9),
            st.integers(1, 5 * RECORD_BYTES),
            st.none() | st.integers(0, 12),
            st.frozensets(st.sampled_from(TOPICS)),
        ),
        max_size=6,
    ),
)
def test_the_merge_hands_out_what_one_at_a_time_would(
    times: tuple[list[int | None], ...], takes: list[tuple[int, int, int | None, frozenset[str]]]
) -> None:
    feed = MergeFeed(TOPICS, 1 << 20)
    waiting = {
        topic: [item(topic, at, at_ms) for at, at_ms in enumerate(own)]
        for topic, own in zip(TOPICS, times, strict=True)
    }
    for topic, items in waiting.items():
        feed.push(topic, items)
    for take in takes:
        assert feed.take(*take) == plain_take(waiting, *take)
        assert len(feed) == sum(map(len, waiting.values()))
