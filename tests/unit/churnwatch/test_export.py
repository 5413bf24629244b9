"""The export's parts: the folder that readers look into, the stage that merges, and the files."""

import fcntl
import logging
import os
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bi.catalog import BY_NAME, TABLES
from bi.messages import segment_rows
from bi.rows import Cell, Cells, Row, Rows
from bi.tables import Table, Type
from churnwatch import cli, export_docs
from churnwatch.export import put
from churnwatch.export_folder import STAGING, SUFFIX, reveal, staging
from churnwatch.export_stage import STORE, Stage, day_of
from streams.errors import ConfigError

export_parquet = pytest.importorskip("churnwatch.export_parquet", reason="pyarrow, of the extra bi, is not installed")
pyarrow_parquet = pytest.importorskip("pyarrow.parquet")

NAMES = [table.name for table in TABLES]
CELLS: dict[Type, st.SearchStrategy[Cell]] = {
    "text": st.sampled_from(["a", "b", "ÿ", ""]),
    "whole": st.integers(-2, 2),
    "decimal": st.sampled_from([Decimal("0.0001"), Decimal("-90000000000000.0000"), Decimal("12.5000")]),
    "figure": st.sampled_from([0.1, 1e-300]),
    "truth": st.booleans(),
    "instant": st.sampled_from([datetime(1900, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, 12, 0, 0, 1000, tzinfo=UTC)]),
    "day": st.sampled_from([date(1969, 12, 31), date(2026, 3, 1)]),
}


@st.composite
def parts_of_rows(draw: st.DrawFn) -> list[Row]:
    """Rows of one table, few keys, parts of them left out as messages do."""
    table = draw(st.sampled_from(TABLES))
    rows = []
    for _ in range(draw(st.integers(2, 12))):
        cells: Cells = {}
        for column in table.columns:
            if column.merge == "key" or draw(st.booleans()):
                cells[column.name] = draw(CELLS[column.type])
        rows.append(Row(table.name, cells))
    return rows


def stored(table: Table, rows: list[tuple[Cell, ...]]) -> list[tuple[Any, ...]]:
    stores = [STORE[column.type] for column in table.columns]
    kept = [
        tuple(None if cell is None else store(cell) for store, cell in zip(stores, row, strict=True)) for row in rows
    ]
    places = [table.names.index(name) for name in table.key]
    return sorted(kept, key=lambda row: [row[place] for place in places])


@settings(max_examples=40)  # each makes all tables on the disk
@given(parts_of_rows())
def test_rows_are_merged_as_the_star_schema_has_it(tmp_path_factory: pytest.TempPathFactory, rows: list[Row]) -> None:
    """However they are cut into chunks: one by one here, all at once in `Rows`."""
    table = BY_NAME[rows[0].table]
    together = Rows()
    stage = Stage(tmp_path_factory.mktemp("stage"))
    for row in rows:
        together.add(row)
        put(stage, [row])
    assert [row for group in stage.rows(table) for row in group] == stored(table, together.of(table.name))
    stage.close()


