from collections.abc import Callable

import pytest

from features.store import COMMIT_BYTES_MAX, Commit, CommitTooLarge, MemoryPartition, MemoryStore, PartitionStore
from tests.unit.features.store_suite import StoreSuite


class TestMemoryStore(StoreSuite):
    @pytest.fixture
    def make(self) -> Callable[[], PartitionStore]:
        partition = MemoryPartition()
        return lambda: MemoryStore(partition)


async def test_stores_without_a_common_partition_do_not_meet() -> None:
    one, two = MemoryStore(), MemoryStore()
    await one.open()
    await one.commit(Commit(b"1", {"a": b"A"}))
    assert await two.open() is None


async def test_what_load_returned_is_not_touched_by_a_later_commit() -> None:
    store = MemoryStore()
    await store.open()
    await store.commit(Commit(b"1", {"a": b"A"}, append=[b"x"]))
    before = await store.outbox()
    await store.commit(Commit(b"2", {"a": b"AA"}, append=[b"y"], trim=1))
    assert before == [b"x"]


def test_a_commit_is_bounded_in_bytes() -> None:
    entry = bytes(COMMIT_BYTES_MAX // 2)
    Commit(b"1", append=[entry]).check()
    with pytest.raises(CommitTooLarge, match="lower the chunk size"):
        Commit(b"1", {"a": entry}, append=[entry]).check()
