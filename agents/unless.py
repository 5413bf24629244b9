"""Work that is given up as soon as somebody asks for the end."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

_Result = TypeVar("_Result")


async def unless(ending: asyncio.Event, work: Coroutine[Any, Any, _Result]) -> _Result | None:
    """Return what the work comes to; None, with the work cancelled and come to rest, where `ending` is set before."""
    working, waiting = asyncio.ensure_future(work), asyncio.ensure_future(ending.wait())
    try:
        await asyncio.wait([working, waiting], return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        waiting.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait([working])
