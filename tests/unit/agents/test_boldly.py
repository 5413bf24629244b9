"""Where a record cannot be worked on, the batch is worked on again: what comes of it is the same as if care had been taken at once."""

import asyncio
import logging
from typing import Any

import pytest

from agents.look import Desk
from agents.pipeline import Pipeline
from agents.record import Customer
from agents.runner import PartitionRunner
from features.store import MemoryStore
from streams.codec import RawRecord
from streams.errors import StoreUnavailable
from streams.time import DAY_MS
from tests.unit.agents.samples import KEEPING, POLICY, QUESTION, START_MS, TOPICS, event, herald, order, silence_guide
from tests.unit.agents.world import Lane, World

ORDERS = TOPICS.inputs["orders"]
EVERY = 7
CUSTOMERS = ("ann", "bob", "cyn")
LOG = [
    order(CUSTOMERS[number % 3], START_MS + number * 2 * DAY_MS, event_id=f"{number}")
    if number % 5
    else event("tickets", CUSTOMERS[number % 3], START_MS + number * 2 * DAY_MS, ticket_id="t", status="opened")
    for number in range(60)
]


class Fragile(Desk):
    """Stumbles over every seventh order, once everything has been changed."""

    def look(self, customer_id: str, customer: Customer, record: RawRecord | None, *args: Any, **kwargs: Any) -> None:
        Desk.look(self, customer_id, customer, record, *args, **kwargs)
        if record is not None and record.topic == ORDERS and record.offset % EVERY == 2:
            raise ZeroDivisionError


class Careful(Pipeline):
    """Takes care from the beginning."""

    def step(self, *args: Any, **kwargs: Any) -> Any:
        return super().step(*args, **kwargs | {"careful": True})


class Shop(World):
    """A runner that is bold, or not."""

    def __init__(self, kind: type[Pipeline], events: int) -> None:
        self.kind = kind
        super().__init__(LOG, START_MS + 150 * DAY_MS, guide=silence_guide(), events=events)

    def _lane(self, *args: Any) -> Lane:
        lane = super()._lane(*args)
        lane.runner._pipeline = self.kind(Fragile(POLICY, herald(QUESTION), QUESTION), QUESTION, KEEPING)
        return lane


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "churnwatch.pipeline")


@pytest.mark.parametrize("events", [1, 4, 1_000])
def test_a_bold_runner_ends_where_a_careful_one_does(events: int) -> None:
    bold, careful = Shop(Pipeline, events).run(), Shop(Careful, events).run()
    assert bold.states == careful.states
    assert bold.timers == careful.timers
    assert bold.published == careful.published
    assert bold.lanes[0].store.meta == careful.lanes[0].store.meta
    assert bold.counting.outcomes == careful.counting.outcomes
    assert bold.counting.scorings == careful.counting.scorings
    assert bold.counting.outcomes["dead_lettered"] == 7
    assert len(bold.values(TOPICS.dlq(ORDERS))) == 7


def test_without_care_the_error_comes_through() -> None:
    pipeline = Shop(Pipeline, 1).lanes[0].runner._pipeline
    with pytest.raises(ZeroDivisionError):
        pipeline.step({}, Shop(Pipeline, 1).lanes[0].log[ORDERS], [], 0, 0, Shop(Pipeline, 1).guides, 0, careful=False)


def test_where_the_store_is_away_by_then_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop(Pipeline, 1_000)
    lane = shop.lanes[0]

    async def away(*_: object) -> None:
        raise StoreUnavailable("gone")

    async def step(runner: PartitionRunner) -> None:
        await runner.open()
        lane.source.pump(runner, 1_000)
        with monkeypatch.context() as patched:
            patched.setattr(MemoryStore, "load", away)
            with pytest.raises(StoreUnavailable):
                await runner.step()

    asyncio.run(step(lane.runner))
    assert not lane.store.states
    assert not shop.published
    asyncio.run(shop._crash())
    assert shop.run().states == Shop(Careful, 1_000).run().states
