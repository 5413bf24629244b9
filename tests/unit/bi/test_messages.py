"""What a message comes to, and what is passed over."""

import hashlib
import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from alerts.ledger import Ledger
from bi.catalog import TABLES as ALL
from bi.cells import decimal, instant, name, text
from bi.ddl import tables_sql
from bi.learner import kpi_rows, quality_rows, revenue_rows
from bi.messages import Kind, Said, rows_of
from bi.rows import Cells
from bi.schema_files import TABLES, VERSION, _read, views_sql
from bi.tables import Table
from models.store import Record
from streams.codec import Limits, RawRecord
from streams.errors import Corrupt

NOW_MS = 1_800_000_000_000
ALERT: dict[str, Any] = {
    "schema_version": 1, "alert_id": "a1", "episode_id": "e1", "customer_id": "c1", "kind": "opened",
    "raised_at": "2024-03-01T10:00:00Z", "risk": 0.83, "threshold": 0.6, "band": "high", "segment": "loyal",
    "value_at_risk": {"amount": 412.5, "currency": "EUR", "horizon_days": 365},
    "reasons": [{"code": "price", "weight": 0.46, "evidence": "why\x00", "features": {}}, {"code": "service", "weight": 0.2, "evidence": "x", "features": {}}],
    "actions": [{"code": "call", "title": "Call", "why": "…"}], "holdout": False,
    "model": {"version": "7", "examples": 10}, "trigger": {"kind": "silence"},
}  # fmt: skip


def said(kind: Kind, value: dict[str, Any] | bytes, key: bytes | None = b"c1") -> dict[str, list[Cells]]:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    record = RawRecord("t", 0, 12, 99, key, body, (("churnwatch.owner", b"anna"),))
    found = rows_of(kind, record, Limits(), NOW_MS)
    assert isinstance(found, Said)
    rows: dict[str, list[Cells]] = {}
    for row in found.rows:
        rows.setdefault(row.table, []).append(row.cells)
    return rows


def test_an_alert() -> None:
    rows = said("alerts", ALERT)
    [alert], [episode], [daily] = rows["fact_alert"], rows["fact_episode"], rows["fact_daily_score"]
    assert (alert["reason"], alert["value_at_risk"], alert["owner"]) == ("price", Decimal("412.5000"), "anna")
    assert alert["evidence"] == "why�"
    assert [reason["reason"] for reason in rows["fact_alert_reason"]] == ["price", "service"]
    assert (episode["state"], episode["opened_on"], episode["holdout"]) == ("open", date(2024, 3, 1), False)
    assert (daily["band"], daily["from_score"]) == ("high", 0)


def test_an_alert_that_ends_an_episode_says_nothing_of_the_band_today() -> None:
    rows = said("alerts", ALERT | {"kind": "resolved"})
    assert "fact_daily_score" not in rows
    [episode] = rows["fact_episode"]
    assert (episode["state"], episode.get("opened_on")) == ("resolved", None)
    assert episode["resolved_at"] == datetime(2024, 3, 1, 10, tzinfo=UTC)


def test_an_order_returned_is_none_that_was_placed() -> None:
    order = {"event_id": "o", "customer_id": "c1", "occurred_at": 0, "order_id": "5", "amount": 9.999}
    assert said("orders", order)["dim_customer"][0]["last_order_at"] == instant(0)
    rows = said("orders", order | {"status": "returned"})
    assert "last_order_at" not in rows["dim_customer"][0]
    assert rows["fact_order"][0]["amount"] == Decimal("9.9990")


def test_a_segment_that_a_profile_names_is_one() -> None:
    profile = {"event_id": "p", "customer_id": "c1", "occurred_at": 0, "segment": "vip"}
    assert said("profiles", profile)["dim_segment"] == [{"segment": "vip", "title": "vip", "computed": False}]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("alerts", b""),
        ("alerts", ALERT | {"alert_id": "x" * 300}),
        ("alerts", ALERT | {"raised_at": "yesterday"}),
        ("alerts", ALERT | {"schema_version": 1, "risk": 1e300}),
        ("alerts", ALERT | {"customer_id": "c2"}),
        ("alerts", ALERT | {"reasons": ALERT["reasons"] * 20}),
        ("scores", b"{}"),
        ("orders", b"[]"),
        ("orders", {"event_id": "o", "customer_id": "c2", "occurred_at": 0, "order_id": "5", "amount": 9}),
        ("outcomes", {"event_id": "o", "customer_id": "c1", "occurred_at": 0, "alert_id": "a"}),
    ],
)
def test_what_is_no_message_is_corrupt(kind: Kind, value: dict[str, Any] | bytes) -> None:
    with pytest.raises(Corrupt):
        said(kind, value)


