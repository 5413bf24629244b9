"""The star schema on a real PostgreSQL: what the sink leaves there is what the messages say, whatever comes between."""

import asyncio
import itertools
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bi.calendar import dates
from bi.catalog import BY_NAME, TABLES
from bi.messages import KINDS, Gone, Kind, rows_of, segment_rows
from bi.rows import Rows
from bi.schema_files import VERSION
from chaos.bi import compare_schemas
from chaos.bi_feed import Shop
from chaos.postgres import Postgres
from chaos.topics import produce, read
from churnwatch import cli
from churnwatch.bi_database import Change, Database
from churnwatch.bi_metrics import BiMetrics
from churnwatch.bi_sink import Sink
from churnwatch.deliver_courier import raw
from churnwatch.settings import Settings
from churnwatch.settings_load import load_settings
from streams.codec import Limits
from streams.errors import StateError
from streams.outgoing import Outgoing
from tests.integration.cli_runner import Run, create_all, pointed, runner
from tests.postgres import postgres

__all__ = ["postgres"]

MESSAGES = 600
NOW_MS = 1_800_000_000_000


@pytest.fixture(autouse=True)
def settings(
    postgres: Postgres,
    kafka_bootstrap: str,
    redis_url: str,
    topic_prefix: str,
    namespace: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Settings]:
    for _ in pointed(monkeypatch, kafka_bootstrap, redis_url, topic_prefix, namespace):
        monkeypatch.setenv("CHURNWATCH_BI_URL", postgres.url)
        monkeypatch.setenv("CHURNWATCH_BI_SCHEMA", f"bi_{namespace}")
        monkeypatch.setenv("CHURNWATCH_BI_CHUNK_MAX", "400")
        yield load_settings()


@pytest.fixture
def topics(create_topics: Callable[..., None], settings: Settings) -> None:
    create_all(create_topics, settings)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(capsys)


def shop(settings: Settings, seed: int = 1) -> Iterator[Outgoing]:
    return Shop(settings.topics(), seed).messages()


def load(settings: Settings, **changes: Any) -> Sink:
    sink = Sink(settings.model_copy(update=changes), BiMetrics())
    asyncio.run(sink.run(once=True))
    return sink


