"""Whether two contestants came to the same: fingerprints of all stored states, and of what is on the alert topic.

Neither depends on the order in which things are read: the hashes of the entries are added up, modulo 2^64.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from itertools import islice
from typing import Final

import redis
from aiokafka import TopicPartition

from churnwatch.kafka import describe, open_consumer
from churnwatch.settings import Settings
from churnwatch.topic_reader import offsets
from streams.errors import TransportError

MODULUS: Final = 1 << 64
KEYS_AT_ONCE: Final = 2_000
SECONDS_MAX: Final = 60

Ends = dict[TopicPartition, int]


def fingerprint(entries: Iterable[tuple[bytes, bytes]]) -> str:
    """Give one word for a set of (key, value), whatever its order.

    >>> fingerprint([(b"a", b"1"), (b"b", b"2")]) == fingerprint([(b"b", b"2"), (b"a", b"1")])
    True
    """
    return _word(sum(_hash(key, value) for key, value in entries))


def _hash(key: bytes, value: bytes) -> int:
    return int.from_bytes(blake2b(len(key).to_bytes(4) + key + value, digest_size=8).digest())


def _word(total: int) -> str:
    return f"{total % MODULUS:016x}"


def states(client: redis.Redis, namespace: str, partitions: int) -> tuple[int, str]:
    """Count the customers with state in Redis, and give the fingerprint of their states, by customer and value."""
    count, total = 0, 0
    for partition in range(partitions):
        for key, value in _states(client, f"{namespace}:{{{partition}}}:c:"):
            count, total = count + 1, total + _hash(key, value)
    return count, _word(total)


def _states(client: redis.Redis, tag: str) -> Iterator[tuple[bytes, bytes]]:
    keys = iter(set(client.scan_iter(f"{tag}*", count=KEYS_AT_ONCE)))
    while chunk := list(islice(keys, KEYS_AT_ONCE)):
        for key, value in zip(chunk, client.mget(chunk), strict=True):
            assert isinstance(value, bytes)
            yield key.removeprefix(tag.encode()), value


def alert_ends(settings: Settings) -> Ends:
    """Give where the alert topic ends now."""
    return asyncio.run(_alert_ends(settings))


async def _alert_ends(settings: Settings) -> Ends:
    _, ends = await offsets(settings, await describe(settings), [settings.topics().alerts])
    return ends


def said_since(settings: Settings, before: Ends) -> tuple[int, str]:
    """Give how many messages came on the alert topic since it ended at `before`, and their fingerprint."""
    return asyncio.run(_said_since(settings, before))


async def _said_since(settings: Settings, before: Ends) -> tuple[int, str]:
    ends = await _alert_ends(settings)
    waiting = {tp for tp, end in ends.items() if end > before.get(tp, 0)}
    found: list[tuple[bytes, bytes]] = []
    if waiting:
        async with asyncio.timeout(SECONDS_MAX), open_consumer(settings) as consumer:
            consumer.assign(list(waiting))
            for tp in waiting:
                consumer.seek(tp, before.get(tp, 0))
            while waiting:
                for records in (await consumer.getmany(*waiting, timeout_ms=250)).values():
                    found += [(record.key or b"", record.value or b"") for record in records]
                waiting = {tp for tp in waiting if await consumer.position(tp) < ends[tp]}
    wanted = sum(end - before.get(tp, 0) for tp, end in ends.items())
    if len(found) != wanted:
        raise TransportError(f"read {len(found)} of {wanted} messages of the alert topic")
    return len(found), fingerprint(found)
