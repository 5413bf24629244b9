"""The shop of `bi_shop`, by the product's own commands in a PostgreSQL and in a folder of Parquet files; import both fixtures."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chaos.postgres import Postgres
from chaos.topics import produce
from churnwatch import cli
from churnwatch.learner_access import open_learner_store
from churnwatch.redis_client import open_redis
from churnwatch.services import Services
from churnwatch.settings import Settings
from models.store import LearnerCommit
from tests.integration.bi_shop import Shop, shop
from tests.integration.cli_runner import pointed

ROOT = Path(__file__).parents[2]
CHINESE = ROOT / "docs/bi/finebi_zh.sql"
QUERIES = [*sorted((ROOT / "docs/bi/queries").glob("*.sql")), CHINESE]
DIGITS_MAX = 18
"""FineBI takes exact numbers of more than 19 digits for text."""

_numbers = count(1)

REFUSED = [
    "INSERT INTO dim_segment VALUES ('x', 'x', false)",
    "UPDATE dim_customer SET plan = 'x'",
    "DELETE FROM fact_alert",
    "TRUNCATE fact_alert",
    "DROP VIEW episodes",
    "CREATE TABLE churnwatch.mine (x int)",
    "CREATE TABLE public.mine (x int)",
    "CREATE SCHEMA mine",
    "SELECT * FROM sink_position",
    "SELECT * FROM sink_erased",
    "SELECT * FROM elsewhere.secret",
    "SELECT * FROM pg_authid",
    "SELECT pg_read_file('/etc/hostname')",
    "COPY dim_segment TO '/tmp/out'",
]
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Loaded:
    """The shop, in a database and in a folder of Parquet files."""

    shop: Shop
    reader: psycopg.Connection[Any]
    owner: psycopg.Connection[Any]
    parquet: Path

    def ask(self, name: str) -> Rows:
        """The rows of a ready query, as a BI tool gets them."""
        return ask(self.reader, (ROOT / f"docs/bi/queries/{name}.sql").read_text())


def ask(connection: psycopg.Connection[Any], query: str) -> Rows:
    with connection.cursor() as cursor:
        cursor.execute(query.encode())
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def address(server: Postgres, user: str, database: str) -> str:
    return f"postgresql://{user}@127.0.0.1:{server.port}/{database}"


@pytest.fixture(scope="module")
def environment(services: Services, postgres: Postgres) -> Iterator[tuple[Settings, pytest.MonkeyPatch, str]]:
    """The settings, what set them, and the name of the database."""
    # A process that takes over the rest of another's tests may come to this module a second time: names of each time's own.
    name = f"analysts{next(_numbers)}"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    with pytest.MonkeyPatch.context() as patch:
        for settings in pointed(patch, services.bootstrap, services.redis_url, f"{name}.", name):
            patch.setenv("CHURNWATCH_BI_URL", address(postgres, "churnwatch", name))
            yield settings, patch, name


@pytest.fixture(scope="module")
def loaded(
    environment: tuple[Settings, pytest.MonkeyPatch, str], postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Loaded]:
    settings, _, name = environment
    folder = tmp_path_factory.mktemp("shop")
    made = shop(folder)
    assert cli.run(["topics", "create"]) == 0
    produce(settings, made.messages(settings.topics()))
    asyncio.run(learnt(settings, made))
    assert cli.run(["bi", "load", "--once"]) == 0
    assert cli.run(["export", str(folder / "parquet")]) == 0
    with psycopg.connect(address(postgres, "churnwatch", name), autocommit=True) as owner:
        for _ in range(2):  # it may be run again
            owner.execute((ROOT / "docs/bi/reader.sql").read_bytes())
        with psycopg.connect(address(postgres, "churnwatch_bi", name), autocommit=True) as reader:
            yield Loaded(made, reader, owner, folder / "parquet")


async def learnt(settings: Settings, made: Shop) -> None:
    async with open_redis(settings) as client:
        store = open_learner_store(client, settings)
        await store.open()
        last = made.guides[-1].learnt_until_ms
        await store.commit(LearnerCommit(made.learner_state, 1, last, made.guides))
        await store.close()
