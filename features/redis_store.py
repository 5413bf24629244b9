"""A partition's state in Redis: the `PartitionStore` of the live worker. Keys: `features/redis_layout.py`.

A commit is one packet and so one round trip, on a connection that belongs to this store alone:

    1. MULTI
    2. MSET states, UNLINK gone states, ZADD and ZREM timers, LTRIM and RPUSH outbox, SET meta
    3. EXEC                  nil where meta was touched since the WATCH: FenceLost
    4. WATCH meta, GET meta  arms the fence for the next commit, which so needs no round trip of its own

The WATCH stands from one commit to the next. It goes with the connection; the commit after that first sends
step 4 alone and compares. Method: optimistic locking, https://redis.io/docs/latest/develop/using-commands/transactions/
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

from redis.exceptions import MovedError, ResponseError

from features.redis_client import Client, Wire, WireBroken
from features.redis_layout import Command, Layout, pairs
from features.store import NOT_HELD, Commit, moved
from streams.errors import CommitUnknown, Corrupt, FenceLost, StoreUnavailable

ATTEMPTS: Final = 2
"""Tries of what may be repeated: a read on a connection that had died idle, a commit that a moved slot refused."""

ERASE_ATTEMPTS: Final = 50
"""Tries of an erasure against a writer that keeps committing in between."""

_Result = TypeVar("_Result")


class _SlotMoved(Exception):
    """The node does not hold the partition's slot (any more); nothing was applied."""


