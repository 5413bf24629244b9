"""Today: who is at risk, what is at stake, what has happened in a day."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from console.questions import BANDS, SEGMENTS, Filter, by_segment, customers_by_band, page, since
from console.replies import board_of
from console.replies import page as reply
from streams.time import DAY_MS


async def show(request: Request) -> Response:
    """Show the first page."""
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
        customers=customers_by_band(inbox),
        bands=("low", *BANDS),
        segments=SEGMENTS,
        held_out=page(inbox, Filter(held_out=True), now_ms, rows=1).total,
        freshness=board.freshness,
        now_ms=now_ms,
    )
