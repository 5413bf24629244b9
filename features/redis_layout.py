"""Where a partition lies in Redis, and the commands that read and change it. Pure: nothing is sent here.

Keys of partition 7 in the namespace `cw`; the braces make Redis Cluster put them all into one slot:

    cw:{7}:meta        string   offsets and whatever else the caller packs: also the fence
    cw:{7}:c:<id>      string   state of one customer
    cw:{7}:timers      zset     customer id by the instant of the next wake-up (epoch ms)
    cw:{7}:outbox      list     messages decided, not yet known to be published
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from features.store import Commit

Command = tuple[bytes, ...]

LOAD_IDS_MAX: Final = 5_000
"""Customers asked for in one command. Longer loads are split, so that no single command holds the server up."""

SCAN_COUNT: Final = 1_000
"""Keys that one step of an iteration looks at."""


class Layout:
    """Keys and commands of one partition.

    Args:
        namespace: first part of every key; letters, digits, `_`, `.` and `-`, so that it can neither move the
            hash tag nor act as a pattern.
        partition: number of the input partition.

    >>> Layout("cw", 7).state("ann")
    b'cw:{7}:c:ann'
    """

    def __init__(self, namespace: str, partition: int) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", namespace) or partition < 0:
            raise ValueError(f"no keys can be made of namespace {namespace!r} and partition {partition}")
        tag = f"{namespace}:{{{partition}}}:".encode()
        self.meta: Final = tag + b"meta"
        self.timers: Final = tag + b"timers"
        self.outbox: Final = tag + b"outbox"
        self._states: Final = tag + b"c:"

    def state(self, customer_id: str) -> bytes:
        """Return the key of a customer's state."""
        return self._states + customer_id.encode()

    def id_of(self, key: bytes) -> str:
        """Return the customer whose state is under `key`."""
        return key[len(self._states) :].decode()

    def load(self, ids: Sequence[str]) -> list[Command]:
        """Return the commands that read the customers: one, or more where there are many."""
        keys = list(map(self.state, ids))
        return [(b"MGET", *keys[i : i + LOAD_IDS_MAX]) for i in range(0, len(keys), LOAD_IDS_MAX)]

    def due(self, until_ms: int, limit: int) -> Command:
        """Return the command that reads the earliest wake-ups."""
        return (
            *(b"ZRANGE", self.timers, b"-inf", b"%d" % until_ms, b"BYSCORE"),
            *(b"LIMIT", b"0", b"%d" % limit, b"WITHSCORES"),
        )

    def entries(self) -> Command:
        """Return the command that reads the outbox."""
        return (b"LRANGE", self.outbox, b"0", b"-1")

    def scan(self, cursor: bytes) -> Command:
        """Return the command that reads the next keys of states."""
        return (b"SCAN", cursor, b"MATCH", self._states + b"*", b"COUNT", b"%d" % SCAN_COUNT)

    def changes(self, commit: Commit) -> list[Command]:
        """Return the commands of a transaction: states, timers, outbox, and the meta value last."""
        commands: list[Command] = []
        if commit.writes:
            commands.append((b"MSET", *_flat((self.state(key), value) for key, value in commit.writes.items())))
        if commit.deletes:
            commands.append((b"UNLINK", *map(self.state, commit.deletes)))
        put = [(b"%d" % due, key.encode()) for key, due in commit.timers.items() if due is not None]
        if put:
            commands.append((b"ZADD", self.timers, *_flat(put)))
        gone = [key.encode() for key, due in commit.timers.items() if due is None]
        if gone:
            commands.append((b"ZREM", self.timers, *gone))
        if commit.trim:
            commands.append((b"LTRIM", self.outbox, b"%d" % commit.trim, b"-1"))
        if commit.append:
            commands.append((b"RPUSH", self.outbox, *commit.append))
        return [*commands, (b"SET", self.meta, commit.meta)]

    def erasure(self, customer_id: str, entries: Iterable[bytes], meta: bytes) -> list[Command]:
        """Return the commands that take one customer and the given outbox entries away."""
        return [
            (b"UNLINK", self.state(customer_id)),
            (b"ZREM", self.timers, customer_id.encode()),
            *((b"LREM", self.outbox, b"0", entry) for entry in entries),
            (b"SET", self.meta, meta),
        ]


def pairs(reply: Sequence[bytes]) -> list[tuple[str, int]]:
    """Return (customer, due ms) from the flat reply to `Layout.due`.

    >>> pairs([b"ann", b"867715200000", b"bob", b"867715200001"])
    [('ann', 867715200000), ('bob', 867715200001)]
    """
    return [(key.decode(), int(float(due))) for key, due in zip(reply[::2], reply[1::2], strict=True)]


def _flat(rows: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
    return [item for row in rows for item in row]
