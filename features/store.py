"""The port to one partition's state, and its implementation in memory.

A partition's state is five things that always change together: the state of each customer, their
wake-ups, the outbox (messages decided but not yet known to be published), and the meta value, which
holds the offsets that all of it reflects. `commit` changes them in one step or not at all.

The fence
    The meta value is also the fence. `open` reads it and remembers it; `commit` is a compare-and-set on
    it. A writer that lost its partition (a zombie) still expects the value from before its successor's
    first commit, so its next commit is refused with `FenceLost` and changes nothing. To shut a zombie out
    before the first chunk is done, commit a changed meta right after `open`.

Everything here is bytes: what they mean, and their schema version, is the business of the caller.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from features.timers import TimerQueue
from streams.errors import FenceLost, StateError

COMMIT_KEYS_MAX: Final = 50_000
"""Customers, timers and outbox entries that one commit may touch, all told."""

COMMIT_BYTES_MAX: Final = 256 * 1024 * 1024
"""Payload of one commit. Redis drops a client whose query buffer passes 1 GB; it must stay far below."""

NOT_HELD: Final = (
    "this writer does not hold the partition: it never opened it, another one took it, or how the last commit "
    "ended is unknown; stop, or open it again and read everything anew"
)


class CommitTooLarge(StateError):
    """A commit passes `COMMIT_KEYS_MAX` or `COMMIT_BYTES_MAX`: take smaller chunks."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One atomic change of a partition.

    Attributes:
        meta: the new meta value. It must differ from the one before, or the fence would not move and a lost
            reply could not be told from a lost commit: count the commits in it.
        writes: customer id to new state.
        deletes: customers whose state goes; none of them may be in `writes`.
        timers: customer id to the instant of the next wake-up (epoch ms), or None to have none.
        append: entries for the tail of the outbox, oldest first.
        trim: how many entries to drop from the head of the outbox, as it was before `append`.
    """

    meta: bytes
    writes: Mapping[str, bytes] = field(default_factory=dict)
    deletes: Sequence[str] = ()
    timers: Mapping[str, int | None] = field(default_factory=dict)
    append: Sequence[bytes] = ()
    trim: int = 0

    def check(self) -> None:
        """Raise `CommitTooLarge` past the limits, and `ValueError` for what no caller may ask for."""
        keys = len(self.writes) + len(self.deletes) + len(self.timers) + len(self.append)
        size = len(self.meta) + sum(map(len, self.writes.values())) + sum(map(len, self.append))
        if keys > COMMIT_KEYS_MAX or size > COMMIT_BYTES_MAX:
            raise CommitTooLarge(
                f"a commit of {keys} entries and {size} bytes passes the limit of {COMMIT_KEYS_MAX} entries "
                f"and {COMMIT_BYTES_MAX} bytes: lower the chunk size"
            )
        if not self.meta or self.trim < 0:
            raise ValueError("a commit needs a non-empty meta value and a trim of zero or more")
        if self.deletes and not self.writes.keys().isdisjoint(self.deletes):
            raise ValueError("a commit may not write and delete the same customer")


class PartitionStore(Protocol):
    """The state of one input partition, for one writer. Calls must not overlap: one task owns a store."""

    async def open(self) -> bytes | None:
        """Claim the partition: read the meta value (None if there is none yet) and expect it from now on.

        Also the way back after `FenceLost` and `CommitUnknown`.
        """
        ...

    async def load(self, ids: Sequence[str]) -> list[bytes | None]:
        """Return the state of each customer, in the order of `ids`; None for one that is not known."""
        ...

    async def due(self, until_ms: int, limit: int) -> list[tuple[str, int]]:
        """Return at most `limit` wake-ups due at or before `until_ms`: (customer, due ms), earliest first.

        Equal instants come in the order of the ids' UTF-8 bytes. Nothing is removed: a commit does that.
        """
        ...

    async def read(
        self, ids: Sequence[str], until_ms: int, limit: int
    ) -> tuple[list[bytes | None], list[tuple[str, int]]]:
        """Return what `load(ids)` and `due(until_ms, limit)` return, in one round trip.

        Raises:
            FenceLost: the meta value is not the expected one. So a writer with nothing to write notices as well that
                another has been here, or that all is lost.
        """
        ...

    async def outbox(self) -> list[bytes]:
        """Return every entry of the outbox, oldest first.

        All of them, because `Commit.trim` counts from the head: a reader that knew only some would trim what it
        never published. The writer bounds the outbox: it appends no more while too many entries are unpublished.
        """
        ...

    async def commit(self, commit: Commit) -> None:
        """Apply the whole commit or nothing.

        Raises:
            FenceLost: the meta value is not the expected one: another writer has been here. Nothing changed.
            CommitUnknown: the connection broke on the way; nothing further is accepted until `open`.
            CommitTooLarge, ValueError: the commit is not one that could be applied. Nothing changed.
        """
        ...

    async def erase(
        self, customer_id: str, drop_outbox: Callable[[bytes], bool], next_meta: Callable[[bytes], bytes]
    ) -> bool:
        """Erase a customer from a partition that somebody else may be writing to.

        State, wake-up and the outbox entries for which `drop_outbox` is true go, and the meta value becomes
        `next_meta(meta)`, which must differ: so the running writer's next commit is refused and it reads
        again. Needs no `open`. Returns False, having changed nothing, if there was nothing to erase.

        Raises:
            FenceLost: the partition changed under every one of a bounded number of attempts.
            CommitUnknown: the connection broke on the way. Call again: what is erased stays so.
        """
        ...

    def ids(self) -> AsyncIterator[str]:
        """Iterate over the customers with state, each once, in no order.

        Those written or deleted meanwhile may or may not appear. Holds every id in memory.
        """
        ...

    async def size(self) -> int:
        """Return the number of customers with state. As slow as `ids`."""
        ...

    async def wipe(self) -> None:
        """Delete everything of the partition, meta included."""
        ...

    async def close(self) -> None:
        """Let the connection go. The state stays; the store can be opened again."""
        ...


@dataclass(slots=True)
class MemoryPartition:
    """What Redis would hold: shared by the stores of successive writers in tests of takeover."""

    meta: bytes | None = None
    states: dict[str, bytes] = field(default_factory=dict)
    timers: TimerQueue = field(default_factory=TimerQueue)
    outbox: list[bytes] = field(default_factory=list)


class MemoryStore:
    """A `PartitionStore` in this process: for the backtest and for tests.

    Args:
        partition: the data to work on; two stores given the same one are two writers of one partition.
    """

    def __init__(self, partition: MemoryPartition | None = None) -> None:
        self._data = MemoryPartition() if partition is None else partition
        self._expected: bytes | None = None
        self._opened = False

    async def open(self) -> bytes | None:
        self._expected = self._data.meta
        self._opened = True
        return self._expected

    async def load(self, ids: Sequence[str]) -> list[bytes | None]:
        return list(map(self._data.states.get, ids))

    async def due(self, until_ms: int, limit: int) -> list[tuple[str, int]]:
        return self._data.timers.get(until_ms, limit)

    async def read(
        self, ids: Sequence[str], until_ms: int, limit: int
    ) -> tuple[list[bytes | None], list[tuple[str, int]]]:
        if not self._opened or self._data.meta != self._expected:
            self._opened = False
            raise FenceLost(NOT_HELD)
        return await self.load(ids), await self.due(until_ms, limit)

    async def outbox(self) -> list[bytes]:
        return list(self._data.outbox)

    async def commit(self, commit: Commit) -> None:
        commit.check()
        data = self._data
        if not self._opened or data.meta != self._expected:
            self._opened = False
            raise FenceLost(NOT_HELD)
        if commit.meta == self._expected:
            raise ValueError("a commit must change the meta value")
        data.states.update(commit.writes)
        for customer_id in commit.deletes:
            data.states.pop(customer_id, None)
        for customer_id, due_ms in commit.timers.items():
            data.timers.update(customer_id, due_ms)
        del data.outbox[: commit.trim]
        data.outbox.extend(commit.append)
        data.meta = self._expected = commit.meta

    async def erase(
        self, customer_id: str, drop_outbox: Callable[[bytes], bool], next_meta: Callable[[bytes], bytes]
    ) -> bool:
        data = self._data
        kept = [entry for entry in data.outbox if not drop_outbox(entry)]
        known = customer_id in data.states or customer_id in data.timers
        if data.meta is None or not (known or len(kept) < len(data.outbox)):
            return False
        data.meta = moved(data.meta, next_meta)
        data.states.pop(customer_id, None)
        data.timers.update(customer_id, None)
        data.outbox[:] = kept
        return True

    async def ids(self) -> AsyncIterator[str]:
        for customer_id in list(self._data.states):
            yield customer_id

    async def size(self) -> int:
        return len(self._data.states)

    async def wipe(self) -> None:
        self._data.meta = None
        self._data.states.clear()
        self._data.timers = TimerQueue()
        self._data.outbox.clear()

    async def close(self) -> None:
        self._opened = False


def moved(meta: bytes, next_meta: Callable[[bytes], bytes]) -> bytes:
    """Return `next_meta(meta)`; raise `ValueError` if it is the same, for then the fence would not move."""
    changed = next_meta(meta)
    if not changed or changed == meta:
        raise ValueError("next_meta must change the meta value, or the running writer would not notice")
    return changed
