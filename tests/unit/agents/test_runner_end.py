"""What a runner stores at its end is what its last commit held, whatever failed before."""

import asyncio

from agents.meta import decode_meta
from features.store import Commit, MemoryStore
from streams.errors import StoreUnavailable
from streams.time import DAY_MS
from tests.unit.agents.samples import START_MS, event, silence_guide
from tests.unit.agents.world import World


class Refusing(MemoryStore):
    """A store that takes the claim, refuses the first step, and then lets nobody open it again."""

    commits = 0
    opens = 0

    async def open(self) -> bytes | None:
        self.opens += 1
        if self.opens > 1:
            await asyncio.Event().wait()
        return await super().open()

    async def commit(self, commit: Commit) -> None:
        self.commits += 1
        if self.commits == 2:
            raise StoreUnavailable("not now")
        await super().commit(commit)


async def test_a_step_that_failed_is_not_stored_by_an_end_while_the_partition_is_opened() -> None:
    world = World([event("orders", "ann", START_MS, event_id="e0")], START_MS + DAY_MS, guide=silence_guide())
    lane = world.lanes[0]
    store = Refusing(lane.store)
    lane.runner._store = lane.runner._customers._store = store
    lane.outbox.settled = 1  # so that an end has something to store
    running = asyncio.ensure_future(lane.runner.run())
    while store.opens < 2:
        lane.source.pump(lane.runner, 10)
        await asyncio.sleep(0.01)
    lane.outbox.settled = 1
    lane.runner.stop()
    await asyncio.wait_for(running, 10)
    assert lane.store.meta is not None
    assert decode_meta(lane.store.meta).offsets.get("customer.orders", 0) == 0
    assert lane.store.states == {}
