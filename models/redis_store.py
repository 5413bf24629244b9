"""The learner's store in Redis: the `LearnerStore` of the live worker.

Keys in the namespace `cw`; the braces make Redis Cluster put them all into one slot:

    cw:{learn}:state       string   the learner's memory
    cw:{learn}:head        string   how far it is: also the fence
    cw:{learn}:guide:<v>   string   a guide
    cw:{learn}:history     list     figures of the newest guides
    cw:{learn}:pinned      string   the version that an operator has pinned

A commit, in two round trips on a connection that belongs to this store alone:

    1. UNWATCH, WATCH head and pinned, GET both         another head than expected: FenceLost
    2. MULTI, SET state, SET guides, UNLINK old guides, RPUSH and LTRIM history, SET head, EXEC
                                                        nil: something moved meanwhile, back to 1

A reply that was lost leaves no doubt: a writer's heads all differ, so step 1 of the repetition finds the commit's own
head (it was applied) or the one before (it was not).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Protocol, TypeVar

from models.guide import encode_guide
from models.store import (
    HISTORY_MAX,
    Head,
    LearnerCommit,
    Record,
    check_kept,
    decode_head,
    decode_record,
    encode_head,
    encode_record,
    moved_on,
)
from streams.errors import Corrupt, FenceLost, StoreUnavailable

ATTEMPTS: Final = 5
"""Tries of an operation over lost connections and moved slots."""

RACES_MAX: Final = 50
"""Tries of a transaction that another one came before: each means that somebody else got ahead."""

Command = tuple[bytes, ...]
_Result = TypeVar("_Result")


class Wire(Protocol):
    """One connection to the server that holds the keys. It is this store's own."""

    async def exchange(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands in one packet; return their replies, an error reply as an exception object."""
        ...

    async def relocate(self) -> None:
        """Drop the connection, and learn anew where the keys are."""
        ...

    async def close(self) -> None:
        """Close the connection."""
        ...


class _AgainError(Exception):
    """Something moved in between: look again."""


def head_key(namespace: str) -> bytes:
    """Return the key of the head: what a connection to the store must be made for."""
    return _tag(namespace) + b"head"


def _tag(namespace: str) -> bytes:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", namespace):
        raise ValueError(f"no keys can be made of namespace {namespace!r}")
    return f"{namespace}:{{learn}}:".encode()


class RedisLearnerStore:
    """A `LearnerStore` in a Redis server, or in one slot of a Redis Cluster.

    Args:
        wire: a connection made for `head_key(namespace)`.
        namespace: first part of every key.
        broken: what the wire raises where a connection could not be had or replies were lost.

    Raises, besides what the protocol says:
        StoreUnavailable: Redis cannot be reached or refuses for now; the same call may be made again.
        Corrupt: a key holds something else, so somebody else writes to this namespace.
    """

    def __init__(self, wire: Wire, namespace: str, broken: type[Exception]) -> None:
        tag = _tag(namespace)
        self._state, self._head, self._pinned = tag + b"state", tag + b"head", tag + b"pinned"
        self._history, self._guide = tag + b"history", tag + b"guide:"
        self._wire = wire
        self._broken = broken
        self._expected: bytes | None = None
        self._unsure: bytes | None = None
        self._opened = False
        self._lock = asyncio.Lock()

    async def open(self) -> tuple[bytes | None, Head]:
        head, pinned, state = (await self._ask([(b"MGET", self._head, self._pinned, self._state)]))[0]
        found = decode_head(head, pinned)
        self._expected, self._unsure, self._opened = head, None, True
        return state, found

    async def commit(self, commit: LearnerCommit) -> Head:
        if not self._opened:
            raise FenceLost("the learner's store is not open: open it and read anew")
        new = encode_head(moved_on(decode_head(self._expected), commit)[0])

        async def attempt() -> bytes | None:
            current, pinned = await self._watch()
            if current == new and self._unsure == new:
                return pinned
            if current != self._expected:
                self._opened = False
                raise FenceLost("another learner has taken over: stop, or open the store again and read anew")
            self._unsure = new
            await self._transact(self._changes(commit, moved_on(decode_head(current, pinned), commit)[1], new))
            return pinned

        pinned = await self._try(attempt)
        self._expected, self._unsure = new, None
        return decode_head(new, pinned)

    async def head(self) -> Head:
        return decode_head(*(await self._ask([(b"MGET", self._head, self._pinned)]))[0])

    async def guide(self, version: int) -> bytes | None:
        value: bytes | None = (await self._ask([(b"GET", self._key(version))]))[0]
        return value

    async def history(self) -> list[Record]:
        return list(map(decode_record, (await self._ask([(b"LRANGE", self._history, b"0", b"-1")]))[0]))

    async def set_pinned(self, version: int | None) -> None:
        async def attempt() -> None:
            head = decode_head(*await self._watch())
            commands: list[Command] = [(b"UNLINK", self._pinned)]
            if version is not None:
                check_kept(head, version)
                commands = [(b"SET", self._pinned, b"%d" % version)]
            if head.pinned is not None and head.pinned not in {version, *(kept for _, kept in head.guides)}:
                commands.append((b"UNLINK", self._key(head.pinned)))
            await self._transact(commands)

        await self._try(attempt)

    async def wipe(self) -> None:
        async def attempt() -> None:
            head = decode_head(*await self._watch())
            versions = [version for _, version in head.guides]
            guides = map(self._key, versions if head.pinned is None else [*versions, head.pinned])
            await self._transact([(b"UNLINK", self._head, self._state, self._pinned, self._history, *guides)])

        await self._try(attempt)

    async def close(self) -> None:
        async with self._lock:
            self._opened = False
            await self._wire.close()

    def _key(self, version: int) -> bytes:
        return self._guide + b"%d" % version

    def _changes(self, commit: LearnerCommit, gone: Sequence[int], head: bytes) -> list[Command]:
        kept = {version for _, version in decode_head(head).guides}
        commands: list[Command] = [(b"SET", self._state, commit.state)]
        guides = [guide for guide in commit.guides if guide.version in kept]
        commands.extend((b"SET", self._key(guide.version), encode_guide(guide)) for guide in guides)
        if commit.guides:
            commands.append((b"RPUSH", self._history, *map(encode_record, commit.guides)))
            commands.append((b"LTRIM", self._history, b"%d" % -HISTORY_MAX, b"-1"))
        if gone:
            commands.append((b"UNLINK", *map(self._key, gone)))
        return [*commands, (b"SET", self._head, head)]

    async def _ask(self, commands: Sequence[Command]) -> list[Any]:
        return await self._try(lambda: self._replies(commands))

    async def _try(self, operation: Callable[[], Awaitable[_Result]]) -> _Result:
        failure: Exception | None = None
        failures = races = 0
        async with self._lock:
            while failures < ATTEMPTS and races < RACES_MAX:
                try:
                    if isinstance(failure, self._broken | StoreUnavailable):
                        await self._wire.relocate()
                    return await operation()
                except _AgainError as error:
                    failure, races = error, races + 1
                except (self._broken, StoreUnavailable) as error:
                    failure, failures = error, failures + 1
        raise StoreUnavailable(f"Redis cannot be worked with: {failure}") from failure

    async def _replies(self, commands: Sequence[Command]) -> list[Any]:
        replies = await self._wire.exchange(commands)
        self._check(replies)
        return replies

    def _check(self, replies: Sequence[Any]) -> None:
        for reply in replies:
            if isinstance(reply, Exception):
                if str(reply).startswith("WRONGTYPE"):
                    raise Corrupt(f"another program writes to the keys beside {self._head!r}: {reply}") from reply
                # A moved slot, a demoted primary, a full memory: a new connection may find it otherwise.
                raise StoreUnavailable(f"Redis refuses: {reply}") from reply

    async def _watch(self) -> tuple[bytes | None, bytes | None]:
        """Watch head and pinned; return them."""
        watch: list[Command] = [(b"UNWATCH",), (b"WATCH", self._head, self._pinned)]
        head, pinned = (await self._replies([*watch, (b"MGET", self._head, self._pinned)]))[-1]
        return head, pinned

    async def _transact(self, commands: Sequence[Command]) -> None:
        """Run the commands as one transaction; raises `_AgainError` where what is watched has changed."""
        *queued, outcome = await self._wire.exchange([(b"MULTI",), *commands, (b"EXEC",)])
        self._check([*queued, outcome])
        if outcome is None:
            raise _AgainError("the learner's head kept changing")
        self._check(outcome)
