"""The application: pages, parts, actions, errors; what strangers and readers get; what every answer carries."""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from console import app as application
from console.access import Access, Rules
from console.app import create_app
from console.board import Board
from console.headers import HEADERS
from console.inbox import Inbox
from console.modelling import Models
from console.portrait import Portrait
from console.questions import PAGE_ROWS
from console.working import Operations
from streams.errors import TransportError
from streams.events import Outcome
from tests.unit.console.shop import NOW_MS, alert

EDITOR, READER = "e" * 20, "r" * 20
HOSTILE = "<script>alert(1)</script>\"'&/../{{7*7}}"
VENDOR = application.STATIC / "vendor"


class Reporter:
    """Takes reports, unless it is away."""

    def __init__(self) -> None:
        self.told: list[Outcome] = []
        self.away = False

    async def report(self, outcome: Outcome) -> None:
        if self.away:
            raise TransportError("cannot work with Kafka")
        self.told.append(outcome)


class Nobody:
    """Knows no customer."""

    async def of(self, customer_id: str) -> Portrait | None:
        return None


class Nothing:
    """Has learnt nothing yet."""

    async def models(self) -> Models | None:
        return None


class Idle:
    """Has no worker."""

    async def look(self) -> Operations:
        return Operations([], None, {}, [])


@pytest.fixture
def reporter() -> Reporter:
    return Reporter()


@pytest.fixture
def board(reporter: Reporter) -> Board:
    inbox = Inbox()
    inbox.take_alerts((alert(f"c{n}", amount=float(n)), "ann") for n in range(120))
    inbox.take_alerts([(alert("held", holdout=True), None), (alert(HOSTILE, amount=999.0), HOSTILE)])
    return Board(inbox, reporter, Nobody(), Nothing(), Idle(), lambda: NOW_MS)


@pytest.fixture
def stranger(board: Board) -> Iterator[TestClient]:
    app = create_app(board, Access(Rules(EDITOR, READER), lambda: 0.0), lambda: 0.0)
    with TestClient(app, follow_redirects=False) as client:
        yield client


@pytest.fixture
def editor(stranger: TestClient) -> TestClient:
    assert stranger.post("/sign-in", data={"token": EDITOR}).headers["location"] == "/"
    return stranger


def csrf(client: TestClient) -> dict[str, str]:
    found = re.search(r'<meta name="csrf" content="([^"]+)"', client.get("/").text)
    assert found is not None
    return {"x-csrf-token": found[1]}


# -- the door ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/alerts", "/alerts/rows", "/alerts/c1", "/nowhere"])
def test_a_stranger_is_shown_the_door(stranger: TestClient, path: str) -> None:
    answer = stranger.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert stranger.get(path, headers={"hx-request": "true"}).status_code == 401


def test_a_stranger_cannot_act_or_listen(stranger: TestClient, reporter: Reporter) -> None:
    assert stranger.post("/alerts/c1/outcomes", data={"status": "contacted"}).status_code == 401
    assert stranger.get("/changes").status_code == 401
    assert reporter.told == []


def test_a_token_in_the_address_is_gone_from_it_at_once(stranger: TestClient) -> None:
    answer = stranger.get(f"/sign-in?token={EDITOR}")
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert EDITOR not in cookie


def test_guessing_is_slowed_down(stranger: TestClient) -> None:
    answers = [stranger.post("/sign-in", data={"token": "wrong"}).status_code for _ in range(7)]
    assert answers == [403] * 5 + [429] * 2
    assert stranger.post("/sign-in", data={"token": EDITOR}).status_code == 429


def test_too_many_requests_are_refused(editor: TestClient) -> None:
    answers = {editor.get("/alerts/c1").status_code for _ in range(application.REQUESTS_BURST + 5)}
    assert answers == {200, 429}


def test_signing_out_needs_a_page_of_ours(editor: TestClient) -> None:
    word = csrf(editor)["x-csrf-token"]
    assert editor.post("/sign-out", data={"csrf": "x"}).status_code == 403
    assert editor.post("/sign-out", data={"csrf": word}).headers["location"] == "/sign-in"
    assert editor.get("/").status_code == 303


# -- pages -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/alerts", "/alerts/rows", "/alerts/c1", "/sign-in", "/nowhere", "/static/console.js"]
)
def test_every_answer_carries_the_headers(editor: TestClient, path: str) -> None:
    headers = editor.get(path).headers
    assert {name: headers[name] for name in HEADERS} == HEADERS
    assert "unsafe" not in headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/", "/alerts", "/sign-in", "/nowhere"])
def test_nothing_runs_from_within_a_page(editor: TestClient, path: str) -> None:
    text = editor.get(path).text
    assert not re.search(r"<script(?![^>]* src=\"/static/)", text)
    assert not re.search(r"\son\w+=|\sstyle=|<style|https?://", text)


def test_the_alerts_come_by_what_is_at_stake_a_page_at_a_time(editor: TestClient) -> None:
    text = editor.get("/alerts").text
    assert "121 alerts" in text
    assert len(re.findall("data-episode=", text)) == PAGE_ROWS
    more = editor.get("/alerts/rows?first=100").text
    assert len(re.findall("data-episode=", more)) == 21
    assert "/alerts/rows?first=" not in more


def test_what_customers_are_called_is_text(editor: TestClient) -> None:
    text = editor.get("/alerts").text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "{{7*7}}" in text


