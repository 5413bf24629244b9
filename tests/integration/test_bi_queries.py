"""What analysts touch: each ready query as the reader's role on a real PostgreSQL, its rights, and the same tables as Parquet."""

import re
import tomllib
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from alerts.kpi_sums import figures
from bi.catalog import TABLES
from churnwatch import cli
from streams.time import parse_instant
from tests.integration.bi_loaded import CHINESE, DIGITS_MAX, QUERIES, REFUSED, ROOT, Loaded, ask, environment, loaded
from tests.integration.bi_shop import HOSTILE
from tests.integration.bi_told import bought, day_of, episodes, money, plain
from tests.postgres import postgres

__all__ = ["environment", "loaded", "postgres"]

pytest.importorskip("pyarrow", reason="pyarrow, of the extra bi, is not installed")

pytestmark = pytest.mark.timeout(300)  # Kafka, PostgreSQL, a replay and a load come before the first test


# -- the load ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_parquet_holds_what_postgresql_holds(loaded: Loaded, table: Any) -> None:
    from pyarrow import parquet

    columns = sql.SQL(", ").join(map(sql.Identifier, table.names))
    query = sql.SQL("SELECT {} FROM churnwatch.{}").format(columns, sql.Identifier(table.name))
    rows = loaded.owner.execute(query).fetchall()
    files = parquet.read_table(loaded.parquet / f"{table.name}.parquet").to_pylist()
    places = [table.names.index(name) for name in table.key]

    def by_key(row: list[Any]) -> list[Any]:
        return [row[place] for place in places]

    there = sorted(([plain(cell) for cell in row] for row in rows), key=by_key)
    assert there == [[plain(row[name]) for name in table.names] for row in files]
    if table.name != "fact_cancellation":
        assert len(there) > 1


def test_an_export_again_gives_the_same_bytes(loaded: Loaded) -> None:
    before = {path.name: path.read_bytes() for path in loaded.parquet.iterdir()}
    assert cli.run(["export", str(loaded.parquet)]) == 0
    assert {path.name: path.read_bytes() for path in loaded.parquet.iterdir()} == before


