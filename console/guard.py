"""Nobody gets past without signing in, and nobody asks too often."""

from __future__ import annotations

from math import ceil
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from console.access import Access
from console.limits import RateLimit
from console.replies import refused, slow_down

OPEN: Final = ("/sign-in", "/static/", "/language")
"""What a stranger may see."""


class Guard:
    """The middleware: puts the session into `request.state.session` (None for a stranger at the open doors)."""

    def __init__(self, app: ASGIApp, access: Access, limit: RateLimit) -> None:
        self._app = app
        self._access = access
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        session = self._access.session_of(request)
        request.state.session = session
        is_open = request.url.path.startswith(OPEN)
        answer: Response | None = None
        # A stranger is known by the address; behind a proxy strangers share one, and a bucket.
        key = session.csrf if session is not None else request.client.host if request.client else ""
        if not request.url.path.startswith("/static/") and (seconds := self._limit.wait_seconds(key)):
            answer = slow_down(request, ceil(seconds))
        elif session is None and not is_open:
            answer = _to_the_door(request)
        await (answer or self._app)(scope, receive, send)


def _to_the_door(request: Request) -> Response:
    if request.method != "GET" or "hx-request" in request.headers or request.url.path == "/changes":
        return refused(request, "sign_in", 401)
    return RedirectResponse("/sign-in", 303)
