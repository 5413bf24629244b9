"""The page on operations tells of workers, stages and dead letters, whatever stands in them."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from console.access import Access, Rules
from console.app import create_app
from console.board import Board
from console.inbox import Inbox
from console.working import Letter, Operations, Worker
from streams.errors import TransportError
from tests.unit.console.shop import NOW_MS
from tests.unit.console.test_app import EDITOR, Nobody, Nothing, Reporter

GOOD = Worker(
    "http://a:6066", "", "0.1.0", healthy=True, ready=True, partitions=12, customers=1000, events=5000.0, lag_events=1234.0,
    lag_seconds=2.5, outbox=3.0, memory_bytes=2.5e8, stages={"decode": 9.04, "commit": 6.0}, slow={"decode": 0.0125}, alert_seconds=(0.25, 1.5), silent=["customer.logins"],
)  # fmt: skip
AWAY = Worker("http://b:6066", trouble="Connection <refused>")
STUCK = Worker("http://c:6066", version="0.1.0", ready=True)


class Floor:
    """Has what is put in."""

    def __init__(self) -> None:
        letter = Letter("customer.orders", "malformed", "not JSON", "2026-03-02T09:00:00Z", "<script>{{7*7}}")
        self.found: Operations | Exception = Operations([GOOD, AWAY, STUCK], 812.4, {"malformed": 3}, [letter])

    async def look(self) -> Operations:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


@pytest.fixture
def floor() -> Floor:
    return Floor()


@pytest.fixture
def editor(floor: Floor) -> Iterator[TestClient]:
    board = Board(Inbox(), Reporter(), Nobody(), Nothing(), floor, lambda: NOW_MS)
    with TestClient(create_app(board, Access(Rules(EDITOR), lambda: 0.0), lambda: 0.0)) as client:
        client.post("/sign-in", data={"token": EDITOR})
        yield client


def test_the_page_tells_how_it_goes(editor: TestClient) -> None:
    text = editor.get("/operations").text
    told = (
        "812",
        "1,234",
        "the oldest waits 2.5 s",
        "250 MB",
        "9 µs",
        "nothing is heard on customer.logins",
        "does not answer",
        "stuck",
        "a step ≤ 12.5 ms",
        "from an event to its alert 0.25 s for half of them, 1.5 s for nineteen of twenty",
    )
    for word in (*told, "Connection &lt;refused&gt;", "cannot be read: 3", "&lt;script&gt;{{7*7}}"):
        assert word in text
    assert "<script>{{" not in text


def test_without_workers_and_letters_it_says_so(editor: TestClient, floor: Floor) -> None:
    floor.found = Operations([], None, {}, [])
    text = editor.get("/operations").text
    assert "CHURNWATCH_CONSOLE_WORKERS" in text
    assert "Every event could be used." in text


def test_kafka_away_is_said(editor: TestClient, floor: Floor) -> None:
    floor.found = TransportError("cannot work with Kafka at x")
    answer = editor.get("/operations")
    assert answer.status_code == 503
    assert "cannot work with Kafka" in answer.text