def test_an_export_of_a_period_holds_its_days(
    loaded: Loaded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from pyarrow import parquet

    capsys.readouterr()
    assert cli.run(["export", str(tmp_path), "--since", "2025-03-01", "--until", "2025-04-01", "--json"]) == 0
    told = capsys.readouterr().out
    days = parquet.read_table(tmp_path / "fact_order.parquet")["ordered_on"].to_pylist()
    wanted = [day_of(line["occurred_at"]) for line in loaded.shop.of("orders")]
    assert Counter(days) == Counter(day for day in wanted if date(2025, 3, 1) <= day < date(2025, 4, 1))
    assert f'"fact_order": {len(days)}' in told
    assert '"passed_over": 0' in told


# -- the ready queries -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_a_query_runs_as_bi_tools_run_it(loaded: Loaded, path: Path) -> None:
    """Inside one of their own, so without a semicolon; read-only; with columns of types that all of them understand."""
    query = path.read_text()
    assert query.startswith("-- ")
    assert ";" not in re.sub(r"^--.*$", "", query, flags=re.MULTILINE)
    with loaded.reader.cursor() as cursor:
        cursor.execute(f"SELECT * FROM ({query}) AS tile LIMIT 1".encode())
        columns = cursor.description or []
        assert cursor.fetchall() != []
    kinds = {column.type_display.partition("(")[0] for column in columns}
    assert kinds <= {"text", "int4", "int8", "numeric", "float8", "date", "timestamptz"}
    exact = {column.name: column.precision for column in columns if column.type_display.startswith("numeric")}
    assert {name: digits for name, digits in exact.items() if not 0 < (digits or 0) <= DIGITS_MAX} == {}


def test_value_at_risk_is_that_of_the_open_episodes(loaded: Loaded) -> None:
    still_open = [episode for episode in episodes(loaded.shop) if episode.is_open]
    rows = loaded.ask("value_at_risk")
    assert sum(row["customers"] for row in rows) == len(still_open) > 5
    assert sum(row["value_at_risk"] for row in rows) == money(one.value for one in still_open)
    told: Counter[tuple[str, str]] = Counter()
    for row in rows:
        told[row["segment"], row["reason"]] += row["customers"]
    assert told == Counter((episode.first.segment, episode.reason) for episode in still_open)


def test_whom_to_call_is_worth_most_and_not_taken(loaded: Loaded) -> None:
    waiting = [one for one in episodes(loaded.shop) if one.is_open and not one.first.holdout and not one.reports]
    rows = loaded.ask("customers_to_call")
    assert {row["customer_id"] for row in rows} == {episode.first.customer_id for episode in waiting}
    values = [row["value_at_risk"] for row in rows]
    assert values == sorted(values, reverse=True)
    assert len(values) > 1


def test_churn_by_reason_and_segment_is_as_counted_by_hand(loaded: Loaded) -> None:
    rows = loaded.ask("churn_by_reason_and_segment")
    of = Counter((one.reason, one.first.segment) for one in episodes(loaded.shop) if one.first.raised_at >= "2025-02")
    left = Counter((one.reason, one.first.segment) for one in episodes(loaded.shop) if one.churned)
    assert {(row["reason"], row["segment"]): row["warned"] for row in rows} == of
    assert {(row["reason"], row["segment"]): row["churned"] for row in rows if row["churned"]} == left
    assert all(row["churned_share"] is None or 0 <= row["churned_share"] <= 1 for row in rows)
    lost = money(one.value for one in episodes(loaded.shop) if one.churned)
    assert sum(row["value_lost"] for row in rows) == lost
    assert any(row["value_lost"] > 0 for row in rows)


def test_the_funnel_narrows(loaded: Loaded) -> None:
    treated = [one for one in episodes(loaded.shop) if not one.first.holdout]
    rows = loaded.ask("funnel")
    assert [row["stage"] for row in rows] == ["alerted", "reported on", "contacted", "accepted", "saved"]
    counts = [row["episodes"] for row in rows]
    assert counts == [
        len(treated),
        sum(bool(one.reports) for one in treated),
        sum(one.contacted for one in treated),
        sum("accepted" in one.said for one in treated),
        sum("accepted" in one.said and one.saved for one in treated),
    ]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] > 0
    assert rows[0]["share_of_alerted"] == 1
    assert float(rows[2]["share_of_stage_before"]) == pytest.approx(counts[2] / counts[1], abs=1e-4)


def test_the_funnel_by_segment_adds_up_to_it(loaded: Loaded) -> None:
    rows, whole = loaded.ask("funnel_by_segment"), loaded.ask("funnel")
    names = {"alerted": "alerted", "contacted": "contacted", "accepted": "accepted", "accepted_and_saved": "saved"}
    for column, stage in names.items():
        assert sum(row[column] for row in rows) == next(row["episodes"] for row in whole if row["stage"] == stage)
    assert sum(row["cost"] for row in rows) == 6 * sum(one["status"] == "contacted" for one in loaded.shop.outcomes)


def test_those_held_out_are_told_beside_the_others(loaded: Loaded) -> None:
    rows = {row["arm"]: row for row in loaded.ask("treated_and_held_out")}
    assert set(rows) == {"held out", "to be treated"}
    closed = Counter(one.first.holdout for one in episodes(loaded.shop) if not one.is_open)
    saved = Counter(one.first.holdout for one in episodes(loaded.shop) if one.saved)
    assert [rows["held out"][name] for name in ("closed_episodes", "saved")] == [closed[True], saved[True]]
    assert [rows["to be treated"][name] for name in ("closed_episodes", "saved")] == [closed[False], saved[False]]


