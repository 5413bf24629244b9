import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from churnwatch.garbage import NEVER, collect_for_ever


@pytest.fixture(autouse=True)
def thresholds() -> Iterator[None]:
    """Set what `churnwatch` sets, and put back what was there."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 50)
    yield
    gc.set_threshold(*before)


class Knot:
    """Refers to itself, as a closed transport of asyncio does."""

    def __init__(self) -> None:
        self.itself = self


def test_what_refers_to_itself_alone_is_let_go_of_though_no_threshold_is_reached() -> None:
    async def run() -> bool:
        collecting = asyncio.create_task(collect_for_ever(0))
        try:
            alive = weakref.ref(Knot())
            for _ in range(100):
                if alive() is None:
                    return True
                await asyncio.sleep(0)
            return False
        finally:
            collecting.cancel()

    assert asyncio.run(run())
    assert gc.get_threshold() == (100_000, 50, NEVER)  # the caches are not walked because a quarter of them is new


def test_it_runs_until_it_is_cancelled() -> None:
    async def run() -> bool:
        collecting = asyncio.create_task(collect_for_ever(0))
        for _ in range(5):
            await asyncio.sleep(0)
        running = not collecting.done()
        collecting.cancel()
        await asyncio.wait([collecting])
        return running and collecting.cancelled()

    assert asyncio.run(run())
