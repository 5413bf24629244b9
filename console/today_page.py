"""Today: who is at risk, what is at stake, what has happened of late; and how the shop, the model and the sources stand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from console.questions import BANDS, SEGMENTS, Filter, by_segment, customers_by_band, page, since
from console.replies import board_of
from console.replies import page as reply
from streams.errors import ChurnwatchError
from streams.time import DAY_MS

WEEK_DAYS: Final = 7

Answer = TypeVar("Answer")


async def show(request: Request) -> Response:
    """Show the first page: what the inbox knows. What must be asked for elsewhere comes after it (`standing`)."""
    board = board_of(request)
    inbox, now_ms = board.inbox, board.now_ms()
    top = page(inbox, Filter(), now_ms, rows=5)
    return reply(
        request,
        "today.html",
        sums=by_segment(inbox, now_ms),
        top=top,
        currency=top.rows[0].currency if top.rows else None,
        day=since(inbox, now_ms - DAY_MS),
        week=since(inbox, now_ms - WEEK_DAYS * DAY_MS),
        customers=customers_by_band(inbox),
        bands=("low", *BANDS),
        segments=SEGMENTS,
        held_out=page(inbox, Filter(held_out=True), now_ms, rows=1).total,
        freshness=board.freshness,
        now_ms=now_ms,
    )


async def standing(request: Request) -> Response:
    """Answer with the part on goals, the model in a word, and the sources. Each that cannot be read says so by itself."""
    board = board_of(request)
    (progress, no_progress), (models, no_models), (sources, no_sources) = await asyncio.gather(
        _asked(board.steering.look), _asked(board.library.models), _asked(board.sources.look)
    )
    return reply(
        request,
        "today_standing.html",
        progress=progress,
        models=models,
        sources=sources or (),
        troubles={"goals": no_progress, "model": no_models, "sources": no_sources},
        now_ms=board.now_ms(),
    )


async def _asked(question: Callable[[], Awaitable[Answer]]) -> tuple[Answer | None, str]:
    """What somebody answers, or why they do not."""
    try:
        return await question(), ""
    except ChurnwatchError as error:
        return None, str(error)
