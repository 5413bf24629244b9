"""A life: one process of a worker, from its start to its end. It can die at any step, or stand still for a while.

All that a worker does to the world goes through ports, and every port passes `point` before it asks and after it was answered. A
dead life passes no point any more; its tasks are cancelled at the same instant, so no line of production code can do anything either.
What is on its way to a server is not the life's any more: it may still arrive.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from random import Random
from typing import Any

from simulation.faults import OF_A_LIFE, Faults
from simulation.loop import OWNER


class Life:
    """See the module's text.

    Args:
        name: for the trace.
        faults: asked at every point.
        strike: called with this life and the kind of a fault that has struck it.
        rng: how long answers take.
        skew_ms: how far its wall clock goes wrong.
    """

    def __init__(
        self, name: str, faults: Faults, strike: Callable[[Life, str], None], rng: Random, skew_ms: int = 0
    ) -> None:
        self.name = name
        self.alive = True
        self.skew_ms = skew_ms
        self.requests_lost = False
        """Whether what was under way at its death got lost."""
        self.faults = faults
        self.rng = rng
        self._strike = strike
        self._tasks: list[asyncio.Task[Any]] = []
        self._running = asyncio.Event()
        self._running.set()
        self._context = copy_context()
        self._context.run(OWNER.set, self._tasks)

    def spawn(self, coro: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Start a task that dies with this life."""
        task = asyncio.get_running_loop().create_task(coro, name=f"{self.name}-{name}", context=self._context)
        if not self.alive:
            task.cancel()
        return task

    @property
    def paused(self) -> bool:
        """Whether it stands still."""
        return not self._running.is_set()

    def pause(self) -> None:
        """Stand still (SIGSTOP)."""
        self._running.clear()

    def resume(self) -> None:
        """Go on as if nothing had been (SIGCONT)."""
        self._running.set()

    def end(self, *, requests_lost: bool) -> None:
        """Die; `requests_lost`: what is under way does not arrive."""
        self.alive = False
        self.requests_lost = requests_lost
        for task in self._tasks:
            task.cancel()

    async def running(self) -> None:
        """Return when it does not stand still; never where it is dead."""
        await self._running.wait()
        if not self.alive:
            await asyncio.get_running_loop().create_future()

    async def point(self, where: str) -> None:
        """A step of the protocol: whatever can happen to a process may happen here."""
        if self.alive and self._running.is_set():
            kind = self.faults.strikes(OF_A_LIFE, self.name, where)
            if not kind:
                return
            self._strike(self, kind)
        await self.running()

    async def latency(self, seconds: float = 0.004) -> None:
        """Let a random time pass: often none, for every wait costs as much as the work, now and then a long one."""
        lot = self.rng.random()
        if lot < 0.4:
            await asyncio.sleep(lot * 2 * seconds)
        elif lot > 0.98:
            await asyncio.sleep(seconds * 40)
