"""Dead letters: the record's own bytes, untouched, and in headers why it could not be used.

The names are Kafka Connect's (KIP-298), so that its tools read them, and two of our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from streams.codec import RawRecord, Rejected
from streams.outgoing import Outgoing
from streams.time import iso
from streams.topics import DLQ_SUFFIX

CONNECT: Final = "__connect.errors."
REASON: Final = "churnwatch.reason"
FIRST_FAILED_AT: Final = "churnwatch.first_failed_at"


DeliveryReason = Literal["malformed", "refused", "undelivered"]


@dataclass(frozen=True, slots=True)
class Undelivered:
    """An alert that did not reach its receiver, worded as `Rejected` is.

    `malformed`: it is no alert; `refused`: the receiver will not have it; `undelivered`: it was tried for long enough.
    """

    record: RawRecord
    reason: DeliveryReason
    error: str
    message: str
    stage: str = "deliver"


def is_error_header(name: str) -> bool:
    """Tell whether a header is one that `dead_letter` writes."""
    return name.startswith(CONNECT) or name in (REASON, FIRST_FAILED_AT)


def dead_letter(rejected: Rejected | Undelivered, failed_at_ms: int) -> Outgoing:
    """Return the message for the dead-letter topic of the record's topic.

    The record's own headers come first. One that was replayed and fails again keeps the time of its first failure; its other
    error headers are replaced. `failed_at_ms` is the wall clock.
    """
    record = rejected.record
    first = next((value for name, value in record.headers if name == FIRST_FAILED_AT), iso(failed_at_ms).encode())
    why = {
        f"{CONNECT}topic": record.topic,
        f"{CONNECT}partition": str(record.partition),
        f"{CONNECT}offset": str(record.offset),
        f"{CONNECT}stage": rejected.stage,
        f"{CONNECT}exception.class.name": rejected.error,
        f"{CONNECT}exception.message": rejected.message,
        REASON: rejected.reason,
    }
    own = [(name, value) for name, value in record.headers if not is_error_header(name)]
    told = [(name, text.encode(errors="replace")) for name, text in why.items()]
    return Outgoing(record.topic + DLQ_SUFFIX, record.key, record.value, [*own, *told, (FIRST_FAILED_AT, first)])