def ask(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    assert settings.bi_url is not None
    with psycopg.connect(settings.bi_url.get_secret_value(), autocommit=True) as connection:
        connection.execute(f"SET search_path TO {settings.bi_schema}")
        found = connection.execute(query)
        return found.fetchall() if found.description else []


def told(settings: Settings) -> Rows:
    """What the topics say, merged in memory."""
    names = settings.topics().inputs | {"alerts": settings.topics().alerts, "scores": settings.topics().scores}
    kinds: dict[str, Kind] = {names[kind]: kind for kind in KINDS}
    rows, heard, gone = Rows(), [], set()
    for row in (*dates(), *segment_rows()):
        rows.add(row)
    for record in map(raw, read(settings, *kinds)):
        try:
            found = rows_of(kinds[record.topic], record, Limits(), NOW_MS)
        except StateError:
            continue
        if isinstance(found, Gone):
            gone.add(found.customer_id)
        else:
            heard.append(found)
    for row in (row for said in heard if said.customer_id not in gone for row in said.rows):
        rows.add(row)
    return rows


def test_tables_hold_what_the_topics_say(settings: Settings, topics: None, postgres: Postgres) -> None:
    """Loaded in two sittings: equal, cell for cell, to all messages merged at once; and so are views where chunks are others."""
    messages = shop(settings)
    for _ in range(2):
        produce(settings, itertools.islice(messages, MESSAGES))
        sink = load(settings)
        assert sink.loaded > sink.passed_over > 0
    rows = told(settings)
    for table in TABLES:
        found = ask(settings, f"SELECT {', '.join(table.names)} FROM {table.name}")
        assert sorted(map(hash, found)) == sorted(map(hash, rows.of(table.name))), table.name
    assert load(settings).loaded == 0
    other = f"{settings.bi_schema}_other"
    load(settings, bi_schema=other, bi_chunk_max=170)
    compared = compare_schemas(postgres, settings.bi_schema, other)
    assert compared.different == []
    assert compared.tables > 35
    loaded, passed = ask(settings, "SELECT sum(next_offset), sum(passed_over) FROM sink_freshness")[0]
    assert loaded > MESSAGES > passed > 0
    assert ask(settings, "SELECT count(*) FROM episodes WHERE saved")[0][0] > 0
    low, high = ask(settings, "SELECT min(retention), max(retention) FROM cohort_retention WHERE months_since = 1")[0]
    assert 0 < low <= high < 1


def test_columns_and_tables_are_commented(settings: Settings, run: Run) -> None:
    assert "Made schema" in run("bi", "schema")
    assert "Already there" in run("bi", "schema")
    naked = """
        SELECT c.relname, a.attname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema()
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND c.relkind = 'r'
        WHERE c.relkind IN ('r', 'v') AND c.relname <> 'sink_schema'
        AND (obj_description(c.oid) IS NULL OR (a.attnum IS NOT NULL AND col_description(c.oid, a.attnum) IS NULL))"""
    assert ask(settings, naked) == []


@pytest.mark.parametrize(
    ("version", "says"),
    [(VERSION + 1, "a newer Churnwatch fills it; upgrade"), (VERSION - 1, "load it again from Kafka with `churnwatch bi load`")],
)  # fmt: skip
def test_a_schema_of_another_version_is_refused_and_left_as_it_is(
    settings: Settings, run: Run, capsys: pytest.CaptureFixture[str], version: int, says: str
) -> None:
    run("bi", "schema")
    ask(settings, f"UPDATE sink_schema SET version = {version}")
    for arguments in (["bi", "load", "--once"], ["bi", "schema"]):
        assert cli.run(arguments) == 1
        told = capsys.readouterr().err
        assert f"schema {settings.bi_schema} has version {version}, this program makes {VERSION}" in told
        assert says in told
    assert ask(settings, "SELECT version FROM sink_schema") == [(version,)]


def test_a_customer_who_is_forgotten_is_gone_and_what_is_told_since_stays(
    settings: Settings, topics: None, run: Run, tmp_path: Path
) -> None:
    messages = [message for message in itertools.islice(shop(settings, 3), MESSAGES) if message.value is not None]
    produce(settings, messages[:500])
    load(settings)
    customer = str(ask(settings, "SELECT customer_id FROM fact_alert ORDER BY 1 LIMIT 1")[0][0])
    produce(settings, messages[500:])
    assert "rows erased from the star schema" in run("forget", "--", customer)
    load(settings)  # what Kafka holds of them from before that is not loaded
    for table in TABLES:
        if table.of_customers:
            assert ask(settings, f"SELECT count(*) FROM {table.name} WHERE customer_id = '{customer}'") == [(0,)]
    assert len(ask(settings, "SELECT 1 FROM sink_erased")) == 1
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow, of the extra bi, is not installed")
    orders, scores = settings.topics().inputs["orders"], settings.topics().scores
    order = b'{"event_id": "%d", "customer_id": "%s", "occurred_at": 1704067200000, "order_id": "n", "amount": 5}'
    both = [customer.encode(), b"other"]
    produce(settings, [Outgoing(orders, b"other", order % (0, b"other")), Outgoing(scores, b"other", None)])
    time.sleep(0.002)  # Kafka's clock has milliseconds
    produce(settings, [Outgoing(orders, key, order % (number, key)) for number, key in enumerate(both * 3, start=1)])
    load(settings, bi_chunk_max=2)
    run("export", str(tmp_path))
    rows = parquet.read_table(tmp_path / "fact_order.parquet").select(["customer_id", "event_id"]).to_pylist()
    since = [(customer, "1"), (customer, "3"), (customer, "5"), ("other", "2"), ("other", "4"), ("other", "6")]
    exported = [tuple(row.values()) for row in rows if row["customer_id"].encode() in both]
    where = f"WHERE customer_id IN ('{customer}', 'other') ORDER BY event_id"
    assert sorted(ask(settings, f"SELECT customer_id, event_id FROM fact_order {where}")) == sorted(exported) == since


def test_whatever_comes_between(
    settings: Settings,
    topics: None,
    postgres: Postgres,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A sink that is there already, a database that crashes, a row that it does not take."""
    orders = settings.topics().inputs["orders"]
    order = '{"event_id": "x%d", "customer_id": "c", "occurred_at": 1704067200000, "order_id": "n", "amount": %d}'

    def ordered(first: int) -> int:
        produce(settings, [Outgoing(orders, b"c", (order % (n, n)).encode()) for n in range(first, first + 10)])
        return first + 10

    async def until(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not condition():  # noqa: ASYNC110 - what is waited for knows of no event
                await asyncio.sleep(0.02)

    async def follow() -> None:
        sink = Sink(settings, metrics := BiMetrics())
        async with Database.opened(settings) as first:
            await first.fence()
            running = asyncio.create_task(sink.run())
            await until(lambda: "this one waits" in caplog.text)
        await until(lambda: metrics.latest_ms is not None)
        await asyncio.to_thread(postgres.crash)
        await asyncio.to_thread(ordered, 10)
        await until(lambda: len(ask(settings, "SELECT 1 FROM fact_order")) == 20)
        running.cancel()
        await asyncio.wait([running])

    ordered(0)
    with caplog.at_level(logging.WARNING, "churnwatch.bi"):
        asyncio.run(follow())
    assert "Waiting: PostgreSQL" in caplog.text
    monkeypatch.setattr(Database, "apply", _strict(Database.apply))
    ordered(20)
    sink = load(settings)
    assert (sink.loaded, sink.passed_over) == (10, 1)
    assert len(ask(settings, "SELECT 1 FROM fact_order")) == 29


def _strict(apply: Callable[..., Any]) -> Callable[..., Any]:
    """A database that takes no order of 25."""

    async def strict(self: Database, change: Change) -> None:
        if any(
            row["amount"] == 25
            for row in (dict(zip(BY_NAME["fact_order"].names, r, strict=True)) for r in change.rows.of("fact_order"))
        ):
            raise psycopg.DataError("no")
        await apply(self, change)

    return strict


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://anna:sesame@127.0.0.1:1/db", "does not answer"),
        ("postgresql:sesame", "is no address"),
        ("{server}_missing", "does not let us in"),
    ],
)
def test_a_wrong_address_is_told_and_the_password_is_not(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    postgres: Postgres,
    url: str,
    says: str,
) -> None:
    monkeypatch.setenv("CHURNWATCH_BI_URL", url.format(server=postgres.url))
    for arguments in (["bi", "load", "--once"], ["bi", "schema"]):
        assert cli.run(arguments) == 1
        said = capsys.readouterr()
        assert "CHURNWATCH_BI_URL" in said.err
        assert says in said.err
        assert "sesame" not in said.err + said.out