class RedisStore:
    """A `PartitionStore` in a Redis server, or in one slot of a Redis Cluster.

    Args:
        client: a client as `features.redis_client.connect` makes it. Many stores may share it; each has a
            connection of its own. The store does not close it.
        namespace: first part of every key.
        partition: number of the input partition.

    Raises, besides what the protocol says:
        StoreUnavailable: Redis cannot be reached or refuses for now. Nothing changed; the same call may be
            made again, a commit too.
        Corrupt: a key holds something of another type, so somebody else writes to this namespace.
    """

    def __init__(self, client: Client, namespace: str, partition: int) -> None:
        self._layout = Layout(namespace, partition)
        self._wire = Wire(client, self._layout.meta)
        self._expected: bytes | None = None
        self._held = False
        self._lock = asyncio.Lock()

    async def open(self) -> bytes | None:
        async with self._lock:
            self._held = False
            self._expected = await self._try(self._arm)
            self._wire.watching = self._held = True
            return self._expected

    async def load(self, ids: Sequence[str]) -> list[bytes | None]:
        return _joined(await self._ask(self._layout.load(ids)))

    async def due(self, until_ms: int, limit: int) -> list[tuple[str, int]]:
        return pairs((await self._ask([self._layout.due(until_ms, limit)]))[0])

    async def read(
        self, ids: Sequence[str], until_ms: int, limit: int
    ) -> tuple[list[bytes | None], list[tuple[str, int]]]:
        async with self._lock:
            ask = [(b"GET", self._layout.meta), self._layout.due(until_ms, limit), *self._layout.load(ids)]
            meta, due, *values = await self._try(lambda: self._replies(ask))
            if not self._held or meta != self._expected:
                self._held = False
                raise FenceLost(NOT_HELD)
        return _joined(values), pairs(due)

    async def outbox(self) -> list[bytes]:
        entries: list[bytes] = (await self._ask([self._layout.entries()]))[0]
        return entries

    async def commit(self, commit: Commit) -> None:
        commit.check()
        changes = self._layout.changes(commit)
        async with self._lock:
            if self._held and commit.meta == self._expected:
                raise ValueError("a commit must change the meta value")
            if not self._held or not await self._try(lambda: self._commit_once(changes, commit.meta)):
                self._held = False
                raise FenceLost(NOT_HELD)
            self._expected = commit.meta

    async def erase(
        self, customer_id: str, drop_outbox: Callable[[bytes], bool], next_meta: Callable[[bytes], bytes]
    ) -> bool:
        async with self._lock:
            for _ in range(ERASE_ATTEMPTS):
                erased = await self._try(lambda: self._erase_once(customer_id, drop_outbox, next_meta))
                if erased is not None:
                    self._held = self._held and not erased
                    return erased
        raise FenceLost(f"the partition changed under each of {ERASE_ATTEMPTS} attempts to erase: try again")

    async def ids(self) -> AsyncIterator[str]:
        # SCAN may give a key twice while the server rehashes, so what was seen is remembered. GET goes along
        # because SCAN itself, having no key, would not notice that the slot has moved to another node.
        # A cursor means nothing to another server, nor to the same one after a restart: begin again there.
        seen: set[str] = set()
        cursor, connections = b"0", max(self._wire.connections, 1)
        while True:
            (cursor, keys), _ = await self._ask([self._layout.scan(cursor), (b"GET", self._layout.meta)])
            fresh = set(map(self._layout.id_of, keys)) - seen
            seen |= fresh
            for customer_id in fresh:
                yield customer_id
            if self._wire.connections > connections:
                cursor, connections = b"0", self._wire.connections
            elif cursor == b"0":
                return

    async def size(self) -> int:
        return len([None async for _ in self.ids()])

    async def wipe(self) -> None:
        layout = self._layout
        keys = [layout.meta, layout.timers, layout.outbox, *[layout.state(key) async for key in self.ids()]]
        await self._ask([(b"UNLINK", *keys[i : i + 1_000]) for i in range(0, len(keys), 1_000)])

    async def close(self) -> None:
        async with self._lock:
            self._held = False
            await self._wire.close()

    async def _ask(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands that may be repeated; return their replies."""
        async with self._lock:
            return await self._try(lambda: self._replies(commands))

    async def _try(self, operation: Callable[[], Awaitable[_Result]]) -> _Result:
        """Run the operation, again on a new connection where the old one was dead or led to the wrong node."""
        failure: Exception | None = None
        for _ in range(ATTEMPTS):
            try:
                if failure is not None:
                    await self._wire.relocate()
                return await operation()
            except (WireBroken, _SlotMoved) as error:
                failure = error
        raise StoreUnavailable(f"Redis cannot be reached: {failure}") from failure

    async def _replies(self, commands: Sequence[Command]) -> list[Any]:
        replies = await self._wire.exchange(commands) if commands else []
        await self._check(replies)
        return replies

    async def _check(self, replies: Sequence[Any]) -> None:
        """Raise what the first refusal among the replies means."""
        error = next((reply for reply in replies if isinstance(reply, ResponseError)), None)
        if error is None:
            return
        if isinstance(error, MovedError):
            raise _SlotMoved(f"the partition is on another node ({error}); is the Redis Cluster setting on?")
        if str(error).startswith("WRONGTYPE"):
            raise Corrupt(f"another program writes to the keys {self._layout.meta!r} and beside: {error}")
        # A demoted primary, a slot in migration, a full memory: a new connection may lead elsewhere next time.
        await self._wire.drop()
        raise StoreUnavailable(f"Redis refuses: {type(error).__name__}: {error}")

    async def _arm(self) -> bytes | None:
        """Watch and return the meta value; ask for the sizes too, for they fail where a key is of a wrong type."""
        layout = self._layout
        self._wire.watching = False
        sizes = [(b"ZCARD", layout.timers), (b"LLEN", layout.outbox)]
        # UNWATCH first: a connection whose watched key was touched stays spoilt, whatever it watches next.
        watch = [(b"UNWATCH",), (b"WATCH", layout.meta), (b"GET", layout.meta)]
        meta: bytes | None = (await self._replies([*watch, *sizes]))[2]
        return meta

    async def _commit_once(self, changes: Sequence[Command], meta: bytes) -> bool:
        if not self._wire.watching:
            if await self._arm() != self._expected:
                return False
            self._wire.watching = True
        return await self._transact(changes, meta)

    async def _transact(self, changes: Sequence[Command], meta: bytes) -> bool:
        """Run the changes if the watched meta value is untouched; return whether they were applied."""
        key = self._layout.meta
        packet = [(b"MULTI",), *changes, (b"EXEC",), (b"WATCH", key), (b"GET", key)]
        # Until the reply is read, or if it never is, nobody may commit: what is expected is not known.
        held, self._held = self._held, False
        try:
            *queued, outcome, _, current = await self._wire.exchange(packet)
        except WireBroken as error:
            raise CommitUnknown(f"the connection broke during a commit; open the store again: {error}") from error
        self._wire.watching = current == meta
        if isinstance(outcome, ResponseError):  # refused as a whole while it was queued, so nothing was applied
            self._held = held
            await self._check([*queued, outcome])
        if outcome is None:
            return False
        for reply in outcome:
            if isinstance(reply, ResponseError):  # Redis has no rollback: the other changes stand
                raise Corrupt(f"a commit was applied in part, for somebody else writes beside {key!r}: {reply}")
        self._held = held
        return True

    async def _erase_once(
        self, customer_id: str, drop_outbox: Callable[[bytes], bool], next_meta: Callable[[bytes], bytes]
    ) -> bool | None:
        """Return True for erased, False for nothing to erase, None for a partition that changed meanwhile."""
        layout = self._layout
        meta = await self._arm()
        known = [(b"EXISTS", layout.state(customer_id)), (b"ZSCORE", layout.timers, customer_id.encode())]
        exists, due, outbox = await self._replies([*known, layout.entries()])
        entries = set(filter(drop_outbox, outbox))
        if meta is None or not (exists or due is not None or entries):
            return False
        changed = moved(meta, next_meta)
        return await self._transact(layout.erasure(customer_id, entries, changed), changed) or None


def _joined(replies: Sequence[Sequence[bytes | None]]) -> list[bytes | None]:
    return [value for values in replies for value in values]
