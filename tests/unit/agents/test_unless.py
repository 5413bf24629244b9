"""Work that is given up when the end is asked for."""

import asyncio

import pytest

from agents.unless import unless


async def test_work_that_ends_gives_what_it_comes_to() -> None:
    assert await unless(asyncio.Event(), asyncio.sleep(0, result=7)) == 7


async def test_work_that_fails_raises() -> None:
    async def fail() -> None:
        raise KeyError("no")

    with pytest.raises(KeyError):
        await unless(asyncio.Event(), fail())


@pytest.mark.parametrize("cancelled", [False, True])
async def test_work_that_hangs_has_come_to_rest_when_it_is_given_up(*, cancelled: bool) -> None:
    ending, rested, begun = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def hang() -> int:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            rested.set()
        return 7

    task = asyncio.ensure_future(unless(ending, hang()))
    await begun.wait()
    if cancelled:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        ending.set()
        assert await task is None
    assert rested.is_set()
