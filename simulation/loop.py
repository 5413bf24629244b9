"""Virtual time: an event loop whose clock stands still while there is work, and leaps to the next timer when there is none.

So a sleep costs nothing, and what happens is a function of what was scheduled: no clock, no socket, no thread. Tasks belong to
the *life* (a simulated process) in whose context they were made, so that a crash can end them all at one instant.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from contextvars import Context, ContextVar
from typing import Any

OWNER: ContextVar[list[asyncio.Task[Any]] | None] = ContextVar("owner", default=None)
"""Where the tasks made in this context are written down: those of one life."""


TURNS_MAX = 300_000
"""Turns of the loop in one run; an honest one needs a twentieth of them."""


class Standstill(Exception):
    """The run does not come to its end: everybody waits for somebody, or turns in a circle."""


class _Leap:
    """In place of a selector: waits for nothing, and moves the clock by as much as it was to wait."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._turns = 0

    def select(self, timeout: float | None) -> list[Any]:
        """Let `timeout` seconds pass."""
        self._turns += 1
        if self._turns > TURNS_MAX:
            raise Standstill(f"{TURNS_MAX} turns, and no end")
        if timeout is None:
            raise Standstill("no task can go on and no timer runs")
        self._loop.seconds += timeout
        return []


class VirtualLoop(asyncio.BaseEventLoop):
    """See the module's text; `seconds` since the beginning of the run."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self._clock_resolution = 1e-9
        self._selector = _Leap(self)
        self.set_task_factory(_owned)

    def time(self) -> float:
        """Seconds since the beginning of the run."""
        return self.seconds

    def _process_events(self, event_list: list[Any]) -> None:
        """There are no sockets."""


def _owned(
    loop: asyncio.AbstractEventLoop, coro: Any, context: Context | None = None, **kwargs: Any
) -> asyncio.Task[Any]:
    task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, context=context, **kwargs)
    owner = OWNER.get() if context is None else context.get(OWNER)
    if owner is not None:
        owner.append(task)
    return task


@contextmanager
def virtual_loop() -> Iterator[VirtualLoop]:
    """A loop for one run; whatever is left of its tasks is cancelled at the end."""
    loop = VirtualLoop()
    try:
        yield loop
    finally:
        left = sorted(asyncio.all_tasks(loop), key=asyncio.Task.get_name)
        for task in left:
            task.cancel()
        if left:
            with suppress(Standstill):  # a planted bug may make a task that does not listen
                loop.run_until_complete(asyncio.wait(left))
        loop.close()


def at_once(coro: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that never waits (a store in memory) and return its result."""
    try:
        coro.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("a store in memory must not wait")
