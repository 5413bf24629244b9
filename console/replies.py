"""How the console answers: pages and parts of pages in the reader's language, and errors in words."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from console.access import Session
from console.board import Board
from console.headers import HEADERS
from console.retold import Retold
from console.texts import LANGUAGES, Language, language, preferred

log = logging.getLogger("churnwatch.console")

LANGUAGE_COOKIE: Final = "churnwatch_language"

_templates: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,  # pages and code are of one release: an upgrade under a running console must not mix them
)


def board_of(request: Request) -> Board:
    """Return the board that the application stands on."""
    board: Board = request.app.state.board
    return board


def session_of(request: Request) -> Session | None:
    """Return who asks; None for a stranger."""
    session: Session | None = request.state.session
    return session


def language_of(request: Request) -> Language:
    """Return the language of the switch, else of the browser."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    if chosen not in LANGUAGES:
        accepted = request.headers.get("accept-language", "")
        chosen = preferred(part.partition(";")[0].strip() for part in accepted.split(",") if part.strip())
    return language(chosen)


def page(request: Request, template: str, *, status: int = 200, **given: Any) -> HTMLResponse:
    """Return a page, or a part of one, with what every template may use."""
    spoken, url = language_of(request), request.url
    text = _templates.get_template(template).render(
        t=spoken.say,
        lang=spoken,
        told=Retold(spoken),
        session=session_of(request),
        path=url.path,
        address=f"{url.path}?{url.query}" if url.query else url.path,
        **given,
    )
    return HTMLResponse(text, status)


def refused(request: Request, why: str, status: int = 403) -> Response:
    """Return the answer to what is not allowed; `why` is a key of the table `refusal`."""
    spoken = language_of(request)
    return _error(request, spoken.say("error.forbidden", why=spoken.say(f"refusal.{why}")), status)


def bad(request: Request, why: str) -> Response:
    """Return the answer to what makes no sense."""
    return _error(request, language_of(request).say("error.bad", why=why), 400)


def away(request: Request, why: str) -> Response:
    """Return the answer where Kafka or Redis does not give what is asked for."""
    return _error(request, language_of(request).say("error.away", why=why), 503)


def slow_down(request: Request, seconds: int) -> Response:
    """Return the answer to who asks too often."""
    answer = _error(request, language_of(request).say("error.slow", seconds=seconds), 429)
    answer.headers["retry-after"] = str(seconds)
    return answer


async def missing(request: Request, _: Exception) -> Response:
    """Answer for an address that leads nowhere."""
    return _error(request, language_of(request).say("error.missing"), 404)


async def failed(request: Request, error: Exception) -> Response:
    """Answer for a fault of ours, which the log tells of."""
    log.error("A request to %s failed", request.url.path, exc_info=error)
    answer = _error(request, language_of(request).say("error.failed", why=type(error).__name__), 500)
    # It is given outside the middleware that puts these on.
    answer.headers.update(HEADERS | {"cache-control": "no-store"})
    return answer


def _error(request: Request, text: str, status: int) -> Response:
    if not hasattr(request.state, "session"):
        request.state.session = None
    template = "error_part.html" if "hx-request" in request.headers else "error.html"
    return page(request, template, status=status, text=text)
