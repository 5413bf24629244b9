"""Which rows a message of a topic comes to. Pure: the same record gives the same rows, whatever came before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from alerts import score as scores
from alerts.segments import SEGMENTS
from bi.cells import day, decimal, instant, name, text, whole
from bi.messages_alerts import alert_rows
from bi.messages_events import event_rows
from bi.rows import Cells, Row
from streams.codec import Limits, RawRecord, Rejected, decode
from streams.errors import Corrupt
from streams.events import CUSTOMER_ID_MAX
from streams.time import parse_instant

Kind = Literal["alerts", "scores", "outcomes", "orders", "cancellations", "tickets", "reviews", "profiles"]
KINDS: Final[tuple[Kind, ...]] = (
    "profiles", "scores", "alerts", "outcomes", "orders", "cancellations", "tickets", "reviews",
)  # fmt: skip
"""The topics that are read, by what they carry."""


@dataclass(frozen=True, slots=True)
class Gone:
    """A customer was erased (`churnwatch forget`): whatever messages up to that instant of Kafka's have said of them goes."""

    customer_id: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Said:
    """What a message says of a customer."""

    customer_id: str
    rows: tuple[Row, ...]


def rows_of(kind: Kind, record: RawRecord, limits: Limits, now_ms: int) -> Said | Gone:
    """Return the rows of one record of a topic.

    Args:
        kind: what the topic carries.
        record: from Kafka, untouched.
        limits: what an event may be at most.
        now_ms: the wall clock; events far ahead of it are none.

    Raises:
        Corrupt: it is no such message.
        NewerSchema: a newer Churnwatch wrote it.
    """
    try:
        if kind == "scores":
            return _score(record)
        if kind == "alerts":
            customer_id, rows = alert_rows(record)
            return Said(customer_id, tuple(rows))
        return _event(kind, record, limits, now_ms)
    except ValueError as error:  # a time that is none, half a character
        raise Corrupt(f"a message of {kind} cannot be read ({error}): skip it") from error


def _event(kind: Kind, record: RawRecord, limits: Limits, now_ms: int) -> Said:
    found = decode(record, kind, limits, now_ms)
    if isinstance(found, Rejected):
        raise Corrupt(f"{found.reason}: {found.message}")
    customer_id = name(found.event.customer_id)
    return Said(customer_id, tuple(event_rows(customer_id, found.event, record)))


def segment_rows() -> Iterator[Row]:
    """Yield the segments that Churnwatch computes."""
    for segment in SEGMENTS:
        title = segment.replace("_", " ").capitalize()
        yield Row("dim_segment", {"segment": segment, "title": title, "computed": True})


def _score(record: RawRecord) -> Said | Gone:
    if record.value is None:
        return _gone(record)
    score = scores.decode(record.value)
    customer_id, at_ms = name(score.customer_id), parse_instant(score.scored_at)
    segment, risk, version = text(score.segment), decimal(score.risk), text(score.model.version)
    said: Cells = {
        "segment": segment,
        "band": score.band,
        "risk": risk,
        "scored_at": instant(at_ms),
        "model_version": version,
    }
    place = whole(record.offset)
    daily: Cells = {"customer_id": customer_id, "day": day(at_ms), "from_score": 1, "source_offset": place}
    rows = (
        Row("dim_customer", said | {"customer_id": customer_id, "score_offset": place}),
        Row("fact_daily_score", daily | said),
        *other_segment(score.segment),
    )
    return Said(customer_id, rows)


def other_segment(segment: str) -> Iterator[Row]:
    """Yield the row of a segment that is not one of those computed."""
    if segment and segment not in SEGMENTS:
        yield Row("dim_segment", {"segment": name(segment), "title": text(segment), "computed": False})


def _gone(record: RawRecord) -> Gone:
    try:
        customer_id = (record.key or b"").decode()
    except UnicodeDecodeError as error:
        raise Corrupt("a tombstone's key is no customer_id: nothing to erase") from error
    if not 0 < len(customer_id) <= CUSTOMER_ID_MAX:
        raise Corrupt("a tombstone's key is no customer_id: nothing to erase")
    return Gone(name(customer_id), record.timestamp_ms)
