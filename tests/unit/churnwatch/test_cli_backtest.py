"""`churnwatch backtest`: what programs read, the file of predictions, and the page for people."""

import csv
import io
import json
import random
import re
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import typer.main

from churnwatch import cli
from churnwatch.backtest_rows import COLUMNS
from churnwatch.report.markup import VOID
from models.measures import exact_quality
from streams.time import DAY_MS, parse_instant
from tests.unit.agents.samples import START_MS
from tests.unit.churnwatch.test_backtest import line, write

HOSTILE = '<script>alert("x")</script>&' + "x" * 99
"""As long as an id may be, too."""
PAGE = Path(__file__).parents[3] / "docs" / "backtest.md"
FIGURES = {"roc_auc", "weekly_auc", "pr_auc", "lift_10", "log_loss", "brier", "ece", "examples", "base_rate"}
OPTIONS = ["--horizon", "14d", "--active", "28d", "--budget", "3", "--burn-in", "28d"]


def shop() -> list[dict[str, Any]]:
    """Forty customers with a rhythm of their own, who leave at some time; one comes twice, with one bad event."""
    rng = random.Random(11)
    times: list[tuple[int, str]] = []
    for number in range(40):
        customer = HOSTILE if not number else f"c{number}"
        at, gap, leaves = rng.uniform(0, 20), rng.uniform(3, 9), rng.uniform(20, 250) if number else 130
        while at < min(leaves, 180):
            times.append((int(START_MS + at * DAY_MS), customer))
            at += rng.expovariate(1 / gap)
    lines = [
        # Who spends the most is among the page's examples.
        line("orders", customer, at_ms, number, amount=500 if customer == HOSTILE else 20)
        for number, (at_ms, customer) in enumerate(sorted(times))
    ]
    return [*lines, lines[-1], {"stream": "orders", "event_id": "bad", "occurred_at": lines[-1]["occurred_at"]}]


