"""What is live: server-sent events of what has changed, and how fresh all of it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import msgspec
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response

from console.replies import board_of, page

PING_SECONDS: Final = 15


async def changes(request: Request) -> Response:
    """Stream `changed` events: a JSON list of episode ids, or null for more than can be named."""

    async def told() -> AsyncIterator[ServerSentEvent]:
        async for episodes in board_of(request).changes():
            yield ServerSentEvent(msgspec.json.encode(episodes).decode(), event="changed")

    return EventSourceResponse(told(), ping=PING_SECONDS)


async def freshness(request: Request) -> Response:
    """Answer with the line that says whether all has been read."""
    return page(request, "freshness.html", freshness=board_of(request).freshness)
