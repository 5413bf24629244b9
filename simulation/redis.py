"""The simulated Redis: the stores in memory, behind a network that delays, refuses and loses, and a disk that may forget.

The compare-and-set is the production one of `MemoryStore`. A commit that was given up may still arrive, on a connection of its own
that expects what its sender expected.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any, Protocol

from agents.meta import decode_meta
from features.store import Commit, MemoryPartition, MemoryStore
from models.store import Head, LearnerCommit, MemoryLearner, MemoryLearnerStore
from simulation.faults import OF_A_COMMIT, Faults
from simulation.life import Life
from simulation.loop import at_once
from streams.errors import CommitUnknown, FenceLost, StoreUnavailable

AWAY = "Redis does not answer"
GIVE_UP_SECONDS = 0.3


class StoreWatch(Protocol):
    """Who is told of every change, at the instant at which it happens in Redis."""

    def opened(self, partition: int, writer: int) -> None:
        """A writer has read the fence; `writer` rises with every opening."""

    def stored(
        self, partition: int, writer: int, before: bytes | None, commit: Commit, outbox: Sequence[bytes]
    ) -> None:
        """A commit was applied; `outbox` as it was before."""

    def learnt(self, writer: int, before: bytes | None, commit: LearnerCommit) -> None:
        """The learner's commit was applied."""

    def forgot(self) -> None:
        """Redis has gone back to an earlier state, or to none."""


class Redis:
    """What all lives share."""

    def __init__(self, partitions: int, faults: Faults, watch: StoreWatch) -> None:
        self.partitions = [MemoryPartition() for _ in range(partitions)]
        self.learner = MemoryLearner()
        self.faults = faults
        self.watch = watch
        self.down_until = 0.0
        self.openings = 0
        self._saved: tuple[list[MemoryPartition], MemoryLearner] = copy.deepcopy((self.partitions, self.learner))

    def save(self) -> None:
        """What a later `roll_back` comes back to."""
        self._saved = copy.deepcopy((self.partitions, self.learner))

    def roll_back(self) -> None:
        """Lose what was written since `save`: a lost fsync, a failover to a replica that was behind."""
        partitions, learner = copy.deepcopy(self._saved)
        pairs: list[tuple[Any, Any]] = [*zip(self.partitions, partitions, strict=True), (self.learner, learner)]
        for held, kept in pairs:
            for name in held.__slots__:
                setattr(held, name, getattr(kept, name))
        self.watch.forgot()

    def wipe(self) -> None:
        """Lose everything."""
        for data in self.partitions:
            at_once(MemoryStore(data).wipe())
        at_once(MemoryLearnerStore(self.learner).wipe())
        self.watch.forgot()

    def refuses(self, who: str, where: str) -> bool:
        """Whether this request finds nobody."""
        now = asyncio.get_running_loop().time()
        kind = self.faults.strikes(("unavailable", "redis_down", "rollback", "wipe"), who, where)
        if kind == "redis_down":
            self.down_until = now + 0.2 + self.faults.rng.random() * 6
        elif kind == "rollback":
            self.roll_back()
        elif kind == "wipe":
            self.wipe()
        return kind in ("unavailable", "redis_down") or now < self.down_until


