"""A bootstrap's writing to Redis: one partition after the other, each commit behind the fence, and nobody reads half of it.

1. claim    every partition's meta says "filling": a worker that had the partition is refused by the fence, any other waits; the
            learner begins anew, past all examples of other lives; what else was there is deleted
2. fill     customers and wake-ups, in bounded commits; the learner
3. seal     every meta gets offsets, clock and counts, and says "full"
4. release  every meta says nothing of a bootstrap any more: workers go on from there

| dies | what is there | the next bootstrap |
| --- | --- | --- |
| before 1 | nothing has happened | begins |
| in 1, 2 or 3 | some partition says "filling": no worker goes on from any | begins anew |
| in 4 | everything is there; some partitions are released, the others "full" | releases the others |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal

from agents.meta import Meta, decode_meta, encode_meta
from agents.record import decode_customer
from features.store import Commit, PartitionStore
from models.guide import Guide
from models.learner import Learner
from models.store import LearnerCommit, LearnerStore
from streams.errors import FenceLost, StateError

Found = Literal["nothing", "unfinished", "full", "state"]
"""What lies in a namespace: nothing, an unfinished bootstrap, one that has only to be released, an installation's state."""

CUSTOMERS_MAX: Final = 10_000
BYTES_MAX: Final = 32 << 20
"""Customers, and bytes of their state, in one commit."""

FAR_MS: Final = 1 << 60
ATTEMPTS: Final = 5
CLAIMS_MAX: Final = 50
"""Tries to claim a partition from a worker that keeps committing in between."""

Filled = tuple[str, bytes, int]
"""A customer's id, state and next wake-up."""


async def look(stores: Sequence[PartitionStore], learner: LearnerStore) -> Found:
    """Look at every partition and the learner."""
    return judge([await _meta(store) for store in stores], (await learner.head()).commits > 0)


async def _meta(store: PartitionStore) -> Meta | None:
    value = await store.open()
    return None if value is None else decode_meta(value)


def judge(metas: Sequence[Meta | None], learnt: bool) -> Found:  # noqa: FBT001
    """Say what the metas of all partitions mean together; `learnt`: whether there is a learner's state. Pure.

    >>> judge([Meta(bootstrap="full"), Meta()], True), judge([Meta(bootstrap="filling"), None], False)
    ('full', 'unfinished')
    """
    stages = {None if meta is None else meta.bootstrap for meta in metas}
    if "full" in stages and stages <= {"full", ""}:
        return "full"
    if "" in stages or (learnt and stages == {None}):
        return "state"
    return "nothing" if stages == {None} else "unfinished"


class Writer:
    """Fills partitions that it has claimed; any other writer in between makes it give up with `StateError`."""

    def __init__(self, stores: Sequence[PartitionStore]) -> None:
        self._stores = stores
        self._commits = [0] * len(stores)

    async def claim(self) -> None:
        """Shut everybody else out of every partition."""
        for place in range(len(self._stores)):
            await self._take(place)

    async def clear(self) -> None:
        """Delete what the claimed partitions hold."""
        filling = Meta(bootstrap="filling")
        for place, store in enumerate(self._stores):
            ids = [customer async for customer in store.ids()]
            for first in range(0, len(ids), CUSTOMERS_MAX):
                gone = ids[first : first + CUSTOMERS_MAX]
                await self._commit(place, filling, deletes=gone, timers=dict.fromkeys(gone))
            while stray := await store.due(FAR_MS, CUSTOMERS_MAX):
                await self._commit(place, filling, timers={customer: None for customer, _ in stray})

    async def _take(self, place: int) -> None:
        """Move a partition's fence: from here on whoever had it is refused."""
        store = self._stores[place]
        for attempt in range(CLAIMS_MAX):
            meta = await _meta(store)
            self._commits[place] = 0 if meta is None else meta.commits
            try:
                await self._commit(place, Meta(bootstrap="filling"), trim=len(await store.outbox()))
            except StateError:
                if attempt == CLAIMS_MAX - 1:
                    raise
            else:
                return

    async def fill(self, place: int, customers: Iterable[Filled]) -> tuple[int, int]:
        """Write a partition's customers; return how many they are, and how many have an open episode."""
        count = opened = 0
        for chunk in _chunks(customers):
            count += len(chunk)
            opened += sum(decode_customer(value).episode.open for _, value, _ in chunk)
            await self._commit(
                place,
                Meta(bootstrap="filling"),
                writes={customer: value for customer, value, _ in chunk},
                timers={customer: due_ms for customer, _, due_ms in chunk},
            )
        return count, opened

    async def seal(self, metas: Sequence[Meta]) -> None:
        """Write every partition's bookkeeping: from here on nothing but the release is missing."""
        for place, meta in enumerate(metas):
            meta.bootstrap = "full"
            await self._commit(place, meta)

    async def release(self) -> None:
        """Let the workers have the partitions. Also ends what an earlier bootstrap has sealed."""
        for place, store in enumerate(self._stores):
            meta = await _meta(store)
            if meta is not None and meta.bootstrap:
                self._commits[place] = meta.commits
                meta.bootstrap = ""
                await self._commit(place, meta)

    async def _commit(
        self,
        place: int,
        meta: Meta,
        *,
        writes: Mapping[str, bytes] | None = None,
        deletes: Sequence[str] = (),
        timers: Mapping[str, int | None] | None = None,
        trim: int = 0,
    ) -> None:
        self._commits[place] += 1
        meta.commits = self._commits[place]
        try:
            await self._stores[place].commit(Commit(encode_meta(meta), writes or {}, deletes, timers or {}, trim=trim))
        except FenceLost as error:
            raise StateError(
                f"another program has changed partition {place} while it was being filled (a second bootstrap, "
                "`churnwatch forget`, an older worker?): stop it, and run this command again"
            ) from error


def _chunks(customers: Iterable[Filled]) -> Iterator[list[Filled]]:
    chunk: list[Filled] = []
    size = 0
    for customer in customers:
        chunk.append(customer)
        size += len(customer[1])
        if len(chunk) >= CUSTOMERS_MAX or size >= BYTES_MAX:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


async def store_learner(
    store: LearnerStore, learner: Learner | None, guides: Sequence[Guide], next_offset: int
) -> None:
    """Put the learner in the place of whatever was there (None: only take that away), to go on from `next_offset`.

    A learner that a waiting worker holds is refused from then on, and reads this one.

    Raises:
        StateError: another learner kept writing.
    """
    for _ in range(ATTEMPTS):
        _, head = await store.open()
        if head.learnt_until_ms is not None or head.pinned is not None:
            await store.wipe()
            await store.open()
        if learner is None:
            return
        try:
            await store.commit(LearnerCommit(learner.to_bytes(), next_offset, learner.learnt_until_ms, guides))
        except FenceLost:
            continue
        return
    raise StateError("another learner keeps writing to this namespace: stop its worker, and run this command again")