def test_cells_hold_what_postgresql_holds() -> None:
    assert text("half \ud83d") == "half ?"
    assert decimal(1e12) == Decimal("1000000000000.0000")
    for bad in (lambda: decimal(float("nan")), lambda: instant(-(10**15)), lambda: name("")):
        with pytest.raises(Corrupt):
            bad()


def test_the_file_of_the_tables_is_what_the_declarations_say() -> None:
    """Else: python -m bi.ddl > bi/schema/1_tables.sql."""
    assert _read(TABLES) == tables_sql()


def test_the_version_goes_up_with_tables_and_views() -> None:
    """A database is told by it to be of another program. Comments may change without: they are left out here."""
    said = re.sub(r"^(?:--.*|COMMENT ON .*)\n", "", tables_sql() + views_sql(), flags=re.MULTILINE)
    digest = hashlib.sha256(said.encode()).hexdigest()[:16]
    assert {VERSION: digest} == {1: "9897810f9bc04399"}, (
        "VERSION of bi/schema_files.py goes up, and its digest here with it"
    )


@pytest.mark.parametrize("table", ALL, ids=lambda table: table.name)
def test_declarations_hold_together(table: Table) -> None:
    assert table.key
    assert len(set(table.names)) == len(table.names)
    for column in table.columns:
        assert column.meaning
        assert set(column.by) <= set(table.names)
        assert (column.merge == "last") == bool(column.by)


def ledger(months: dict[str, dict[str, int]]) -> Ledger:
    made = Ledger()
    made.load(months)
    return made


def test_the_ledger_by_month_and_group() -> None:
    months = {
        "2024-02": {
            "kpi_label|loyal|2023-01|stayed": 40,
            "kpi_label|loyal|2023-01|left": 10,
            "kpi_stake|loyal|price": 12_345,
        },
        "2024-03": {"kpi_label|new|2024-02|left": 3},
    }
    rows = [row.cells for row in kpi_rows(ledger(months))]
    [loyal] = [row for row in rows if (row["month"], row["group_name"]) == (date(2024, 2, 1), "loyal")]
    assert (loyal["stayed"], loyal["left_count"], loyal["retention"]) == (40, 10, Decimal("0.8000"))
    assert loyal["value_at_stake"] == Decimal("123.4500")
    [new] = [row for row in rows if (row["month"], row["group_name"]) == (date(2024, 3, 1), "new")]
    assert (new["left_count"], new["retention"]) == (3, None)
    assert {row["told_by"] for row in rows} == {"all", "segment", "reason", "cohort"}


def test_expected_revenue_of_the_latest_look() -> None:
    key = "kpi_expected|19800|loyal"
    booked = {
        f"{key}|safe|customers": 8,
        f"{key}|safe|year": 365_00,
        f"{key}|open|customers": 2,
        f"{key}|open|year": 73_00,
    }
    rows = {row.cells["segment"]: row.cells for row in revenue_rows(ledger({"2024-03": booked}))}
    assert (rows["loyal"]["customers"], rows["loyal"]["customers_at_risk"]) == (10, 2)
    assert (rows["loyal"]["revenue_365_days"], rows["loyal"]["revenue_365_days_without"]) == (438, 365)


def test_the_history_of_models() -> None:
    [row] = quality_rows([Record(3, 86_400_000, 500, {"auc": 0.7}, "mean", "good")])
    assert (row.cells["version"], row.cells["learnt_until_day"], row.cells["auc"]) == (3, date(1970, 1, 2), 0.7)
    assert row.cells["ece"] is None
