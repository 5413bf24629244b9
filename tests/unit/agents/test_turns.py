"""Turns: between two long pieces of work the event loop comes round."""

import asyncio

from agents.turns import Turns


async def test_the_loop_comes_round_between_two_who_could_work_at_once() -> None:
    turns, done = Turns(), []

    async def runner(name: str) -> None:
        await turns.take()
        done.append(name)
        asyncio.get_running_loop().call_soon(done.append, f"what {name} has made ready")

    await asyncio.gather(*map(runner, "abc"))
    await turns.take()  # and nobody has to give it back
    assert done == [word for name in "abc" for word in (name, f"what {name} has made ready")]
