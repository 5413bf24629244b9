"""Every page that says no, as the application gives it over a board on which everything fails: no live console can be brought to all of them."""

from __future__ import annotations

from typing import Final

from httpx2 import Response
from starlette.testclient import TestClient

from console.access import Access, Rules
from console.app import SIGN_INS_BURST, create_app
from console.board import Board
from console.inbox import Inbox
from console.modelling import Models
from console.portrait import Portrait
from streams.errors import TransportError
from tests.unit.console.shop import NOW_MS
from tests.unit.console.test_app import EDITOR, Idle, Nobody, Nothing, Reporter

STATUSES: Final = (403, 404, 429, 500, 503)


class _Away(Nobody):
    async def of(self, customer_id: str) -> Portrait | None:
        raise TransportError("cannot work with Kafka")


class _Broken(Nothing):
    async def models(self) -> Models | None:
        raise ZeroDivisionError


def answers(language: str) -> dict[int, Response]:
    """Return the pages by status; `language` is the browser's."""
    board = Board(Inbox(), Reporter(), _Away(), _Broken(), Idle(), lambda: NOW_MS)
    app = create_app(board, Access(Rules(EDITOR, ""), lambda: 0.0), lambda: 0.0)
    with TestClient(app, raise_server_exceptions=False, headers={"accept-language": language}) as client:
        client.post("/sign-in", data={"token": EDITOR})
        found = [
            client.post("/sign-out", data={"csrf": "another page's"}),
            client.get("/nowhere"),
            client.get("/customer?id=c"),
            client.get("/model"),
            *(client.post("/sign-in", data={"token": "wrong"}) for _ in range(SIGN_INS_BURST)),
        ]
    return {answer.status_code: answer for answer in (*found[4:], *found[:4])}