@pytest.mark.parametrize(
    "query", ["state=x", "order=x", "band=';--", "text=%00", "segment=" + "x" * 5000, "held_out=1"]
)
def test_filters_that_nobody_knows_count_as_none(editor: TestClient, query: str) -> None:
    assert editor.get(f"/alerts?{query}").status_code == 200


@pytest.mark.parametrize("first", ["-1", "x", "1.5", "9" * 30, "²"])
def test_a_place_that_is_none_is_refused(editor: TestClient, first: str) -> None:
    assert editor.get("/alerts/rows", params={"first": first}).status_code == 400


@pytest.mark.parametrize(("accepted", "tag", "word"), [("zh-CN,zh;q=0.9", "zh-Hans", "预警"), ("en", "en", "Alerts")])
def test_the_language_is_the_browser_s_until_it_is_switched(
    editor: TestClient, accepted: str, tag: str, word: str
) -> None:
    text = editor.get("/alerts", headers={"accept-language": accepted}).text
    assert f'<html lang="{tag}">' in text
    assert f"<h1>{word}</h1>" in text
    other = "en" if tag == "zh-Hans" else "zh"
    assert editor.post("/language", data={"to": other, "back": "/alerts"}).headers["location"] == "/alerts"
    assert f"<h1>{word}</h1>" not in editor.get("/alerts", headers={"accept-language": accepted}).text


@pytest.mark.parametrize(
    "back", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_the_switch_leads_nowhere_else(editor: TestClient, back: str) -> None:
    assert editor.post("/language", data={"to": "zh", "back": back}).headers["location"] == "/"


# -- actions -----------------------------------------------------------------------------------------------------------


def test_an_action_is_an_outcome_event(editor: TestClient, reporter: Reporter) -> None:
    answer = editor.post("/alerts/c5/outcomes", data={"status": "contacted"}, headers=csrf(editor))
    assert answer.status_code == 200
    assert "not confirmed yet" in answer.text
    (told,) = reporter.told
    assert (told.customer_id, told.alert_id, told.status, told.action) == ("c5", "c5-1", "contacted", "offer")
    assert told.occurred_at == NOW_MS


def test_a_snooze_has_an_end(editor: TestClient, reporter: Reporter) -> None:
    editor.post("/alerts/c5/outcomes", data={"status": "snoozed"}, headers=csrf(editor))
    assert reporter.told[0].snooze_until == NOW_MS + 7 * 86_400_000


@pytest.mark.parametrize(
    ("episode", "status", "code"), [("c5", "resolved", 400), ("c5", "", 400), ("nobody", "contacted", 404), ("held", "contacted", 403)]
)  # fmt: skip
def test_what_makes_no_sense_is_refused(
    editor: TestClient, reporter: Reporter, episode: str, status: str, code: int
) -> None:
    answer = editor.post(f"/alerts/{episode}/outcomes", data={"status": status}, headers=csrf(editor))
    assert (answer.status_code, reporter.told) == (code, [])


def test_a_forged_action_is_refused(editor: TestClient, reporter: Reporter) -> None:
    word = csrf(editor)
    for headers in ({}, {"x-csrf-token": "x"}, word | {"sec-fetch-site": "cross-site"}):
        assert editor.post("/alerts/c5/outcomes", data={"status": "contacted"}, headers=headers).status_code == 403
    assert reporter.told == []


def test_a_reader_looks_and_does_not_act(stranger: TestClient, reporter: Reporter) -> None:
    stranger.post("/sign-in", data={"token": READER})
    assert "data-act=" not in stranger.get("/alerts").text
    answer = stranger.post("/alerts/c5/outcomes", data={"status": "contacted"}, headers=csrf(stranger))
    assert (answer.status_code, reporter.told) == (403, [])


def test_kafka_away_is_said(editor: TestClient, reporter: Reporter) -> None:
    reporter.away = True
    answer = editor.post("/alerts/c5/outcomes", data={"status": "contacted"}, headers=csrf(editor))
    assert answer.status_code == 503
    assert "cannot work with Kafka" in answer.text


# -- what is shipped ---------------------------------------------------------------------------------------------------


def test_the_shipped_files_are_their_authors() -> None:
    page = (VENDOR / "README.md").read_text()
    told = dict(re.findall(r"^\| `([^`]+)` .* `([0-9a-f]{64})` \|$", page, re.MULTILINE))
    found = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in VENDOR.iterdir() if p.suffix != ".md"}
    assert told == found


def test_htmx_is_told_to_run_nothing() -> None:
    text = (Path(application.__file__).parent / "templates/base.html").read_text()
    found = re.search(r"name=\"htmx-config\" content='([^']+)'", text)
    assert found is not None
    told = json.loads(found[1])
    assert (told["allowEval"], told["allowScriptTags"], told["selfRequestsOnly"]) == (False, False, True)


def test_what_is_refused_is_said_in_the_reader_s_language(editor: TestClient) -> None:
    headers = csrf(editor) | {"accept-language": "zh-CN"}
    answer = editor.post("/alerts/held/outcomes", data={"status": "contacted"}, headers=headers)
    assert "不允许：该客户属于对照组：任何人都不要联系。" in answer.text


def test_how_far_the_reading_is_and_that_kafka_is_away_is_said(editor: TestClient, board: Board) -> None:
    for left, said in ((None, "Beginning to read"), (12, "12 messages left"), (0, "Up to date")):
        board.freshness.left = left
        assert said in editor.get("/freshness").text
    board.freshness.away = True
    assert "Kafka does not answer" in editor.get("/").text
