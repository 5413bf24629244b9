"""The unit of the transport: records of one partition, as fetched together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from streams.codec import RawRecord


@dataclass(frozen=True, slots=True)
class Chunk:
    """Records of one partition in offset order, as fetched together; `epoch` tells the seek that they belong to."""

    topic: str
    partition: int
    epoch: int
    records: list[RawRecord]


def raw_records(records: Iterable[Any]) -> list[RawRecord]:
    """aiokafka's records as ours, key, value and headers untouched."""
    return [
        RawRecord(
            r.topic,
            r.partition,
            r.offset,
            r.timestamp or 0,
            r.key,
            r.value,
            tuple((name, value or b"") for name, value in r.headers) if r.headers else (),
        )
        for r in records
    ]
