"""The star schema in PostgreSQL: made, fenced, and filled a transaction a chunk.

One transaction, numbered as in the code:

1. What was erased since goes: the customer's rows, of all tables.
2. New rows are copied into temporary tables, and merged with those that are there (`bi.upsert`).
3. The positions in Kafka move on.

So wherever the process dies, the tables reflect exactly the messages before the positions, and its successor goes on from there. An
advisory lock, held for the life of the connection, sees to it that there is one writer: a second sink waits, and the transaction of
one that was cut off cannot be committed any more, for lock and transaction are of the same connection.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from psycopg import AsyncConnection, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bi.calendar import dates
from bi.catalog import TABLES
from bi.messages import segment_rows
from bi.rows import Rows
from bi.schema_files import VERSION, tables_sql, views_sql
from bi.upsert import copy_in, make_incoming, merge_in
from churnwatch.bi_errors import explained
from churnwatch.settings import Settings
from streams.errors import ConfigError, NewerSchema, StateError

log = logging.getLogger("churnwatch.bi")

CONNECT_SECONDS: Final = "10"
FENCE_EVERY_SECONDS: Final = 0.5
KEEPALIVES: Final = {"keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3"}

REMEMBER: Final = (
    "INSERT INTO sink_erased AS there VALUES (%s, %s) ON CONFLICT (customer_hash) "
    "DO UPDATE SET erased_at = excluded.erased_at WHERE there.erased_at < excluded.erased_at"
)

Place = tuple[str, int]
"""A topic and a partition of it."""


@dataclass(slots=True)
class Change:
    """What one transaction changes: rows to be merged, customers to be erased (by their hash, when), positions (offset, passed over)."""

    rows: Rows = field(default_factory=Rows)
    gone: dict[str, str] = field(default_factory=dict)
    erased: dict[str, datetime] = field(default_factory=dict)
    positions: dict[Place, tuple[int, int]] = field(default_factory=dict)


class Database:
    """A connection to the schema; see `opened`."""

    def __init__(self, connection: AsyncConnection[Any], schema: str) -> None:
        self._connection = connection
        self._schema = schema

    @classmethod
    @asynccontextmanager
    async def opened(cls, settings: Settings) -> AsyncIterator[Database]:
        """Connect for as long as the block lasts.

        Raises, also for what stands in the block:
            ConfigError: no CHURNWATCH_BI_URL, or the database does not let us do what we must.
            StoreUnavailable: it does not answer (any more).
        """
        if settings.bi_url is None:
            raise ConfigError(
                "CHURNWATCH_BI_URL is not set: name a PostgreSQL, such as postgresql://user:password@host/db"
            )
        url = settings.bi_url.get_secret_value()
        options: dict[str, Any] = {"application_name": "churnwatch bi", "connect_timeout": CONNECT_SECONDS} | KEEPALIVES
        async with explained(url):
            # What the address says goes before what is usual here.
            conninfo = make_conninfo(**(options | conninfo_to_dict(url)))
            connection = await AsyncConnection.connect(conninfo, autocommit=True, prepare_threshold=None)
            try:
                await connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(settings.bi_schema)))
                yield cls(connection, settings.bi_schema)
            finally:
                await connection.close()

    async def fence(self) -> None:
        """Return when this connection is the one that writes."""
        said = False
        ask = "SELECT pg_try_advisory_lock(hashtextextended('churnwatch bi ' || %s, 0))"
        while not (await self._one(ask, self._schema))[0]:
            if not said:
                log.warning("Another sink fills schema %s: this one waits until it ends", self._schema)
                said = True
            await asyncio.sleep(FENCE_EVERY_SECONDS)

    async def make(self) -> bool:
        """Make the schema where there is none, and get ready to load; return whether it was made.

        Under the fence; raises NewerSchema or StateError where another version made it.
        """
        found = await self._version()
        if found is not None:
            await self._make_incoming()
            return False
        async with self._connection.transaction():
            if (await self._one("SELECT to_regnamespace(%s)", self._schema))[0] is None:
                await self._connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(self._schema)))
            for statements in (tables_sql(), views_sql()):
                await self._run(statements)
            await self._make_incoming()
            rows = Rows()
            for row in (*dates(), *segment_rows()):
                rows.add(row)
            await self._merge(rows)
            await self._connection.execute("CREATE TABLE sink_schema (version integer NOT NULL)")
            await self._connection.execute("INSERT INTO sink_schema VALUES (%s)", [VERSION])
        return True

    async def positions(self) -> dict[Place, tuple[int, int]]:
        """Return, of each partition known, the first offset that is not loaded, and how many messages were passed over."""
        found = await self._connection.execute("SELECT topic, partition, next_offset, passed_over FROM sink_position")
        return {(topic, partition): (offset, passed) for topic, partition, offset, passed in await found.fetchall()}

    async def erased(self, hashes: Sequence[str]) -> dict[str, datetime]:
        """Return which of these customers were erased, and when."""
        ask = "SELECT customer_hash, erased_at FROM sink_erased WHERE customer_hash = ANY(%s)"
        return dict(await (await self._connection.execute(ask, [list(hashes)])).fetchall())

    async def apply(self, change: Change) -> None:
        """Apply a change, all of it or nothing; raises psycopg.DataError where a row is not to the database's liking."""
        async with self._connection.transaction():
            await self._erase(change.gone, change.erased)  # 1.
            await self._merge(change.rows)  # 2.
            await self._move(change.positions)  # 3.

    async def replace(self, rows: Rows) -> None:
        """Merge rows that come from elsewhere than Kafka."""
        async with self._connection.transaction():
            await self._merge(rows)

    async def forget(self, known: str, customer_id: str, at: datetime) -> int:
        """Erase a customer, given also by the hash, as of a tombstone's instant; return how many rows it took away.

        0 where a sink has read that tombstone already: what is there of them was told since.
        """
        async with self._connection.transaction():
            if (await self._connection.execute(REMEMBER, [known, at])).rowcount == 0:
                return 0
            return await self._erase({known: customer_id}, {})

    async def there(self) -> bool:
        """Whether the schema is made; raises NewerSchema or StateError where another version made it."""
        return await self._version() is not None

    async def _version(self) -> int | None:
        """Return this program's version, or None where there is no schema yet."""
        if (await self._one("SELECT to_regclass(%s)", f"{self._schema}.sink_schema"))[0] is None:
            return None
        found = int((await self._one("SELECT max(version) FROM sink_schema"))[0])
        if found != VERSION:
            raise _other_version(self._schema, found)
        return found

    async def _erase(self, gone: Mapping[str, str], erased: Mapping[str, datetime]) -> int:
        if not gone:
            return 0
        async with self._connection.cursor() as cursor:
            # First, so that it and `forget` wait for each other.
            await cursor.executemany(REMEMBER, list(erased.items()))
        count = 0
        for table in TABLES:
            if table.of_customers:
                query = sql.SQL("DELETE FROM {} WHERE customer_id = ANY(%s)").format(sql.Identifier(table.name))
                count += (await self._connection.execute(query, [[*gone.values()]])).rowcount
        return count

    async def _make_incoming(self) -> None:
        await self._run(";".join(map(make_incoming, TABLES)))

    async def _merge(self, rows: Rows) -> None:
        for table in rows.tables():
            async with self._connection.cursor() as cursor:
                async with cursor.copy(copy_in(table)) as copy:
                    for row in rows.of(table.name):
                        await copy.write_row(row)
                await self._run(merge_in(table))

    async def _move(self, positions: Mapping[Place, tuple[int, int]]) -> None:
        move = (
            "INSERT INTO sink_position VALUES (%s, %s, %s, %s) ON CONFLICT (topic, partition) "
            "DO UPDATE SET next_offset = excluded.next_offset, passed_over = excluded.passed_over"
        )
        async with self._connection.cursor() as cursor:
            await cursor.executemany(move, [(*place, *reached) for place, reached in positions.items()])

    async def _run(self, statements: str) -> None:
        """Run our own statements: nothing that came from elsewhere is in them."""
        await self._connection.execute(statements)

    async def _one(self, query: str, *given: object) -> tuple[Any, ...]:
        row = await (await self._connection.execute(query, given)).fetchone()
        return row or (None,)


def _other_version(schema: str, found: int) -> StateError:
    """Word what to do about a schema of another version than this program's."""
    said = f"schema {schema} has version {found}, this program makes {VERSION}"
    if found > VERSION:
        return NewerSchema(
            f"{said}: a newer Churnwatch fills it; upgrade this one, or name another CHURNWATCH_BI_SCHEMA"
        )
    return StateError(
        f"{said}, and nothing converts it: name a new CHURNWATCH_BI_SCHEMA, or drop this one (DROP SCHEMA {schema} CASCADE), and load it "
        'again from Kafka with `churnwatch bi load` (docs/bi/sink.md, "After an upgrade", keeps dashboards and erasures meanwhile)'
    )
