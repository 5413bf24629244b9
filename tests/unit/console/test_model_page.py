"""The model's page tells what the guide says of itself."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace
from starlette.testclient import TestClient

from console.access import Access, Rules
from console.app import create_app
from console.board import Board
from console.inbox import Inbox
from console.model_page import drawn, versions
from console.modelling import Models
from models.candidates import Promotion, Trial
from models.drift import Drift, Shift
from models.guide import initial_guide
from models.measures import Reliability
from models.standing import Standing
from models.store import Head, Record
from models.verdict import Verdict
from streams.errors import NewerSchema
from tests.unit.console.shop import NOW_MS
from tests.unit.console.test_app import EDITOR, Idle, Nobody, Reporter

HISTORY = [
    Record(1, NOW_MS - 86_400_000, 1000, {"auc": 0.6}, band="poor"),
    Record(2, NOW_MS, 2000, {"auc": 0.7, "recent_auc": 0.72, "recent_weekly_auc": 0.73}, "within", "good"),
]
STANDING = Standing(
    verdict=Verdict("good", "It ranks <better> than silence."),
    segments={"loyal": {"auc": 0.671}},
    reliability=[Reliability(3, 0.35, 0.33, 120)],
    trials=[Trial("mean", 0.001, 1.5, 900, 9, wins=False)],
    promotions=[Promotion(NOW_MS, "mean", "within", "test", 0.004, 2.5, 900, 9)],
    drift=Drift(inputs={"orders_30d": 0.31}, base_rate=Shift(0.4, 0.6, warns=True)),
)
GUIDE = replace(
    initial_guide(["orders_30d"], ["log"]),
    version=2,
    examples=2000,
    learnt_until_ms=NOW_MS,
    ready=True,
    quality={"auc": 0.7, "recent_auc": 0.72},
    standing=STANDING,
)


class Library:
    """Has what is put in."""

    def __init__(self) -> None:
        self.found: Models | None = Models(Head(version=2, guides=((0, 1), (1, 2)), pinned=2), GUIDE, HISTORY)
        self.error: Exception | None = None

    async def models(self) -> Models | None:
        if self.error is not None:
            raise self.error
        return self.found


@pytest.fixture
def library() -> Library:
    return Library()


@pytest.fixture
def editor(library: Library) -> Iterator[TestClient]:
    board = Board(Inbox(), Reporter(), Nobody(), library, Idle(), lambda: NOW_MS)
    with TestClient(create_app(board, Access(Rules(EDITOR), lambda: 0.0), lambda: 0.0)) as client:
        client.post("/sign-in", data={"token": EDITOR})
        yield client


def test_the_page_tells_how_far_to_trust_it(editor: TestClient) -> None:
    text = editor.get("/model").text
    told = (
        "good",
        "It ranks &lt;better&gt; than silence.",
        "2,000 examples",
        "0.720",
        "0.671",
        "30%–40%",
        "33%",
        "mean",
        "0.310",
    )
    for word in told:
        assert word in text
    assert "Of 100 customers 60 leave, 40 did before." in text
    assert "pinned" in text


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_without_a_model_it_says_so(editor: TestClient, library: Library, language: str) -> None:
    library.found = None
    answer = editor.get("/model", headers={"accept-language": language})
    assert answer.status_code == 200
    assert "<table" not in answer.text
    assert editor.get("/model/series").status_code == 404


def test_a_model_that_cannot_be_read_is_said(editor: TestClient, library: Library) -> None:
    library.error = NewerSchema("a guide has schema 9: upgrade")
    answer = editor.get("/model")
    assert answer.status_code == 503
    assert "schema 9" in answer.text


def test_figures_over_time_are_those_of_the_latest_weeks(editor: TestClient) -> None:
    assert editor.get("/model/series").json() == drawn(HISTORY)
    assert drawn(HISTORY)["auc"] == [0.6, 0.72]
    assert drawn(HISTORY)["weekly_auc"] == [None, 0.73]


def test_versions_have_their_notes(editor: TestClient) -> None:
    text = " ".join(editor.get("/model").text.split())
    for note in ("1,000 more examples", "within speaks instead of mean, log loss lower by 0.004", "now good, was poor"):
        assert note in text
    newest, oldest = versions(HISTORY, STANDING.promotions)
    assert (newest.record.version, newest.before, oldest.before) == (2, HISTORY[0], None)
    assert newest.promotion is not None
