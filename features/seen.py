"""Which events of one customer have been counted: a sorted run of 10-byte records in one `bytes`.

A record is the event's UTC day (2 bytes) and a 64-bit BLAKE2b digest of its `event_id` (8 bytes). Sorted by day, the
oldest are a prefix, so forgetting them is a slice; and sorted at all, the run is the same in whatever order the events
came. With the `LIMIT` of records full, the chance that a new event is mistaken for an old one is 4096 / 2^64.
"""

from hashlib import blake2b
from typing import Final

LIMIT: Final = 4_096
"""Records kept, the newest by day. An event older than all of a full run would be counted again if it came again."""

_DAY_BYTES: Final = 2
_RECORD: Final = _DAY_BYTES + 8
_DAY_MAX: Final = 2**16 - 1  # in the year 2149


def remember(seen: bytes, event_id: str, day: int) -> bytes | None:
    """`seen` with the event of `day` added, or None where `event_id` is in it already, under whatever day.

    >>> seen = remember(b"", "order-1", 10_000)
    >>> remember(seen, "order-1", 10_001) is None
    True
    """
    digest = blake2b(event_id.encode(), digest_size=8).digest()
    at = seen.find(digest)
    while at >= 0:
        if at % _RECORD == _DAY_BYTES:
            return None
        at = seen.find(digest, at + 1)
    record = (day if day < _DAY_MAX else _DAY_MAX).to_bytes(_DAY_BYTES, "big") + digest
    if record > seen[-_RECORD:]:
        grown = seen + record
    else:
        index = _position(seen, record)
        grown = seen[:index] + record + seen[index:]
    return grown if len(grown) <= LIMIT * _RECORD else grown[-LIMIT * _RECORD :]


def forget_before(seen: bytes, day: int) -> bytes:
    """`seen` without the records of days before `day`."""
    first = (0 if day < 0 else day if day < _DAY_MAX else _DAY_MAX).to_bytes(_DAY_BYTES, "big")
    return seen if seen[:_DAY_BYTES] >= first else seen[_position(seen, first) :]


def _position(seen: bytes, record: bytes) -> int:
    """Byte offset of the first record not below `record`."""
    low, high = 0, len(seen) // _RECORD
    while low < high:
        middle = (low + high) // 2
        if seen[middle * _RECORD : (middle + 1) * _RECORD] < record:
            low = middle + 1
        else:
            high = middle
    return low * _RECORD
