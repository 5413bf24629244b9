"""A fault of the console's own: what it tells, and what it is guarded by."""

import pytest
from starlette.testclient import TestClient

from console.access import Access, Rules
from console.app import create_app
from console.board import Board
from console.headers import HEADERS
from console.inbox import Inbox
from console.modelling import Models
from tests.unit.console.test_app import EDITOR, Idle, Nobody, Nothing, Reporter


@pytest.mark.parametrize(
    ("language", "says"),
    [("en", "Try again; if it stays so, tell those who run Churnwatch"), ("zh", "请重试；如仍出错，请告知")],
)
def test_a_fault_of_ours_says_what_to_do_and_is_as_guarded_as_any_page(language: str, says: str) -> None:
    class Broken(Nothing):
        async def models(self) -> Models | None:
            raise ZeroDivisionError

    board = Board(Inbox(), Reporter(), Nobody(), Broken(), Idle(), lambda: 0)
    app = create_app(board, Access(Rules(EDITOR, ""), lambda: 0.0), lambda: 0.0)
    with TestClient(app, raise_server_exceptions=False, headers={"accept-language": language}) as client:
        client.post("/sign-in", data={"token": EDITOR})
        answer = client.get("/model")
    assert answer.status_code == 500
    assert says in answer.text
    assert "ZeroDivisionError" in answer.text
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert answer.headers["cache-control"] == "no-store"
