"""What a runner keeps of its customers between two steps, and what it reads again."""

import asyncio
from collections.abc import Sequence

from agents.customers import Customers
from agents.record import Customer, encode_customer
from features.state import Activity
from features.store import Commit, MemoryStore


class Counting(MemoryStore):
    """Remembers what was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[list[str]] = []

    async def load(self, ids: Sequence[str]) -> list[bytes | None]:
        self.asked.append(sorted(ids))
        return await super().load(ids)


async def _filled(count: int) -> Counting:
    store = Counting()
    await store.open()
    ids = [f"c{number}" for number in range(count)]
    value = encode_customer(Customer(Activity.empty()))
    await store.commit(Commit(b"m", dict.fromkeys(ids, value), timers={name: place for place, name in enumerate(ids)}))
    return store


def test_those_who_were_only_woken_are_not_kept() -> None:
    async def found() -> tuple[set[str], set[str], list[list[str]]]:
        store = await _filled(6)
        customers = Customers(store, 100)
        due = await customers.fetch(["c1", "c5"], 3, 10)
        assert [name for name, _ in due] == ["c0", "c1", "c2", "c3"]
        at_hand = set(customers)
        customers.trim()
        return at_hand, set(customers), store.asked

    at_hand, kept, asked = asyncio.run(found())
    assert at_hand == {"c0", "c1", "c2", "c3", "c5"}
    assert kept == {"c1", "c5"}
    assert asked == [["c1", "c5"], ["c0", "c2", "c3"]]


def test_one_who_is_at_hand_is_not_read_again_to_be_woken() -> None:
    async def found() -> tuple[set[str], list[list[str]]]:
        store = await _filled(3)
        customers = Customers(store, 100)
        for ids in (["c0"], ["c1"], []):
            await customers.fetch(ids, 1, 10)
            customers.trim()
        return set(customers), [asked for asked in store.asked if asked]

    kept, asked = asyncio.run(found())
    assert kept == {"c0", "c1"}
    assert asked == [["c0"], ["c1"], ["c1"]]  # woken, let go, and read again when a record told of it


def test_no_more_are_kept_than_may_be_and_an_expired_one_may_be_gone_already() -> None:
    async def found() -> list[str]:
        customers = Customers(await _filled(8), 2)
        await customers.fetch(["c4", "c5", "c6"], 1, 10)
        del customers["c0"]
        customers.trim()
        return list(customers)

    assert len(asyncio.run(found())) == 2
