"""What every `PartitionStore` must do: run over memory here, over Redis in `tests/integration`.

A subclass provides the fixture `make`: a function that returns a new store, unopened, on the test's partition.
Two stores are two writers; a failing takeover or erasure is what these tests are for.
"""

from collections.abc import Callable

import pytest

from features.store import COMMIT_KEYS_MAX, Commit, CommitTooLarge, PartitionStore
from streams.errors import FenceLost

Make = Callable[[], PartitionStore]

ODD_IDS = ["ann", "Ünï", "a b", "*", "c:{9}:x", "\r\n", "x" * 128]


async def opened(make: Make, commit: Commit | None = None) -> PartitionStore:
    store = make()
    await store.open()
    if commit is not None:
        await store.commit(commit)
    return store


class StoreSuite:
    async def test_a_new_partition_is_empty(self, make: Make) -> None:
        store = make()
        assert await store.open() is None
        assert await store.load(["ann"]) == [None]
        assert await store.due(2**50, 10) == []
        assert await store.outbox() == []
        assert [key async for key in store.ids()] == []
        assert await store.size() == 0

    async def test_what_is_committed_is_read(self, make: Make) -> None:
        states = {key: bytes(range(256)) + key.encode() for key in ODD_IDS}
        store = await opened(make, Commit(b"1", states, timers=dict.fromkeys(ODD_IDS, 5), append=[b"", b"\r\n\x00"]))
        assert await store.load(ODD_IDS) == list(states.values())
        assert await store.due(5, 100) == [(key, 5) for key in sorted(ODD_IDS, key=str.encode)]
        assert await store.outbox() == [b"", b"\r\n\x00"]
        assert sorted([key async for key in store.ids()]) == sorted(ODD_IDS)
        assert await store.size() == len(ODD_IDS)
        assert await make().open() == b"1"

    async def test_loads_come_in_the_order_asked_for(self, make: Make) -> None:
        store = await opened(make, Commit(b"1", {"a": b"A", "b": b""}))
        assert await store.load(["b", "no", "a", "b"]) == [b"", None, b"A", b""]
        assert await store.load([]) == []

    async def test_deletes_and_overwrites(self, make: Make) -> None:
        store = await opened(make, Commit(b"1", {"a": b"A", "b": b"B"}))
        await store.commit(Commit(b"2", {"a": b"AA"}, deletes=["b", "never"]))
        assert await store.load(["a", "b"]) == [b"AA", None]
        assert await store.size() == 1

    async def test_due_is_inclusive_earliest_first_and_limited(self, make: Make) -> None:
        now = 1_790_000_000_000
        timers = {"late": now + 1, "b": now, "a": now, "first": -5, "z": now}
        store = await opened(make, Commit(b"1", timers=timers))
        assert await store.due(now, 10) == [("first", -5), ("a", now), ("b", now), ("z", now)]
        assert await store.due(now, 2) == [("first", -5), ("a", now)]
        assert await store.due(now, 0) == []
        assert await store.due(now + 1, 10) == [*await store.due(now, 10), ("late", now + 1)]

    async def test_timers_move_and_go(self, make: Make) -> None:
        store = await opened(make, Commit(b"1", timers={"a": 1, "b": 2, "c": 3}))
        await store.commit(Commit(b"2", timers={"a": 9, "b": None, "never": None}))
        assert await store.due(100, 10) == [("c", 3), ("a", 9)]
        await store.commit(Commit(b"3", timers={"a": 1}))
        assert await store.due(100, 10) == [("a", 1), ("c", 3)]

    async def test_read_is_load_and_due(self, make: Make) -> None:
        store = await opened(make, Commit(b"1", {"a": b"A"}, timers={"a": 1, "b": 2}))
        assert await store.read(["b", "a"], 1, 10) == ([None, b"A"], [("a", 1)])
        assert await store.read([], 2, 10) == ([], [("a", 1), ("b", 2)])

    async def test_the_outbox_is_trimmed_at_the_head_then_appended_to(self, make: Make) -> None:
        store = await opened(make, Commit(b"1", append=[b"1", b"2", b"3", b"2"]))
        assert await store.outbox() == [b"1", b"2", b"3", b"2"]
        await store.commit(Commit(b"2", append=[b"4"], trim=2))
        assert await store.outbox() == [b"3", b"2", b"4"]
        await store.commit(Commit(b"3", append=[b"5"], trim=100))
        assert await store.outbox() == [b"5"]
        await store.commit(Commit(b"4", trim=1))
        assert await store.outbox() == []

    async def test_a_long_outbox_is_read_whole(self, make: Make) -> None:
        entries = [b"%d" % i for i in range(12_000)]
        store = await opened(make, Commit(b"1", append=entries))
        assert await store.outbox() == entries

    async def test_a_stale_writer_is_refused_and_changes_nothing(self, make: Make) -> None:
        zombie = await opened(make, Commit(b"1", {"a": b"A"}, timers={"a": 1}, append=[b"x"]))
        successor = make()
        assert await successor.open() == b"1"
        await successor.commit(Commit(b"2"))
        for _ in range(2):
            with pytest.raises(FenceLost):
                await zombie.commit(Commit(b"z", {"a": b"Z"}, ["b"], {"a": 2}, [b"y"], trim=1))
        assert await successor.load(["a"]) == [b"A"]
        assert await successor.due(9, 9) == [("a", 1)]
        assert await successor.outbox() == [b"x"]
        await successor.commit(Commit(b"3"))
        assert await zombie.open() == b"3"

    async def test_a_writer_that_opens_again_may_commit_again(self, make: Make) -> None:
        first = await opened(make, Commit(b"1"))
        second = await opened(make, Commit(b"2"))
        assert await first.open() == b"2"
        await first.commit(Commit(b"3"))
        await first.commit(Commit(b"4"))
        with pytest.raises(FenceLost):
            await second.commit(Commit(b"5"))

    async def test_of_two_writers_of_a_new_partition_one_wins(self, make: Make) -> None:
        one, two = await opened(make), await opened(make)
        await two.commit(Commit(b"two"))
        with pytest.raises(FenceLost):
            await one.commit(Commit(b"one"))
        assert await make().open() == b"two"

    async def test_a_store_must_be_open_to_commit(self, make: Make) -> None:
        store = make()
        with pytest.raises(FenceLost):
            await store.commit(Commit(b"1"))
        await store.open()
        await store.close()
        with pytest.raises(FenceLost):
            await store.commit(Commit(b"1"))
        assert await store.open() is None

    async def test_commits_that_make_no_sense_are_refused(self, make: Make) -> None:
        store = await opened(make, Commit(b"1"))
        too_many = {str(i): 1 for i in range(COMMIT_KEYS_MAX + 1)}
        for bad in (Commit(b"1"), Commit(b""), Commit(b"2", trim=-1), Commit(b"2", {"a": b"A"}, ["a"])):
            with pytest.raises(ValueError, match="commit"):
                await store.commit(bad)
        with pytest.raises(CommitTooLarge):
            await store.commit(Commit(b"2", timers=too_many))
        await store.commit(Commit(b"2"))

    async def test_erasing_takes_everything_and_stops_the_running_writer(self, make: Make) -> None:
        states, timers = {"a": b"A", "b": b"B"}, {"a": 1, "b": 2}
        running = await opened(make, Commit(b"1", states, timers=timers, append=[b"a1", b"b1", b"a1", b"a2"]))
        other = make()
        assert await other.erase("a", lambda entry: entry.startswith(b"a"), lambda meta: meta + b"e")
        assert await other.load(["a", "b"]) == [None, b"B"]
        assert await other.due(9, 9) == [("b", 2)]
        assert await other.outbox() == [b"b1"]
        with pytest.raises(FenceLost):
            await running.commit(Commit(b"2", {"a": b"A"}))
        assert await running.open() == b"1e"
        await running.commit(Commit(b"2"))

    async def test_an_erasure_by_the_writer_itself_stops_it_too(self, make: Make) -> None:
        store = await opened(make, Commit(b"1", {"a": b"A"}))
        assert await store.erase("a", lambda _: False, lambda meta: meta + b"e")
        with pytest.raises(FenceLost):
            await store.commit(Commit(b"2", {"a": b"A"}))

    async def test_erasing_where_there_is_nothing_changes_nothing(self, make: Make) -> None:
        assert not await make().erase("a", lambda _: True, lambda meta: meta + b"e")
        running = await opened(make, Commit(b"1", {"b": b"B"}, append=[b"b1"]))
        assert not await make().erase("a", lambda entry: entry.startswith(b"a"), lambda meta: meta + b"e")
        await running.commit(Commit(b"2"))

    async def test_erasing_nothing_does_not_renew_a_lost_claim(self, make: Make) -> None:
        zombie = await opened(make, Commit(b"1"))
        await opened(make, Commit(b"2"))
        assert not await zombie.erase("a", lambda _: False, lambda meta: meta + b"e")
        with pytest.raises(FenceLost):
            await zombie.commit(Commit(b"3"))

    @pytest.mark.parametrize("rest", ["state", "timer", "outbox"])
    async def test_any_rest_of_a_customer_is_erased(self, make: Make, rest: str) -> None:
        whole = {"state": Commit(b"1", {"a": b"A"}), "timer": Commit(b"1", timers={"a": 1})}
        store = await opened(make, whole.get(rest, Commit(b"1", append=[b"a"])))
        assert await make().erase("a", lambda entry: entry == b"a", lambda meta: meta + b"e")
        assert (await store.size(), await store.due(9, 9), await store.outbox()) == (0, [], [])

    async def test_an_erasure_must_move_the_fence(self, make: Make) -> None:
        store = await opened(make, Commit(b"1", {"a": b"A"}))
        with pytest.raises(ValueError, match="next_meta"):
            await make().erase("a", lambda _: False, lambda meta: meta)
        await store.commit(Commit(b"2"))
        assert await store.load(["a"]) == [b"A"]

    async def test_ids_are_complete_and_each_comes_once(self, make: Make) -> None:
        many = [f"customer-{i}" for i in range(2_500)]
        store = await opened(make, Commit(b"1", dict.fromkeys(many, b"x"), timers={"no-state": 1}))
        found = [key async for key in store.ids()]
        assert len(found) == len(many) == await store.size()
        assert set(found) == set(many)

    async def test_a_wiped_partition_is_new(self, make: Make) -> None:
        store = await opened(make, Commit(b"1", {"a": b"A"}, timers={"a": 1}, append=[b"x"]))
        await store.wipe()
        with pytest.raises(FenceLost):
            await store.commit(Commit(b"2"))
        await self.test_a_new_partition_is_empty(make)
