"""The first page: what has happened, goals against targets, the model in a word, sources and their silence."""

from collections.abc import Iterator, Sequence

import pytest
from starlette.testclient import TestClient

from console.access import Access, Rules
from console.app import create_app
from console.board import Board
from console.inbox import Inbox
from console.steering import Goal, Progress, Source
from streams.errors import TransportError
from streams.time import DAY_MS
from tests.unit.console.shop import NOW_MS, alert
from tests.unit.console.test_app import EDITOR, Idle, Nobody, Reporter
from tests.unit.console.test_model_page import Library

PROGRESS = Progress(
    ["2026-01", "2026-02"], 4_890, 0.61, 0.5,
    [Goal("retention", "share", 0.39, 0.5, "missed"), Goal("lead_days", "days", 76.2, 60.0, "met"), Goal("value_saved", "money", None, None, "")],
)  # fmt: skip
SOURCES = [
    Source("orders", "customer.orders", NOW_MS - DAY_MS, 12, silent=False),
    Source("logins", "customer.logins", NOW_MS - 3 * DAY_MS, 0, silent=True, telling=True),
    Source("reviews", "customer.reviews", None, 0, silent=False),
]


class Goals:
    """Has what is put in."""

    found: Progress | None = PROGRESS
    error: Exception | None = None

    async def look(self) -> Progress | None:
        if self.error is not None:
            raise self.error
        return self.found


class Heard:
    """Has what is put in."""

    async def look(self) -> Sequence[Source]:
        return SOURCES


@pytest.fixture
def goals() -> Goals:
    return Goals()


@pytest.fixture
def library() -> Library:
    return Library()


@pytest.fixture
def editor(goals: Goals, library: Library) -> Iterator[TestClient]:
    inbox = Inbox()
    inbox.take_alerts([(alert("a"), None), (alert("b", kind="resolved"), None)])
    board = Board(inbox, Reporter(), Nobody(), library, Idle(), lambda: NOW_MS, goals, Heard())
    with TestClient(create_app(board, Access(Rules(EDITOR), lambda: 0.0), lambda: 0.0)) as client:
        client.post("/sign-in", data={"token": EDITOR})
        yield client


def test_a_day_and_a_week_are_told(editor: TestClient) -> None:
    text = editor.get("/").text
    assert "In the last 24 hours" in text
    assert "In the last 7 days" in text
    assert 'hx-get="/today/standing"' in text


def test_churn_and_retention_stand_against_their_targets(editor: TestClient) -> None:
    text = editor.get("/today/standing").text
    told = (
        "61%",
        "at most 50%",
        "39%",
        "missed",
        "76.2 days",
        "60 days",
        "met",
        "too few cases",
        "none set",
        "2026-02",
        "4,890",
    )
    for word in told:
        assert word in text, word


def test_the_model_is_told_in_a_word(editor: TestClient, library: Library) -> None:
    text = editor.get("/today/standing").text
    assert "<strong>good</strong>" in text
    assert "It ranks &lt;better&gt; than silence." in text
    library.found = None
    assert "<strong>learning</strong>" in editor.get("/today/standing").text


def test_a_silent_source_is_shown_as_such(editor: TestClient) -> None:
    text = editor.get("/today/standing").text
    assert "Nothing has come from logins since Feb 27, 2026, 9:00:00\u202fAM" in text
    assert text.count('class="band critical">silent<') == 1
    assert "Nobody is taken for silent meanwhile" in text
    assert "nothing so far" in text
    chinese = editor.get("/today/standing", headers={"accept-language": "zh-CN"}).text
    assert "没有收到登录的任何事件" in chinese


def test_what_cannot_be_read_says_so_by_itself(editor: TestClient, goals: Goals, library: Library) -> None:
    goals.error = TransportError("Redis <is> away")
    text = editor.get("/today/standing").text
    assert "Redis &lt;is&gt; away" in text
    assert "<strong>good</strong>" in text
    goals.error, goals.found, library.error = None, None, TransportError("no models")
    text = editor.get("/today/standing").text
    assert "Nothing has been booked yet" in text
    assert "no models" in text
