"""The application: routes, and what goes around every one of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from console import alerts_page, customer_page, door_page, events, model_page, operations_page, today_page
from console.access import Access
from console.board import Board
from console.guard import Guard
from console.headers import Headers
from console.limits import RateLimit
from console.replies import failed, missing

STATIC: Final = Path(__file__).parent / "static"

REQUESTS_BURST: Final = 200
REQUESTS_PER_SECOND: Final = 50.0
"""Of one person: a page is some five requests, an action one."""

SIGN_INS_BURST: Final = 5
SIGN_INS_PER_SECOND: Final = 0.1


def create_app(board: Board, access: Access, clock: Callable[[], float]) -> Starlette:
    """Return the application over a board; `clock` is monotonic, in seconds."""
    app = Starlette(
        routes=[
            Route("/", today_page.show, name="today"),
            Route("/today/standing", today_page.standing, name="today_standing"),
            Route("/alerts", alerts_page.show, name="alerts"),
            Route("/alerts/rows", alerts_page.rows, name="alert_rows"),
            Route("/alerts/{episode_id}", alerts_page.row, name="alert_row"),
            Route("/alerts/{episode_id}/outcomes", alerts_page.report, methods=["POST"], name="report"),
            Route("/customer", customer_page.show, name="customer"),
            Route("/customer/series", customer_page.series, name="customer_series"),
            Route("/model", model_page.show, name="model"),
            Route("/model/series", model_page.series, name="model_series"),
            Route("/operations", operations_page.show, name="operations"),
            Route("/changes", events.changes, name="changes"),
            Route("/freshness", events.freshness, name="freshness"),
            Route("/sign-in", door_page.show, name="sign_in"),
            Route("/sign-in", door_page.enter, methods=["POST"]),
            Route("/sign-out", door_page.leave, methods=["POST"], name="sign_out"),
            Route("/language", door_page.choose_language, methods=["POST"], name="language"),
            Mount("/static", StaticFiles(directory=STATIC), name="static"),
        ],
        middleware=[
            Middleware(Headers),
            Middleware(Guard, access=access, limit=RateLimit(REQUESTS_BURST, REQUESTS_PER_SECOND, clock)),
        ],
        exception_handlers={404: missing, 405: missing, Exception: failed},
    )
    app.state.board = board
    app.state.access = access
    app.state.sign_ins = RateLimit(SIGN_INS_BURST, SIGN_INS_PER_SECOND, clock)
    return app
