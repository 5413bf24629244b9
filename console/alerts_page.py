"""Alerts: the inbox, its filters, and what the team does with a row."""

from __future__ import annotations

import uuid
from typing import Final, get_args

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from console import replies
from console.access import CSRF_HEADER, Access, Session
from console.questions import (
    BANDS,
    PAGE_ROWS,
    REASONS,
    SEGMENTS,
    STATES,
    Filter,
    Order,
    Row,
    State,
    episode,
    owners,
    page,
)  # fmt: skip
from console.replies import bad, board_of, missing, refused, session_of
from streams.errors import TransportError
from streams.events import Outcome, OutcomeStatus
from streams.time import DAY_MS, parse_instant

ORDERS: Final = get_args(Order)
TEXT_MAX: Final = 200
FIRST_MAX: Final = 1_000_000
SNOOZE_DAYS: Final = 7
ACTIONS: Final = get_args(OutcomeStatus)
ABOUT_AN_ACTION: Final = ("contacted", "accepted", "declined")
"""Reports that are about what was suggested, and name it."""


async def show(request: Request) -> Response:
    """Show the inbox with the filters of the address."""
    asked, order = _asked(request.query_params)
    board = board_of(request)
    now_ms = board.now_ms()
    return replies.page(
        request,
        "alerts.html",
        found=page(board.inbox, asked, now_ms, order=order),
        asked=asked,
        order=order,
        orders=ORDERS,
        states=STATES,
        bands=BANDS,
        segments=SEGMENTS,
        reasons=REASONS,
        owners=owners(board.inbox),
        actions=ACTIONS,
        freshness=board.freshness,
        first=0,
        page_rows=PAGE_ROWS,
        now_ms=now_ms,
    )


async def rows(request: Request) -> Response:
    """Answer with rows of the list, from the place `first` on."""
    asked, order = _asked(request.query_params)
    first = request.query_params.get("first", "0")
    if not (first.isascii() and first.isdecimal() and int(first) <= FIRST_MAX):
        return bad(request, "`first` is a whole number")
    board = board_of(request)
    now_ms = board.now_ms()
    found = page(board.inbox, asked, now_ms, order=order, first=int(first))
    return replies.page(
        request, "alert_rows.html", found=found, first=int(first), page_rows=PAGE_ROWS, actions=ACTIONS, now_ms=now_ms
    )


async def row(request: Request) -> Response:
    """Answer with one row as it stands now."""
    board = board_of(request)
    found = episode(board.inbox, request.path_params["episode_id"], board.now_ms())
    return await missing(request, KeyError()) if found is None else _one(request, found, sent="")


async def report(request: Request) -> Response:
    """Report what the team has done about an episode, and answer with its row."""
    board, session = board_of(request), session_of(request)
    why = _not_allowed(request, session)
    if why is not None:
        return refused(request, why)
    found = episode(board.inbox, request.path_params["episode_id"], board.now_ms())
    if found is None:
        return await missing(request, KeyError())
    form = await request.form(max_fields=5, max_files=0)
    status: OutcomeStatus | None = next((known for known in ACTIONS if known == form.get("status")), None)
    if status is None:
        return bad(request, f"status is one of {', '.join(ACTIONS)}")
    if found.holdout:
        return refused(request, "held_out")
    try:
        await board.reporter.report(_outcome(found, status, board.now_ms()))
    except TransportError as error:
        return replies.away(request, str(error))
    return _one(request, found, sent=status)


def _not_allowed(request: Request, session: Session | None) -> str | None:
    access: Access = request.app.state.access
    if session is None:
        return "sign_in"
    forged = access.forged(request, session, request.headers.get(CSRF_HEADER, ""))
    return forged if session.may_act or forged else "look_only"


def _outcome(found: Row, status: OutcomeStatus, now_ms: int) -> Outcome:
    at_ms = max(now_ms, parse_instant(found.alert.raised_at))
    suggested = found.alert.actions[0].code if found.alert.actions else None
    return Outcome(
        event_id=uuid.uuid4().hex,
        customer_id=found.customer_id,
        occurred_at=at_ms,
        alert_id=found.alert_id,
        status=status,
        action=suggested if status in ABOUT_AN_ACTION else None,
        snooze_until=at_ms + SNOOZE_DAYS * DAY_MS if status == "snoozed" else None,
    )


def _one(request: Request, found: Row, *, sent: str) -> Response:
    now_ms = board_of(request).now_ms()
    return replies.page(request, "alert_row_alone.html", row=found, sent=sent, actions=ACTIONS, now_ms=now_ms)


def _asked(query: QueryParams) -> tuple[Filter, Order]:
    """The filters of an address; what is none of the known words counts as not asked for."""

    def one_of(name: str, known: tuple[str, ...], otherwise: str) -> str:
        word = query.get(name, otherwise)
        return word if word in known else otherwise

    order: Order = next((known for known in ORDERS if known == query.get("order")), "amount")
    state: State = next((known for known in STATES if known == query.get("state")), "open")
    return Filter(
        state=state,
        band=one_of("band", BANDS, ""),
        segment=one_of("segment", SEGMENTS, ""),
        reason=one_of("reason", REASONS, ""),
        owner=query.get("owner", "")[:TEXT_MAX],
        text=query.get("text", "")[:TEXT_MAX],
        held_out=query.get("held_out") == "yes",
    ), order