def test_who_was_erased_is_gone_with_what_was_said_until_then(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    for customer in ("ann", "bob"):
        put(stage, [Row("dim_customer", {"customer_id": customer}), *daily(customer, date(2026, 3, 1))])
    assert not stage.is_gone("ann", 0)
    stage.erase("ann", 1_000)
    stage.erase("ann", 900)
    for name in ("dim_customer", "fact_daily_score"):
        assert [row[0] for group in stage.rows(BY_NAME[name]) for row in group] == ["bob"]
    assert [stage.is_gone(*asked) for asked in (("ann", 1_000), ("ann", 1_001), ("bob", 1))] == [True, False, False]
    stage.close()


def daily(customer: str, day: date) -> list[Row]:
    return [Row("fact_daily_score", {"customer_id": customer, "day": day, "risk": Decimal("0.5000")})]


def test_a_period_is_from_a_day_on_and_before_another(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    days = [date(2026, 3, number) for number in (1, 2, 3)]
    put(stage, [row for day in days for row in daily("ann", day)])
    numbers = [STORE["day"](day) for day in days]
    table = BY_NAME["fact_daily_score"]
    first, second, third = (int(number or 0) for number in numbers)
    told = [[row[1] for group in stage.rows(table, *bounds) for row in group] for bounds in
            ((None, None), (second, None), (None, second), (second, third), (third + 1, None))]  # fmt: skip
    assert told == [[first, second, third], [second, third], [first], [second], []]
    stage.close()


def test_every_fact_has_a_day_to_be_told_apart_by() -> None:
    assert [table.name for table in TABLES if day_of(table) is None] == ["dim_customer", "dim_segment", "dim_date"]


def test_a_file_holds_what_was_put_in_with_its_types_and_comments(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    at = datetime(2026, 3, 1, 12, 30, 0, 250_000, tzinfo=UTC)
    alert: Cells = {"alert_id": "a1", "raised_at": at, "raised_on": at.date(), "risk": Decimal("0.1234")}
    put(stage, [Row("fact_alert", alert | {"holdout": False, "horizon_days": 365, "value_at_risk": Decimal("9e13")})])
    table = BY_NAME["fact_alert"]
    path = tmp_path / "fact_alert.parquet"
    assert export_parquet.write(path, table, stage.rows(table)) == 1
    again = tmp_path / "again.parquet"
    export_parquet.write(again, table, stage.rows(table))
    assert path.read_bytes() == again.read_bytes()
    stage.close()
    read = pyarrow_parquet.read_table(path)
    (row,) = read.to_pylist()
    assert row == dict.fromkeys(table.names) | alert | {
        "holdout": False,
        "horizon_days": 365,
        "value_at_risk": Decimal("90000000000000.0000"),
    }
    assert read.schema.metadata[b"comment"].decode() == table.meaning
    assert read.schema.field("risk").metadata[b"comment"].decode().startswith("Risk of leaving")


def test_a_table_without_rows_is_a_file_with_columns(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    table = BY_NAME["fact_review"]
    assert export_parquet.write(tmp_path / "none.parquet", table, stage.rows(table)) == 0
    stage.close()
    assert pyarrow_parquet.read_table(tmp_path / "none.parquet").schema.names == list(table.names)


def fill(place: Path, word: str) -> None:
    for name in NAMES:
        (place / f"{name}{SUFFIX}").write_text(word)


def interrupted(folder: Path) -> None:
    with staging(folder, NAMES) as place:
        fill(place, "second")
        raise KeyboardInterrupt


def test_readers_see_the_former_export_until_the_new_one_is_whole(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    with staging(folder, NAMES) as place:
        fill(place, "first")
        assert [path.name for path in folder.iterdir()] == [STAGING]
        reveal(place, NAMES)
    assert {path.read_text() for path in folder.iterdir()} == {"first"}
    with pytest.raises(KeyboardInterrupt):
        interrupted(folder)
    assert {path.read_text() for path in folder.iterdir()} == {"first"}
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{name}{SUFFIX}" for name in NAMES)


def test_what_a_killed_export_has_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / STAGING).mkdir()
    (tmp_path / STAGING / "rows.sqlite").write_text("half")
    with staging(tmp_path, NAMES) as place:
        assert list(place.iterdir()) == []
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_files_of_others_is_left_alone(tmp_path: Path) -> None:
    for name in ("thesis.doc", "b", "c", "d", "fact_alert.parquet"):
        (tmp_path / name).touch()
    with (
        pytest.raises(ConfigError, match=r"\(b, c, d and 1 more\): name a new or empty folder"),
        staging(tmp_path, NAMES),
    ):
        pass
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="name a folder that can be written"), staging(tmp_path / "file", NAMES):
        pass


def test_two_exports_do_not_write_to_one_folder(tmp_path: Path) -> None:
    held = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with pytest.raises(ConfigError, match="another export is writing"), staging(tmp_path, NAMES):
        pass
    os.close(held)
    with staging(tmp_path, NAMES):
        pass


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--since", "yesterday"], "give a day like 2026-03-01"),
        (["--since", "2026-03-01", "--until", "2026-03-01"], "no day lies"),
        ([], "Missing argument"),
    ],
)
def test_wrong_usage_is_told(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = [] if said == "Missing argument" else ["folder"]
    assert cli.run(["export", *folder, *arguments]) == 2
    assert said in " ".join(capsys.readouterr().err.replace("│", "").split())


def test_the_segments_are_there_even_before_anything_was_said(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    put(stage, segment_rows())
    (rows,) = stage.rows(BY_NAME["dim_segment"])
    assert [row[0] for row in rows] == ["high_value", "loyal", "new", "standard"]
    stage.close()


def test_the_pages_are_those_of_the_declarations() -> None:
    pages = (export_docs.tables_page(), export_docs.queries_page())
    for name, page in zip(export_docs.PAGES, pages, strict=True):
        there = (export_docs.FOLDER / name).read_text(encoding="utf-8")
        assert there == page, "run `python -m churnwatch.export_docs`"


def test_every_ready_query_is_on_the_page() -> None:
    shown = [name for _, names in export_docs.GROUPS for name in names]
    assert sorted(shown) == sorted(path.stem for path in (export_docs.FOLDER / "queries").glob("*.sql"))


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["export", "--help"]) == 0
    said = capsys.readouterr().out
    assert "churnwatch export warehouse" in said.split("Try:")[1]
    assert all(option in said for option in ("--since", "--until", "--json"))


def test_without_kafka_it_fails_in_one_line_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHURNWATCH_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("CHURNWATCH_DEBUG", "off")
    (tmp_path / "fact_alert.parquet").write_text("the former one")
    assert cli.run(["export", str(tmp_path)]) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("churnwatch: ")]
    assert "CHURNWATCH_KAFKA_BOOTSTRAP" in line
    assert [path.read_text() for path in tmp_path.iterdir()] == ["the former one"]
    logging.disable(logging.NOTSET)


def test_without_pyarrow_it_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "churnwatch.export_parquet")
    monkeypatch.delattr("churnwatch.export_parquet", raising=False)
    monkeypatch.setenv("CHURNWATCH_DEBUG", "off")
    assert cli.run(["export", str(tmp_path / "new")]) == 1
    assert "pip install 'churnwatch[bi]'" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
    logging.disable(logging.NOTSET)
