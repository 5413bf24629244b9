"""`churnwatch bi` as far as it goes without a database: what it counts, what it says, what it never says."""

from pathlib import Path

import pytest

from churnwatch import cli
from churnwatch.bi_errors import place
from churnwatch.bi_metrics import LOADING, BiMetrics
from churnwatch.commands import bi as command
from streams.errors import ConfigError

PAGE = (Path(__file__).parents[3] / "docs" / "bi" / "sink.md").read_text()


def test_all_metrics_are_there_from_the_start_and_on_the_page() -> None:
    rendered = BiMetrics().render(now_ms=0, now_seconds=0.0).decode()
    for metric in LOADING:
        assert f"# HELP {metric.name} {metric.meaning}" in rendered
        assert f"| `{metric.name}` | {metric.meaning} |" in PAGE


def test_lag_is_told_in_messages_and_seconds() -> None:
    metrics = BiMetrics()
    metrics.lag, metrics.latest_ms, metrics.up, metrics.learner_at = 7, 90_000, True, 50.0
    metrics.loaded({("alerts", "loaded"): 5, ("orders", "passed_over"): 1}, rows=9, seconds=0.02)
    rendered = metrics.render(now_ms=100_000, now_seconds=60.0).decode()
    for line in (
        "churnwatch_bi_lag_messages 7.0",
        "churnwatch_bi_lag_seconds 10.0",
        "churnwatch_bi_database_up 1.0",
        "churnwatch_bi_learner_age_seconds 10.0",
        "churnwatch_bi_rows_total 9.0",
        'churnwatch_bi_messages_total{kind="alerts",outcome="loaded"} 5.0',
        'churnwatch_bi_messages_total{kind="orders",outcome="passed_over"} 1.0',
    ):
        assert line in rendered
    metrics.lag = 0
    assert "churnwatch_bi_lag_seconds 0.0" in metrics.render(now_ms=100_000, now_seconds=60.0).decode()


def test_an_address_is_told_without_what_is_secret() -> None:
    assert place("postgresql://anna:sesame@db.example:5433/bi?sslmode=verify-full") == "db.example:5433/bi"
    assert place("host=db.example user=anna password=sesame") == "db.example:5432/anna"
    for bad in ("sesame", "postgresql://anna:sesame@db:port/bi?nonsense=1", "mysql://anna:sesame@db/bi"):
        with pytest.raises(ConfigError, match="CHURNWATCH_BI_URL") as caught:
            place(bad)
        assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("arguments", [["load"], ["load", "--once"], ["schema"]])
def test_where_no_database_is_named_it_says_so(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CHURNWATCH_BI_URL", raising=False)
    assert cli.run(["bi", *arguments]) == 1
    assert "CHURNWATCH_BI_URL is not set" in capsys.readouterr().err


def test_without_its_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(ConfigError, match=r"pip install 'churnwatch\[bi\]'"):
        command.check_extra()


def test_the_statements_can_be_read_first(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHURNWATCH_BI_SCHEMA", "shop")
    assert cli.run(["bi", "schema", "--print"]) == 0
    said = capsys.readouterr().out
    assert 'SET search_path TO "shop"' in said
    assert "CREATE TABLE fact_alert (" in said
    assert "CREATE VIEW cohort_retention" in said
