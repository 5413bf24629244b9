"""A message that is to be published: what the outbox carries."""

from __future__ import annotations

from typing import Annotated

import msgspec


class Outgoing(msgspec.Struct, frozen=True, array_like=True):
    """One message for Kafka.

    Attributes:
        topic: where it goes.
        key: the customer's id in UTF-8 for what concerns a customer, None otherwise; it decides the partition.
        value: the payload; None is a tombstone.
        headers: names and values, in order.
        partition: set only where the key does not decide.
    """

    topic: Annotated[str, msgspec.Meta(min_length=1, max_length=249, pattern=r"\A[A-Za-z0-9._-]+\Z")]
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]] = []
    partition: Annotated[int, msgspec.Meta(ge=0, lt=1 << 31)] | None = None