def test_cohorts_are_those_counted_by_hand(loaded: Loaded) -> None:
    months = bought(loaded.shop)
    rows = loaded.ask("cohort_retention")
    assert all(0 <= row["retention"] <= 1 for row in rows)
    last = max(month for found in months.values() for month in found)
    for row in rows:
        cohort = [found for found in months.values() if min(found) == row["cohort_month"].isoformat()[:7]]
        year, number = divmod(row["cohort_month"].year * 12 + row["cohort_month"].month - 1 + row["months_since"], 12)
        month = f"{year}-{number + 1:02}"
        assert month < last
        assert (row["customers"], row["active"]) == (len(cohort), sum(month in found for found in cohort))
        assert row["months_since"] or row["retention"] == 1
    assert sum(row["customers"] for row in rows if row["months_since"] == 0) == len(months)
    curve = loaded.ask("cohort_curve")
    assert [row["months_since"] for row in curve] == list(range(len(curve)))
    for point in curve:
        assert point["active"] == sum(row["active"] for row in rows if row["months_since"] == point["months_since"])


def test_departments_tell_what_concerns_them(loaded: Loaded) -> None:
    made = loaded.shop
    marketing = loaded.ask("department_marketing")
    theirs = [one for one in episodes(made) if one.reason in ("engagement", "price")]
    assert sum(row["warned"] for row in marketing) == len(theirs)
    assert sum(row["accepted"] for row in marketing) == sum("accepted" in one.said for one in theirs)
    product = loaded.ask("department_product")
    opened = [ticket for ticket in made.of("tickets") if ticket["status"] == "opened"]
    assert sum(row["messages"] for row in product if row["heard_in"] == "ticket") == len(opened)
    about_product = [review["rating"] for review in made.of("reviews") if "product" in review["topics"]]
    told = [row for row in product if (row["heard_in"], row["topic"]) == ("review", "product")]
    assert sum(row["messages"] * row["mean_rating"] for row in told) == pytest.approx(sum(about_product))
    sales = loaded.ask("department_sales")
    assert {row["owner"] for row in sales} == {"ann", "bo", "nobody"}
    assert sum(row["value_at_risk_now"] for row in sales) == money(one.value for one in episodes(made) if one.is_open)
    finance = loaded.ask("department_finance")
    placed = [order for order in made.of("orders") if order.get("status", "placed") == "placed"]
    assert sum(row["revenue"] for row in finance) == sum(order["amount"] for order in placed)
    assert sum(row["taken_back"] for row in finance) == sum(o["amount"] for o in made.of("orders")) - sum(
        o["amount"] for o in placed
    )
    assert sum(row["value_saved"] for row in finance) == money(one.value for one in episodes(made) if one.saved)
    service = loaded.ask("department_service")
    assert sum(row["tickets_resolved"] for row in service) == len(made.of("tickets")) - len(opened)
    assert sum(row["alerts_acted_upon"] for row in service) == sum(bool(one.reports) for one in episodes(made))
    assert all(row["acted_share"] is None or 0 <= row["acted_share"] <= 1 for row in service)


def test_workload_and_time_to_action(loaded: Loaded) -> None:
    found = episodes(loaded.shop)
    workload = loaded.ask("alert_workload")
    assert sum(row["opened"] for row in workload) == len(found)
    assert sum(row["acted_upon"] for row in workload) == sum(bool(one.reports) for one in found)
    assert all(row["week"].weekday() == 0 for row in workload)
    assert all(row["opened"] >= row["to_be_treated"] >= row["acted_upon"] + row["waiting"] for row in workload)
    soon = loaded.ask("time_to_action")
    first_hours = [
        (min(report["occurred_at"] for report in one.reports) - parse_instant(one.first.raised_at)) / 3_600_000
        for one in found
        if one.reports
    ]
    assert sum(row["acted_upon"] for row in soon) == len(first_hours)
    assert {float(row["median_hours"]) for row in soon} == set(first_hours) == {1.0}


def test_goals_and_the_model_are_what_the_learner_keeps(loaded: Loaded) -> None:
    ledger = loaded.shop.ledger
    goals = {row["month"].isoformat()[:7]: row for row in loaded.ask("goals")}
    assert set(goals) == set(ledger.months)
    for month, row in goals.items():
        figure = figures(ledger, "all", [month])["all"]
        assert (row["retention"] is None) == (figure.retention is None)
        assert figure.retention is None or float(row["retention"]) == pytest.approx(figure.retention, abs=1e-4)
        assert row["value_at_stake"] == Decimal(figure.stake) / 100
    answers = sum(row["answers_known"] for row in loaded.ask("churn_by_month"))
    assert answers == sum(figures(ledger, "all", [month])["all"].stayed + figures(ledger, "all", [month])["all"].left
                          for month in ledger.months)  # fmt: skip
    quality = loaded.ask("model_quality")
    assert [row["version"] for row in quality] == [guide.version for guide in loaded.shop.guides]
    assert quality[-1]["auc"] == loaded.shop.guides[-1].quality["auc"]
    revenue = loaded.ask("expected_revenue")
    assert all(row["revenue_90_days"] >= row["revenue_90_days_without"] >= 0 for row in revenue)
    assert len({row["as_of"] for row in revenue}) == 1