@dataclass(frozen=True)
class Ran:
    told: dict[str, Any]
    rows: list[dict[str, str]]
    page: str
    events: int


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("backtest")
    log = write(folder / "shop.jsonl", shop())
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(io.StringIO()):
        patch.setenv("CHURNWATCH_MIN_LABELS", "40")
        files = ["--predictions", str(folder / "p.csv"), "--report", str(folder / "r.html")]
        assert cli.run(["backtest", str(log), *OPTIONS, *files, "--json"]) == 0
    with (folder / "p.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return Ran(json.loads(out.getvalue()), rows, (folder / "r.html").read_text(), len(shop()))


def test_the_answer_has_the_published_keys(ran: Ran) -> None:
    told = ran.told
    assert set(told["quality"]) == FIGURES
    assert set(told["segments"]) == {"regulars", "new", "standard", "loyal", "high_value"}
    assert all(set(block) == FIGURES for block in told["segments"].values())
    assert {"per_day", "precision", "lead_days_median", "judged", "segments"} <= set(told["alerts"])
    assert set(told["regulars"]) == {"precision_10", "quiet", "for_good"}
    assert set(told["regulars"]["quiet"]["top_10"]) == {"by_30_days", "by_45_days"}


def test_every_option_is_documented_with_its_default() -> None:
    documented = dict(re.findall(r"^\| `(--[a-z-]+)` \| (?:`([^`]+)`)? ?\|", PAGE.read_text(), re.MULTILINE))
    command: Any = typer.main.get_command(cli.app)
    options = {one.opts[0]: one.default for one in command.commands["backtest"].params if one.opts[0].startswith("--")}
    assert set(documented) == set(options) - {"--help"}
    for option, default in documented.items():
        assert default.startswith("CHURNWATCH_") or options[option] in {default, None, False}


def test_every_documented_key_is_there(ran: Ran) -> None:
    keys = re.findall(r"^\| `([a-z_]+\.[a-z0-9_]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert len(keys) > 20
    assert [key for key in keys if key.partition(".")[2] not in ran.told[key.partition(".")[0]]] == []
    assert set(ran.told) - {"first", "last", "seconds"} == {key.partition(".")[0] for key in keys}


def test_every_event_is_accounted_for(ran: Ran) -> None:
    events = ran.told["events"]
    assert events == {"read": ran.events, "applied": ran.events - 2, "duplicate": 1, "late": 0, "dead_lettered": 1}


def test_every_snapshot_is_accounted_for(ran: Ran) -> None:
    snapshots = ran.told["snapshots"]
    parts = ("evaluated", "before", "by_rule", "censored")
    assert snapshots["scored"] == len(ran.rows) == sum(snapshots[part] for part in parts)
    assert all(snapshots[part] > 0 for part in parts if part != "by_rule")


def test_the_predictions_give_the_figures(ran: Ran) -> None:
    assert tuple(ran.rows[0]) == COLUMNS
    horizon_ms, last_ms = 14 * DAY_MS, parse_instant(ran.told["last"])
    from_ms = parse_instant(ran.told["snapshots"]["evaluated_from"])
    judged = [
        row
        for row in ran.rows
        if from_ms <= parse_instant(row["scored_at"]) <= last_ms - horizon_ms
        and row["label"]
        and row["model_version"] != "0"
    ]
    exact = exact_quality([float(row["risk"]) for row in judged], [int(row["label"]) for row in judged])
    assert ran.told["quality"]["roc_auc"] == exact.auc
    assert ran.told["quality"]["log_loss"] == exact.log_loss
    assert ran.told["quality"]["examples"] == len(judged)


def test_the_predictions_name_the_customers_and_leave_out_what_nobody_knows(ran: Ran) -> None:
    assert {row["customer_id"] for row in ran.rows} == {row["customer_id"] for row in shop() if "customer_id" in row}
    open_ended = [row for row in ran.rows if not row["label"]]
    assert all(not row["matured_at"] for row in open_ended)
    assert len(open_ended) == ran.told["snapshots"]["censored"]
    for row in ran.rows:
        if row["label"]:
            delay_ms = parse_instant(row["matured_at"]) - parse_instant(row["scored_at"])
            assert 14 * DAY_MS <= delay_ms < 21 * DAY_MS
    assert [row["scored_at"] for row in ran.rows] == sorted(row["scored_at"] for row in ran.rows)


class Balance(HTMLParser):
    """Fails where elements are not closed in the order in which they were opened; collects text and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.said: list[str] = []
        self.values: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.values += [value or "" for _, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def test_the_page_is_well_formed_and_fetches_nothing(ran: Ran) -> None:
    balance = Balance()
    balance.feed(ran.page)
    assert balance.open == []
    assert not re.search(r"https?:|url\(|@import|//[a-z]", ran.page)
    assert balance.seen.isdisjoint({"script", "link", "img", "iframe", "object"})
    drawings = [ET.fromstring(drawn) for drawn in re.findall(r"<svg.*?</svg>", ran.page, re.DOTALL)]
    assert len(drawings) >= 18
    assert all(drawn.findtext("title") and drawn.findtext("desc") for drawn in drawings)
    ids = re.findall(r' id="([^"]+)"', ran.page)
    assert len(ids) == len(set(ids))


def test_a_hostile_customer_is_only_text(ran: Ran) -> None:
    balance = Balance()
    balance.feed(ran.page)
    assert any(HOSTILE in said for said in balance.said)
    assert "<script" not in ran.page


def test_the_page_says_what_is_in_it(ran: Ran) -> None:
    balance = Balance()
    balance.feed(ran.page)
    text = " ".join(balance.said)
    for said in ("BG/NBD", "Silence rule", "Ten customers", "budget", "How this was worked out"):
        assert said in text
    assert "nan" not in re.findall(r"\w+", text.lower())
    assert not any("nan" in value for value in balance.values)


def told_of(log: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert cli.run(["backtest", str(log), *arguments, "--json"]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


@pytest.mark.parametrize("lines", [[], shop()[:30]])
def test_a_log_too_short_to_judge_is_told_as_such(
    lines: list[dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = write(tmp_path / "short.jsonl", lines)
    page = tmp_path / "r.html"
    told = told_of(log, capsys, *OPTIONS, "--report", str(page), "--predictions", str(tmp_path / "p.csv"))
    assert told["quality"]["examples"] == 0
    assert told["quality"]["roc_auc"] is None
    assert "Not yet known" in page.read_text()
    assert cli.run(["backtest", str(log), *OPTIONS]) == 0
    assert "0 evaluated" in capsys.readouterr().out


def test_what_is_evaluated_can_be_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = write(tmp_path / "shop.jsonl", shop()[:200])
    since = {
        given: told_of(log, capsys, *OPTIONS, "--evaluate-from", given)["snapshots"]["evaluated_from"]
        for given in ("start", "half", "1996-12-12")
    }
    first_ms = shop()[0]["occurred_at"]
    assert parse_instant(since["start"]) == first_ms + 28 * DAY_MS
    assert parse_instant(since["half"]) >= parse_instant(since["start"])
    assert since["1996-12-12"] == "1996-12-12T00:00:00Z"


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--horizon", "60"], "--horizon 60: a span of time"),
        (["--burn-in", "soon"], "--burn-in soon"),
        (["--evaluate-from", "later"], "RFC 3339"),
        (["--budget", "0"], "0"),
    ],
)
def test_wrong_options_are_wrong_usage(
    arguments: list[str], hint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERMINAL_WIDTH", "300")
    log = write(tmp_path / "shop.jsonl", shop()[:2])
    assert cli.run(["backtest", str(log), *arguments]) == 2
    assert hint in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--predictions", "--report", "--alerts", "--save-model"])
def test_a_file_that_cannot_be_written_is_named(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = write(tmp_path / "shop.jsonl", shop()[:30])
    assert cli.run(["backtest", str(log), *OPTIONS, option, str(tmp_path / "no" / "file")]) == 1
    assert f"{option} {tmp_path / 'no' / 'file'}: No such file or directory" in capsys.readouterr().err
