"""A partition's runner: one transaction a step, a fence, bounds, and nothing lost or said differently by a successor."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from agents.meta import Meta, decode_meta, touched
from agents.outbox import decode_outgoing
from features.store import Commit, MemoryPartition, MemoryStore
from models.labels import decode_batch
from streams.codec import Arrival, Rejected
from streams.errors import FenceLost
from streams.outgoing import Outgoing
from streams.time import DAY_MS, HOUR_MS
from tests.unit.agents.samples import START_MS, TOPICS, broken, event, order, silence_guide
from tests.unit.agents.world import OUTBOX_MAX, World

NOON_MS = START_MS + 12 * HOUR_MS
ORDERS = TOPICS.inputs["orders"]


def log(customers: int = 3, weeks: int = 12) -> list[Arrival | Rejected]:
    """Customers who order every week, each one week fewer than the one before; and a broken record on the way."""
    items: list[Arrival | Rejected] = [
        order(f"c{customer}", NOON_MS + week * 7 * DAY_MS + customer, event_id=f"{customer}-{week}")
        for week in range(weeks)
        for customer in range(customers)
        if week < weeks - 2 * customer
    ]
    items.insert(5, broken("c0"))
    return items


def world(**fields: Any) -> World:
    return World(log(), START_MS + 150 * DAY_MS, guide=silence_guide(), **fields)


def meta_of(shop: World, partition: int = 0) -> Meta:
    value = shop.lanes[partition].store.meta
    assert value is not None
    return decode_meta(value)


def test_everything_is_taken_in_and_counted_once() -> None:
    shop = world(partitions=2).run()
    items = log()
    assert dict(shop.counting.outcomes) == {"applied": len(items) - 1, "dead_lettered": 1}
    assert len(shop.values(TOPICS.dlq(ORDERS))) == 1
    assert sum(offset for lane in (0, 1) for offset in meta_of(shop, lane).offsets.values()) == len(items)
    assert sum(meta_of(shop, lane).customers for lane in (0, 1)) == len(shop.states) == 3


def test_the_clock_ends_where_it_is_told_and_all_wake_ups_due_by_then_have_fired() -> None:
    shop = world().run()
    assert meta_of(shop).clock_ms == shop.until_ms
    assert min(shop.timers.values()) > shop.until_ms
    assert shop.timers == {name: shop.customer(name).wake_ms for name in shop.states}


def test_open_episodes_are_counted() -> None:
    shop = World(log(), NOON_MS + 12 * 7 * DAY_MS + 40 * DAY_MS, guide=silence_guide()).run()
    open_now = [name for name in shop.states if shop.customer(name).episode.open]
    assert meta_of(shop).open_episodes == len(open_now) > 0


def test_a_step_is_bounded() -> None:
    shop = world(events=2, wakes=3).run()
    assert shop.counting.items_max == 2
    assert shop.counting.steps > len(log()) / 2
    assert shop.states == world().run().states


def test_a_full_buffer_pauses_the_topic_and_goes_on_later() -> None:
    shop = world(events=2, fetch=5)
    for lane in shop.lanes:
        lane.runner.feed._topic_bytes_max = 1_100
    shop.run()
    assert shop.lanes[0].source.pauses > 1
    assert shop.states == world().run().states


def test_the_cache_is_bounded() -> None:
    shop = world(events=1, cache=1).run()
    assert len(shop.lanes[0].runner._customers) <= 1
    assert shop.states == world().run().states


def test_no_step_is_taken_while_too_much_is_unsaid() -> None:
    shop = world()
    lane = shop.lanes[0]

    async def first_step() -> bool:
        await lane.runner.open()
        lane.outbox.add([Outgoing("topic", None, None)] * OUTBOX_MAX)
        lane.source.pump(lane.runner, 100)
        return await lane.runner.step()

    assert not asyncio.run(first_step())
    assert lane.store.states == {}


def test_a_second_run_over_the_same_state_finds_nothing_to_do() -> None:
    shop = world().run()
    asyncio.run(shop.lanes[0].runner._settle())
    steps, said = shop.counting.steps, len(shop.published)
    asyncio.run(shop._crash())
    shop.run()
    assert (shop.counting.steps, len(shop.published)) == (steps, said)


# -- the outbox and death -------------------------------------------------------------------------------------------------


def test_what_was_not_acknowledged_is_said_again_by_the_successor_in_the_same_words() -> None:
    shop = world(events=7, fetch=7)

    async def die_unheard() -> list[bytes]:
        lane = shop.lanes[0]
        await lane.runner.open()
        for _ in range(3):
            lane.source.pump(lane.runner, 7)
            await lane.runner.step()
        return list(lane.store.outbox)

    left = asyncio.run(die_unheard())
    assert left
    assert shop.published == []
    asyncio.run(shop._crash())
    shop.run()
    assert shop.published[: len(left)] == list(map(decode_outgoing, left))
    undisturbed = world().run()
    assert (shop.states, shop.said()) == (undisturbed.states, undisturbed.said())


def test_what_is_acknowledged_leaves_the_stored_outbox() -> None:
    shop = world(events=3, wakes=3).run()
    asyncio.run(shop.lanes[0].runner._settle())
    assert shop.lanes[0].store.outbox == []


# -- the fence ------------------------------------------------------------------------------------------------------------


def test_a_runner_that_lost_its_partition_changes_nothing() -> None:
    shop = world(events=3, fetch=3)

    async def zombie() -> None:
        old = shop.lanes[0]
        await old.runner.open()
        old.source.pump(old.runner, 3)
        await old.runner.step()
        await shop._crash()
        held = (old.store.meta, dict(old.store.states), list(old.store.outbox))
        old.source.pump(old.runner, 3)
        with pytest.raises(FenceLost):
            await old.runner.step()
        assert (old.store.meta, old.store.states, old.store.outbox) == held

    asyncio.run(zombie())
    shop.run()
    assert shop.states == world().run().states


def test_it_reads_everything_anew_when_another_writer_has_been_there() -> None:
    """An erasure moves the fence under a running worker."""
    shop = world(events=3, fetch=3)

    async def erase_meanwhile() -> None:
        lane = shop.lanes[0]
        running = asyncio.create_task(lane.runner.run())
        await _until(lambda: lane.store.meta is not None)
        lane.source.pump(lane.runner, 3)
        await _until(lambda: "c0" in lane.store.states)
        assert await MemoryStore(lane.store).erase("c0", lambda entry: False, touched)
        lane.source.pump(lane.runner, 3)
        lane.runner.wake()
        await _until(lambda: shop.counting.fences == 1 and len(lane.store.states) > 1)
        lane.runner.stop()
        await running

    asyncio.run(erase_meanwhile())
    assert shop.counting.fences == 1


async def _until(reached: Callable[[], bool]) -> None:
    for _ in range(10_000):
        if reached():
            return
        await asyncio.sleep(0)
    raise AssertionError("never reached")


def test_each_commit_moves_the_fence() -> None:
    shop = world(events=1)
    metas: list[bytes] = []

    class Watched(MemoryStore):
        async def commit(self, commit: Commit) -> None:
            metas.append(commit.meta)
            await super().commit(commit)

    lane = shop.lanes[0]
    lane.runner._store = lane.runner._customers._store = Watched(lane.store)
    shop.run()
    assert len(metas) == len(set(metas)) > len(log())


# -- the learner's side ---------------------------------------------------------------------------------------------------


def test_marks_rise_and_examples_come_before_them() -> None:
    shop = World(log(), START_MS + 150 * DAY_MS, partitions=2, events=4, wakes=4).run()
    for source in (0, 1):
        batches = [batch for batch in map(decode_batch, shop.values(TOPICS.examples)) if batch.source == source]
        assert [batch.seq for batch in batches] == list(range(1, len(batches) + 1))
        marks = [batch.mark_ms for batch in batches]
        assert marks == sorted(marks)
        promised = -(1 << 62)
        for batch in batches:
            assert all(example.matured_ms > promised for example in batch.examples)
            promised = batch.mark_ms
    assert shop.learner is not None
    assert shop.learner.counters.late == shop.learner.counters.gaps == 0
    assert shop.learner.counters.examples == len(shop.examples) > 0


def test_a_replay_waits_for_the_learner() -> None:
    shop = World(log(), START_MS + 150 * DAY_MS, events=1_000)

    async def alone() -> None:
        lane = shop.lanes[0]
        await lane.runner.open()
        for _ in range(20):
            lane.source.pump(lane.runner, 1_000)
            await lane.runner.step()

    asyncio.run(alone())
    assert shop.counting.outcomes["applied"] == 0
    shop.run()
    assert shop.counting.outcomes["applied"] == len(log()) - 1


def test_partitions_without_customers_hold_nobody_back() -> None:
    items = [order("ann", NOON_MS + day * DAY_MS) for day in range(0, 100, 5)]
    one = World(items, START_MS + 150 * DAY_MS).run()
    many = World(items, START_MS + 150 * DAY_MS, partitions=8).run()
    assert many.states == one.states
    assert many.guides.latest.guide == one.guides.latest.guide


def test_topics_are_merged_by_event_time_whatever_their_speed() -> None:
    items = [order("ann", NOON_MS + day * DAY_MS, event_id=f"o{day}") for day in range(30)]
    logins = [event("logins", "ann", NOON_MS + day * DAY_MS + HOUR_MS, event_id=f"l{day}") for day in range(30)]
    mixed = sorted(items + logins, key=lambda item: item.event.occurred_at)
    until_ms = START_MS + 40 * DAY_MS
    assert World(items + logins, until_ms, guide=silence_guide()).run().states == (
        World(mixed, until_ms, guide=silence_guide(), fetch=1, events=1).run().states
    )


def test_what_silence_alone_has_said_is_not_said_again_by_a_state_that_was_lost() -> None:
    shop = world(events=5, wakes=3).run()
    said, known = shop.values(TOPICS.alerts), shop.lanes[0].source.known
    shop.lanes = [shop._lane(0, shop.lanes[0].log, MemoryPartition())]
    shop.lanes[0].source.known = known
    assert said
    assert shop.run().values(TOPICS.alerts) == said
