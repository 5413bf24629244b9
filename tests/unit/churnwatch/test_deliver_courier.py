"""Where the courier begins, what it does with what was fetched before the partitions were dealt anew, and what it commits."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, GroupAuthorizationFailedError

from churnwatch import deliver_courier
from churnwatch.deliver_courier import Courier
from churnwatch.deliver_lane import WAITING_MAX
from churnwatch.delivery import Known
from streams.codec import RawRecord

TP = TopicPartition("churn.alerts", 0)


class FakeConsumer:
    """One partition of a log, as aiokafka would give it; `before_fetch` runs while a fetch is under way."""

    def __init__(self, length: int, committed: int | None) -> None:
        self.length = length
        self.place: int | None = committed
        self.commits: list[int] = []
        self.position = 0
        self.held: set[TopicPartition] = set()
        self.before_return: Callable[[], Awaitable[None]] | None = None
        self.failure: Exception | None = None
        self.refuse_commits = 0

    def subscribe(self, topics: list[str], listener: Any) -> None:
        assert topics == ["churn.alerts"]

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def assignment(self) -> set[TopicPartition]:
        return self.held

    def highwater(self, tp: TopicPartition) -> int:
        return self.length

    async def committed(self, tp: TopicPartition) -> int | None:
        return self.place

    async def end_offsets(self, tps: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(tps, self.length)

    async def beginning_offsets(self, tps: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(tps, 0)

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self.position = offset

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        if self.refuse_commits:
            self.refuse_commits -= 1
            raise CommitFailedError
        self.place = offsets[TP]
        self.commits.append(offsets[TP])

    async def getmany(self, *tps: TopicPartition, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Any]]:
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        if not tps:
            return {}
        offsets = range(self.position, min(self.length, self.position + max_records))
        self.position = offsets.stop
        found = [
            SimpleNamespace(
                topic=TP.topic, partition=0, offset=o, timestamp=o, key=b"c", value=b"v", headers=[("h", None)]
            )
            for o in offsets
        ]
        if self.before_return is not None:
            hook, self.before_return = self.before_return, None
            await hook()
        return {TP: found} if found else {}


class Rig:
    def __init__(self, length: int, committed: int | None, start: Any = "end") -> None:
        self.consumer = FakeConsumer(length, committed)
        self.settled: list[int] = []
        self.known = Known()
        self.gate = asyncio.Event()
        self.gate.set()
        self.courier = Courier(self.consumer, self._settle, start, 1.0)

    async def _settle(self, record: RawRecord, known: Known, leaving: asyncio.Event) -> bool:
        assert record.headers == (("h", b""),)
        await self.gate.wait()
        self.settled.append(record.offset)
        self.known = known
        return True

    async def assign(self) -> None:
        self.consumer.held = {TP}
        await self.courier.on_partitions_assigned([TP])

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():  # noqa: ASYNC110 - many small things, none of which tells
                await asyncio.sleep(0.001)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with self.courier.subscribed("churn.alerts", 1.0):
            await self.courier.on_partitions_revoked([])
            task = asyncio.create_task(self.courier.run())
            try:
                yield
            finally:
                task.cancel()
                await asyncio.wait([task])


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliver_courier, "IDLE_SECONDS", 0.0)
    monkeypatch.setattr(deliver_courier, "RETRY_SECONDS", 0.0)


async def test_it_goes_on_where_it_was_left_and_commits_what_is_settled() -> None:
    rig = Rig(length=50, committed=7)
    async with rig.running():
        await rig.assign()
        await rig.until(lambda: rig.consumer.place == 50)
    assert rig.settled == list(range(7, 50))
    assert rig.consumer.commits == sorted(rig.consumer.commits)
    assert rig.courier.waiting() == 0


@pytest.mark.parametrize(("start", "first"), [("end", 50), ("beginning", 0)])
async def test_a_new_group_commits_where_it_begins_before_anything_comes(start: Any, first: int) -> None:
    """Or one that dies before its first alert would begin somewhere else next time, and miss what came meanwhile."""
    rig = Rig(length=50, committed=None, start=start)
    rig.gate.clear()
    async with rig.running():
        await rig.assign()
        await rig.until(lambda: rig.consumer.commits == [first])
        rig.gate.set()


async def test_a_full_lane_is_not_read_for() -> None:
    rig = Rig(length=500, committed=0)
    rig.gate.clear()
    async with rig.running():
        await rig.assign()
        await rig.until(lambda: rig.courier.waiting() == 500 and rig.consumer.position > 0)
        for _ in range(200):
            await asyncio.sleep(0)
        assert rig.consumer.position <= WAITING_MAX
        rig.gate.set()
        await rig.until(lambda: len(rig.settled) == 500)


async def test_what_was_fetched_before_partitions_were_dealt_anew_is_fetched_again() -> None:
    rig = Rig(length=30, committed=0)

    async def deal_anew() -> None:
        await rig.courier.on_partitions_revoked([TP])
        rig.consumer.place = 4  # another had them for a while
        await rig.assign()

    rig.consumer.before_return = deal_anew
    async with rig.running():
        await rig.assign()
        await rig.until(lambda: rig.consumer.place == 30)
    assert rig.settled == list(range(4, 30)), "neither repeated, nor left out, nor out of order"


async def test_what_is_under_way_is_finished_and_committed_before_partitions_go() -> None:
    rig = Rig(length=30, committed=0)
    rig.gate.clear()
    async with rig.running():
        await rig.assign()
        await rig.until(lambda: rig.consumer.position > 0)
        going = asyncio.create_task(rig.courier.on_partitions_revoked([TP]))
        await asyncio.sleep(0)
        rig.gate.set()
        await going
        assert (rig.settled, rig.consumer.place) == ([0], 1)
        assert not rig.courier.lanes


async def test_what_was_delivered_is_known_when_the_partition_is_back() -> None:
    rig = Rig(length=3, committed=0)
    async with rig.running():
        await rig.assign()
        await rig.until(lambda: len(rig.settled) == 3)
        before = rig.known
        await rig.courier.on_partitions_revoked([TP])
        rig.consumer.length = 4
        await rig.assign()
        await rig.until(lambda: len(rig.settled) == 4)
        assert rig.known is before


async def test_a_commit_that_fails_is_made_up_for() -> None:
    rig = Rig(length=3, committed=0)
    rig.consumer.refuse_commits = 2
    async with rig.running():
        await rig.assign()
        await rig.until(lambda: rig.consumer.place == 3)


async def test_a_right_that_is_missing_ends_it() -> None:
    rig = Rig(length=3, committed=0)
    rig.consumer.failure = GroupAuthorizationFailedError("churnwatch-deliver")
    await rig.courier.on_partitions_revoked([])
    with pytest.raises(GroupAuthorizationFailedError):
        await asyncio.wait_for(rig.courier.run(), 5)


async def test_a_lane_that_dies_ends_it() -> None:
    rig = Rig(length=3, committed=0)

    async def fail(record: RawRecord, known: Known, leaving: asyncio.Event) -> bool:
        raise ZeroDivisionError

    rig.courier = Courier(rig.consumer, fail, "end", 1.0)
    await rig.assign()
    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(rig.courier.run(), 5)
