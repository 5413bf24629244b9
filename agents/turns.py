"""Turns: one runner at a time does its long work, and between two of them the event loop comes round.

A step works for milliseconds without looking up. Where the answers for several runners have come at once, their steps would follow each
other within one turn of the loop, and whatever else is on its way would wait for all of them at every hop that it makes: a
fetched chunk, a commit that is done, an alert that is to be sent. So it waits for one of them at most.
"""

from __future__ import annotations

import asyncio


class Turns:
    """Shared by the runners of one event loop, first come first served."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def take(self) -> None:
        """Return when it is the caller's turn, which ends by itself with the loop's."""
        await self._lock.acquire()
        asyncio.get_running_loop().call_soon(self._lock.release)
