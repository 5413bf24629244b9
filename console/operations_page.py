"""Operations: are the workers there, do they keep up, where does the time go, what could not be used."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from console.replies import away, board_of, page
from console.working import Operations
from streams.errors import ChurnwatchError


async def show(request: Request) -> Response:
    """Show the page."""
    try:
        found: Operations = await board_of(request).floor.look()
    except ChurnwatchError as error:
        return away(request, str(error))
    stages = sorted({stage for worker in found.workers for stage in worker.stages})
    return page(request, "operations.html", found=found, stages=stages, freshness=board_of(request).freshness)
