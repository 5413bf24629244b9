"""Signing in and out, and the choice of a language."""

from __future__ import annotations

from math import ceil
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from console.access import COOKIE, SESSION_SECONDS, Access
from console.limits import RateLimit
from console.replies import LANGUAGE_COOKIE, page, refused, session_of, slow_down
from console.texts import LANGUAGES

YEAR_SECONDS: Final = 365 * 86_400
TOKEN_MAX: Final = 512


async def show(request: Request) -> Response:
    """Show the door; a `token` in the address opens it at once, and is gone from the address then."""
    token = request.query_params.get("token", "")
    return _enter(request, token) if token else page(request, "sign_in.html", wrong=False)


async def enter(request: Request) -> Response:
    """Sign in with the token of the form."""
    form = await request.form(max_fields=3, max_files=0)
    return _enter(request, str(form.get("token", "")))


async def leave(request: Request) -> Response:
    """Sign out."""
    access: Access = request.app.state.access
    session = session_of(request)
    form = await request.form(max_fields=3, max_files=0)
    if session is not None:
        why = access.forged(request, session, str(form.get("csrf", "")))
        if why is not None:
            return refused(request, why)
        access.sign_out(request)
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(COOKIE)
    return answer


async def choose_language(request: Request) -> Response:
    """Remember a language in a cookie, and go back to where the switch was."""
    form = await request.form(max_fields=3, max_files=0)
    chosen = str(form.get("to", ""))
    answer = RedirectResponse(_local(str(form.get("back", "/"))), 303)
    if chosen in LANGUAGES:
        answer.set_cookie(LANGUAGE_COOKIE, chosen, max_age=YEAR_SECONDS, httponly=True, samesite="lax")
    return answer


def _enter(request: Request, token: str) -> Response:
    limit: RateLimit = request.app.state.sign_ins
    access: Access = request.app.state.access
    # All together: an attacker has many addresses, and the team signs in a few times a day.
    if seconds := limit.wait_seconds("sign-in"):
        return slow_down(request, ceil(seconds))
    session_id = access.sign_in(token[:TOKEN_MAX])
    if session_id is None:
        return page(request, "sign_in.html", status=403, wrong=True)
    answer = RedirectResponse("/", 303)
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, session_id, max_age=SESSION_SECONDS, httponly=True, samesite="strict", secure=secure)
    return answer


def _local(address: str) -> str:
    """An address of this site, whatever a form says."""
    parts = urlsplit(address)
    fits = address.startswith("/") and not address.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return address if fits else "/"