class _Port:
    """A connection of one life."""

    def __init__(self, redis: Redis, life: Life) -> None:
        self._redis = redis
        self._life = life

    async def _ask(self, what: str, ask: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        life = self._life
        await life.point(f"{what} asked")
        await life.latency()
        if self._redis.refuses(life.name, what):
            await asyncio.sleep(GIVE_UP_SECONDS)
            await life.running()
            raise StoreUnavailable(AWAY)
        answer = at_once(ask())
        await life.latency()
        await life.point(f"{what} answered")
        return answer

    async def _send(self, what: str, apply: Callable[[], None]) -> str:
        """Have `apply` done by Redis, or not; returns how it ended: "done", "fenced", "refused" or "unknown"."""
        life, loop = self._life, asyncio.get_running_loop()
        await life.point(f"{what} asked")
        refused = self._redis.refuses(life.name, what)
        fate = "refused" if refused else life.faults.strikes(OF_A_COMMIT, life.name, what)
        reply: asyncio.Future[str] = loop.create_future()

        def arrive() -> None:
            if life.requests_lost:
                return
            said = "done"
            try:
                apply()
            except FenceLost:
                said = "fenced"
            if not reply.done():
                reply.set_result(said)

        if fate in ("", "unheard"):
            loop.call_later(0.0005 + life.rng.random() * 0.004, arrive)
        elif fate == "overtaken":
            loop.call_later(life.rng.random() * 1.5, arrive)
        if fate:
            await asyncio.sleep(GIVE_UP_SECONDS)
            await life.point(f"{what} given up")
            return "refused" if fate == "refused" else "unknown"
        said = await reply
        await life.latency()
        await life.point(f"{what} answered")
        return said


class PartitionPort(_Port):
    """A `PartitionStore` for one life."""

    def __init__(self, redis: Redis, life: Life, partition: int) -> None:
        super().__init__(redis, life)
        self._partition = partition
        self._data = redis.partitions[partition]
        self._inner = MemoryStore(self._data)
        self._writer = 0

    async def open(self) -> bytes | None:
        meta: bytes | None = await self._ask("open", self._open)
        return meta

    async def _open(self) -> bytes | None:
        self._inner = MemoryStore(self._data)
        self._redis.openings += 1
        self._writer = self._redis.openings
        self._redis.watch.opened(self._partition, self._writer)
        return await self._inner.open()

    async def load(self, ids: Sequence[str]) -> list[bytes | None]:
        states: list[bytes | None] = await self._ask("load", lambda: self._inner.load(ids))
        return states

    async def due(self, until_ms: int, limit: int) -> list[tuple[str, int]]:
        due: list[tuple[str, int]] = await self._ask("due", lambda: self._inner.due(until_ms, limit))
        return due

    async def read(
        self, ids: Sequence[str], until_ms: int, limit: int
    ) -> tuple[list[bytes | None], list[tuple[str, int]]]:
        found: tuple[list[bytes | None], list[tuple[str, int]]] = await self._ask(
            "read", lambda: self._inner.read(ids, until_ms, limit)
        )
        return found

    async def outbox(self) -> list[bytes]:
        entries: list[bytes] = await self._ask("outbox", self._inner.outbox)
        return entries

    async def commit(self, commit: Commit) -> None:
        commit.check()
        writer, session = self._writer, copy.copy(self._inner)

        def apply() -> None:
            before, outbox = self._data.meta, list(self._data.outbox)
            at_once(session.commit(commit))
            self._redis.watch.stored(self._partition, writer, before, commit, outbox)

        said = await self._send("commit", apply)
        if said == "done":
            self._inner = session
            return
        if said == "refused":
            raise StoreUnavailable(AWAY)
        self._inner = MemoryStore(self._data)
        if said == "fenced":
            raise FenceLost("another writer has been here")
        raise CommitUnknown("the connection broke during a commit")

    async def ids(self) -> AsyncIterator[str]:
        for customer in sorted(self._data.states):
            yield customer

    async def close(self) -> None:
        """The connection goes with the life."""


class LearnerPort(_Port):
    """A `LearnerStore` for one life; what only commands use is left out."""

    def __init__(self, redis: Redis, life: Life) -> None:
        super().__init__(redis, life)
        self._inner = MemoryLearnerStore(redis.learner)
        self._writer = 0

    async def open(self) -> tuple[bytes | None, Head]:
        opened: tuple[bytes | None, Head] = await self._ask("learner open", self._open)
        return opened

    async def _open(self) -> tuple[bytes | None, Head]:
        self._inner = MemoryLearnerStore(self._redis.learner)
        self._redis.openings += 1
        self._writer = self._redis.openings
        return await self._inner.open()

    async def head(self) -> Head:
        head: Head = await self._ask("head", MemoryLearnerStore(self._redis.learner).head)
        return head

    async def guide(self, version: int) -> bytes | None:
        value: bytes | None = await self._ask("guide", lambda: MemoryLearnerStore(self._redis.learner).guide(version))
        return value

    async def commit(self, commit: LearnerCommit) -> Head:
        writer, session, heads = self._writer, copy.copy(self._inner), list[Head]()

        def apply() -> None:
            before = self._redis.learner.head
            heads.append(at_once(session.commit(commit)))
            self._redis.watch.learnt(writer, before, commit)

        said = await self._send("learner commit", apply)
        if said == "done":
            self._inner = session
            return heads[-1]
        if said == "fenced":
            self._inner = MemoryLearnerStore(self._redis.learner)
            raise FenceLost("another learner has been here")
        raise StoreUnavailable(AWAY)

    async def close(self) -> None:
        """The connection goes with the life."""


class LivesPort(_Port):
    """What the learner asks once, before its first batch: the life in which every input partition's state began."""

    async def lives(self) -> dict[int, int]:
        """Give them; raises `StoreUnavailable` while a partition has none yet, as the production one does."""
        lives: dict[int, int] = await self._ask("lives", self._read)
        return lives

    async def _read(self) -> dict[int, int]:
        metas = [data.meta for data in self._redis.partitions]
        found = {place: decode_meta(meta).born for place, meta in enumerate(metas) if meta is not None}
        if len(found) < len(metas):
            raise StoreUnavailable("a partition's state has not begun yet")
        return found
