"""A message that is to be published: what the outbox carries."""

from __future__ import annotations

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

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]] = []
    partition: int | None = None
