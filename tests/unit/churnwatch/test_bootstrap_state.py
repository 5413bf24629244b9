"""What a bootstrap leaves at any moment: a worker goes on from all of it or from nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiokafka import TopicPartition

from agents.meta import Meta, decode_meta, encode_meta
from agents.record import Customer, encode_customer
from churnwatch import bootstrap_state, compose
from churnwatch.bootstrap_places import Place, gaps
from churnwatch.bootstrap_state import Writer, judge, look, store_learner
from churnwatch.doctor import look_at_metas
from churnwatch.settings import Settings
from features.state import Activity
from features.store import Commit, MemoryPartition, MemoryStore
from models.store import Head, LearnerCommit, MemoryLearner, MemoryLearnerStore
from streams.errors import FenceLost, StateError, StoreUnavailable
from tests.unit.agents.samples import START_MS, order
from tests.unit.agents.world import World

STATE = encode_customer(Customer(Activity.empty()))


def stores(*partitions: MemoryPartition) -> list[MemoryStore]:
    return list(map(MemoryStore, partitions))


def metas(partitions: list[MemoryPartition]) -> list[Meta]:
    return [decode_meta(partition.meta or b"") for partition in partitions]


def used() -> MemoryPartition:
    """A partition that a worker has filled, with a wake-up and an unsent message."""
    partition = MemoryPartition()

    async def fill() -> None:
        store = MemoryStore(partition)
        await store.open()
        await store.commit(Commit(encode_meta(Meta(commits=7)), {"old": STATE}, timers={"old": 5}, append=[b"unsent"]))

    asyncio.run(fill())
    return partition


@pytest.mark.parametrize(
    ("stages", "learnt", "found"),
    [
        ((None, None), False, "nothing"),
        ((None, None), True, "state"),
        (("", None), False, "state"),
        (("", "filling"), True, "state"),
        (("filling", None), False, "unfinished"),
        (("filling", "full"), True, "unfinished"),
        (("full", "full"), True, "full"),
        (("", "full"), True, "full"),
        (("", ""), True, "state"),
    ],
)
def test_what_is_found_decides(stages: tuple[Any, ...], learnt: bool, found: str) -> None:
    assert judge([None if stage is None else Meta(bootstrap=stage) for stage in stages], learnt) == found


def test_from_claim_to_release(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap_state, "CUSTOMERS_MAX", 2)
    partitions = [used(), MemoryPartition()]
    customers = [[(f"c{n}", STATE, 100 + n) for n in range(5)], [("d", STATE, 9)]]

    async def run() -> None:
        writer = Writer(stores(*partitions))
        await writer.claim()
        await writer.clear()
        assert partitions[0].states == {}
        assert partitions[0].outbox == []
        assert partitions[0].timers.get(1 << 60, 10) == []
        for place in (0, 1):
            assert await writer.fill(place, customers[place]) == (len(customers[place]), 0)
        assert await look(stores(*partitions), MemoryLearnerStore()) == "unfinished"
        await writer.seal([Meta(seq=3), Meta(seq=3)])
        assert await look(stores(*partitions), MemoryLearnerStore()) == "full"
        await writer.release()
        assert await look(stores(*partitions), MemoryLearnerStore()) == "state"

    asyncio.run(run())
    assert partitions[0].states.keys() == {f"c{n}" for n in range(5)}
    assert partitions[0].timers.get(1 << 60, 10) == [(f"c{n}", 100 + n) for n in range(5)]
    assert [(meta.seq, meta.bootstrap) for meta in metas(partitions)] == [(3, ""), (3, "")]
    assert metas(partitions)[0].commits > 7


def test_what_was_sealed_is_released_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    partitions = [MemoryPartition(), MemoryPartition()]

    async def run() -> None:
        first = Writer(stores(*partitions))
        await first.claim()
        await first.seal([Meta(seq=1), Meta(seq=2)])
        await Writer(stores(partitions[0])).release()  # and there it dies
        assert await look(stores(*partitions), MemoryLearnerStore()) == "full"
        # Meanwhile a worker goes on with the first: it must not be set back.
        worker = MemoryStore(partitions[0])
        await worker.open()
        await worker.commit(Commit(encode_meta(Meta(seq=9, commits=50))))
        await Writer(stores(*partitions)).release()

    asyncio.run(run())
    assert [(meta.seq, meta.bootstrap) for meta in metas(partitions)] == [(9, ""), (2, "")]


def test_a_worker_that_had_the_partition_is_refused_and_one_that_comes_waits() -> None:
    shop = World([order("ann", START_MS)], START_MS)
    runner, data = shop.lanes[0].runner, shop.lanes[0].store

    async def run() -> None:
        await runner.open()
        await Writer([MemoryStore(data)]).claim()
        shop.lanes[0].source.pump(runner, 10)
        with pytest.raises(FenceLost):
            await runner.step()
        claimed = data.meta
        with pytest.raises(StoreUnavailable, match="churnwatch bootstrap"):
            await runner.open()
        assert data.meta == claimed
        writer = Writer([MemoryStore(data)])
        await writer.claim()
        await writer.seal([Meta(offsets=dict.fromkeys(shop.lanes[0].log, 0), taken_ms=5)])
        await writer.release()
        assert await runner.open()
        assert runner.meta.taken_ms == 5

    asyncio.run(run())


@pytest.mark.parametrize(
    "disturb", [lambda store: store.commit(Commit(b"other")), lambda store: store.wipe()], ids=["writes", "wipes"]
)
def test_another_writer_in_between_ends_it_with_a_word(disturb: Callable[[MemoryStore], Awaitable[None]]) -> None:
    partition = MemoryPartition()

    async def run() -> None:
        writer = Writer(stores(partition))
        await writer.claim()
        other = MemoryStore(partition)
        await other.open()
        await disturb(other)
        await writer.fill(0, [("ann", STATE, 1)])

    with pytest.raises(StateError, match="another program has changed partition 0"):
        asyncio.run(run())


def test_a_partition_is_claimed_from_a_worker_that_keeps_committing() -> None:
    partition = MemoryPartition()

    class Raced(MemoryStore):
        """Between its opening and its commit a worker is quicker, twice."""

        races = 2

        async def outbox(self) -> list[bytes]:
            if self.races:
                self.races -= 1
                worker = MemoryStore(partition)
                await worker.open()
                await worker.commit(Commit(encode_meta(Meta(commits=100 + self.races))))
            return await super().outbox()

    asyncio.run(Writer([Raced(partition)]).claim())
    assert metas([partition])[0].bootstrap == "filling"


def test_the_learner_takes_the_place_of_another() -> None:
    data = MemoryLearner()
    learner = compose.learner(Settings())

    async def head() -> Head:
        return await MemoryLearnerStore(data).head()

    async def run() -> None:
        old = MemoryLearnerStore(data)
        await old.open()
        await old.commit(LearnerCommit(learner.to_bytes(), 3, 7))
        await store_learner(MemoryLearnerStore(data), learner, [], 42)
        with pytest.raises(FenceLost):
            await old.commit(LearnerCommit(b"", 4, 8))
        claimed = await head()
        assert (claimed.next_offset, claimed.learnt_until_ms) == (42, None)
        await store_learner(MemoryLearnerStore(data), learner, [], 43)
        # Workers that have seen the blank one in between must see that this is another.
        assert (await head()).commits != claimed.commits
        await old.open()
        await old.commit(LearnerCommit(learner.to_bytes(), 44, 9))
        await store_learner(MemoryLearnerStore(data), None, [], 45)

    asyncio.run(run())
    assert data.head is None


def test_the_doctor_knows_an_unfinished_one() -> None:
    whole, unfinished = encode_meta(Meta()), encode_meta(Meta(bootstrap="filling"))
    assert look_at_metas([whole, None]).found == "1 of 2 partitions have state"
    finding = look_at_metas([unfinished, whole])
    assert (finding.status, finding.found[:40]) == ("fail", "a bootstrap has not handed over 1 of 2 p")
    assert "churnwatch bootstrap" in finding.advice
    assert look_at_metas([b"\x01broken"]).status == "fail"


def test_a_gap_is_told_where_no_partition_reaches_back_behind_the_files() -> None:
    def places(*found: Place) -> dict[TopicPartition, Place]:
        return {TopicPartition("orders", number): place for number, place in enumerate(found)}

    assert gaps(places(Place(0, 0, 900), Place(0, 0)), 100, "profiles") == [], "nothing was ever deleted"
    assert gaps(places(Place(5, 9, 90), Place(7, 7)), 100, "profiles") == [], "one reaches back: so does the topic"
    assert gaps(places(Place(5, 5, 2_000), Place(7, 7)), 1_000, "profiles") == ["orders (begins 1970-01-01T00:00:02Z)"]
    assert gaps(places(Place(7, 7)), 1_000, "profiles") == ["orders (emptied)"]
    assert gaps(places(Place(7, 7)), 1_000, "orders") == []