def test_customers_are_told_by_how_they_stand(loaded: Loaded) -> None:
    rows = loaded.ask("customers_by_band")
    assert sum(row["customers"] for row in rows) == len({line["customer_id"] for line in loaded.shop.lines})
    (nasty,) = ask(loaded.reader, "SELECT * FROM customers_now WHERE customer_id LIKE 'c''1%DROP%'")
    assert nasty["customer_id"] == HOSTILE
    stated = loaded.ask("churn_reasons_stated")
    assert sum(row["cancellations"] for row in stated) == len(loaded.shop.of("cancellations")) == 2


# -- the reader's rights -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("statement", REFUSED)
def test_the_reader_may_read_the_star_schema_and_nothing_else(loaded: Loaded, statement: str) -> None:
    loaded.owner.execute("CREATE SCHEMA IF NOT EXISTS elsewhere")
    loaded.owner.execute("CREATE TABLE IF NOT EXISTS elsewhere.secret (x int)")
    loaded.reader.execute("SET default_transaction_read_only = off")  # it is a convenience, not what keeps it out
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        loaded.reader.execute(statement.encode())


def test_the_reader_sees_every_table_and_view(loaded: Loaded) -> None:
    query = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'churnwatch'"
    there = {row["table_name"] for row in ask(loaded.owner, query)} - {"sink_position", "sink_erased", "sink_schema"}
    assert {row["table_name"] for row in ask(loaded.reader, query)} == there >= {table.name for table in TABLES}
    for name in sorted(there):
        loaded.reader.execute(sql.SQL("SELECT * FROM {} LIMIT 1").format(sql.Identifier(name)))


# -- the pages ---------------------------------------------------------------------------------------------------------


def test_the_page_of_views_is_theirs(loaded: Loaded) -> None:
    page = (ROOT / "docs/bi/views.md").read_text()
    query = """
        SELECT c.table_name, obj_description(('churnwatch.' || c.table_name)::regclass) AS meaning,
            string_agg('`' || c.column_name || '`', ', ' ORDER BY c.ordinal_position) AS names
        FROM information_schema.columns c JOIN pg_views v ON v.schemaname = c.table_schema AND v.viewname = c.table_name
        WHERE c.table_schema = 'churnwatch' GROUP BY c.table_name"""
    views = {row["table_name"]: f"{row['meaning']}.\n\nColumns: {row['names']}" for row in ask(loaded.owner, query)}
    told = dict(re.findall(r"^## `(\w+)`\n\n(.*\n\nColumns: .*)$", page, re.MULTILINE))
    assert told == views
    explained = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert explained == sorted({name for text in views.values() for name in re.findall(r"`(\w+)`", text)})


def test_the_chinese_query_is_that_of_the_page_and_has_the_words_of_the_console(loaded: Loaded) -> None:
    query = CHINESE.read_text()
    assert f"```sql\n{query.rstrip()}\n```" in (ROOT / "docs/bi/finebi.md").read_text()
    words = tomllib.loads((ROOT / "console/texts/zh.toml").read_text())
    told = set(re.findall(r"\('(\w+)', '(\w+)'\)", query))
    known = {pair for chapter in ("segment", "reason", "band") for pair in words[chapter].items()}
    assert told == known - {("low", words["band"]["low"])}
    rows = ask(loaded.reader, query)
    assert sum(row["客户数"] for row in rows) == sum(row["customers"] for row in loaded.ask("value_at_risk"))
    assert {row["风险等级"] for row in rows} <= {"关注", "高", "紧急"}
