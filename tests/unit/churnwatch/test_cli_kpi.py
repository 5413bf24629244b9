"""`churnwatch kpi` over a ledger made by hand: for people, for programs, and before there is anything."""

import json

import pytest

from alerts.ledger import Ledger
from churnwatch import cli, ledger_read
from churnwatch.kpi_departments import DEPARTMENTS
from churnwatch.kpi_view import Column, Judged, Table, shown
from churnwatch.settings import Settings
from tests.unit.alerts.test_kpi_sums import MAY, a_ledger, look

VOICES = {
    "kpi_suggested|care_call": 30,
    "kpi_report|contacted|care_call": 12,
    "kpi_report|snoozed|other": 3,
    "kpi_review|product|count": 4,
    "kpi_review|product|rating": 1_000,
    "kpi_ticket|delivery": 9,
}


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Ledger:
    found = a_ledger()
    found.add(MAY, VOICES | look(MAY, 70))

    async def read(_: Settings) -> Ledger:
        return found

    monkeypatch.setattr(ledger_read, "read_ledger", read)
    return found


def ran(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert cli.run(["kpi", *words]) == 0
    return capsys.readouterr().out


@pytest.mark.usefixtures("ledger")
def test_each_goal_is_told_with_its_target(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHURNWATCH_TARGET_RETENTION", "0.7")
    monkeypatch.setenv("CHURNWATCH_TARGET_TIME_TO_ACTION", "2h")
    told = ran(capsys)
    assert "Goals, 1997-05" in told
    rows = {line.split()[0]: line for line in told.splitlines() if line}
    assert rows["retention"].split()[3:6] == ["55", "%", "70"]
    assert "missed" in rows["retention"]
    assert "110 answers, 60 days each" in rows["retention"]
    assert "1 h 0 min" in rows["time_to_action"]
    assert "met" in rows["time_to_action"]
    assert "none set" in rows["precision"]
    assert "75 %" in rows["precision"]
    assert "Expected revenue, as of 1997-05-19" in told


@pytest.mark.usefixtures("ledger")
def test_goals_as_json(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHURNWATCH_TARGET_LEAD_DAYS", "20")
    told = json.loads(ran(capsys, "--json"))
    goals = {row["kpi"]: row for row in told["all"]["goals"]}
    assert goals["lead_days"]["found"] == 30.0
    assert (goals["lead_days"]["target"], goals["lead_days"]["verdict"]) == (20.0, "met")
    assert goals["acted_share"]["found"] == 0.25
    assert [row["month"] for row in told["all"]["months"]] == ["1997-05"]
    whole = told["all"]["revenue"][-1]
    assert (whole["with_365d"], whole["without_365d"]) == (29_200.0, 25_550.0)


@pytest.mark.usefixtures("ledger")
def test_by_segment_reason_and_cohort(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHURNWATCH_TARGET_RETENTION", "0.5")
    segments = {
        row["segment"]: row for row in json.loads(ran(capsys, "--by", "segment", "--json"))["segment"]["segments"]
    }
    assert (segments["loyal"]["retention"], segments["loyal"]["retention_goal"]) == (0.6, "met")
    assert (segments["new"]["retention"], segments["new"]["retention_goal"]) == (None, "not yet enough to tell")
    reasons = {row["reason"]: row for row in json.loads(ran(capsys, "--by", "reason", "--json"))["reason"]["reasons"]}
    assert reasons["price"]["precision_of"] == "all"
    cohorts = {row["cohort"]: row for row in json.loads(ran(capsys, "--by", "cohort", "--json"))["cohort"]["cohorts"]}
    assert (cohorts["1997-05"]["known"], cohorts["1997-05"]["opened"]) == (100, 88)
    people = ran(capsys, "--by", "segment")
    assert "60 % (met)" in people
    assert "too few" in people


@pytest.mark.usefixtures("ledger")
def test_each_department_gets_what_concerns_it(capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(ran(capsys, "--by", "department", "--json"))
    assert set(told) == {"months", *DEPARTMENTS} == {"months", "marketing", "product", "sales", "service", "finance"}
    assert told["marketing"]["actions"][0] == {
        "action": "care_call",
        "suggested": 30,
        "contacted": 12,
        "accepted": 0,
        "declined": 0,
    }
    assert told["product"]["reviews"] == [{"topic": "product", "reviews": 4, "rating": 2.5}]
    loyal = next(row for row in told["sales"]["stakes"] if row["segment"] == "loyal")
    assert (loyal["at_stake"], loyal["won_back"], loyal["won_value"]) == (5_000.0, 2, 99.0)
    assert told["service"]["tickets"] == [{"category": "delivery", "tickets": 9}]
    assert {row["status"]: row["reports"] for row in told["service"]["reports"]} == {"contacted": 12, "snoozed": 3}
    assert told["finance"]["revenue"][-1]["with_90d"] == 7_200.0
    people = ran(capsys, "--by", "department")
    assert "== FINANCE ==" in people
    assert "3 months with them" in people


def test_before_anything_was_booked_it_says_so(capsys: pytest.CaptureFixture[str], ledger: Ledger) -> None:
    ledger.months.clear()
    assert "Nothing has been booked yet" in ran(capsys)
    assert json.loads(ran(capsys, "--json"))["months"] == []
    for by in ("segment", "reason", "cohort", "department"):
        ran(capsys, "--by", by)


def test_where_nobody_reports_it_says_so(capsys: pytest.CaptureFixture[str], ledger: Ledger) -> None:
    assert "Nothing was reported" not in ran(capsys)
    ledger.months["1997-05"] = {key: n for key, n in ledger.months["1997-05"].items() if "acted" not in key}
    assert "Nothing was reported on churn.outcomes" in ran(capsys)


def test_a_cell_is_shown_with_its_unit() -> None:
    assert shown("text", "money") == "text"
    assert shown(Judged(None, "not yet enough to tell"), "share") == "too few"
    assert shown(1_234, None) == "1,234"
    assert shown(2.5, None) == "2.50"
    table = Table("t", "T", (Column("a", "A", "share"),), [[Judged(0.5, "missed")]])
    assert table.plain() == [{"a": 0.5, "a_goal": "missed"}]
