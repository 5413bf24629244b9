"""Kill the star schema's sink at random while messages keep coming, and compare what it leaves with an undisturbed run's.

    python -m chaos.bi --kills 20 --seed 1

A real Kafka, a real PostgreSQL, which is crashed as well now and then; the exit code is 1 where a table or a view differs in a row.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final, Self

import psycopg
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from chaos.bi_feed import Shop
from chaos.postgres import Postgres, running
from chaos.topics import produce
from chaos.workers import mortal
from churnwatch.child import free_port
from churnwatch.services import start_services
from churnwatch.settings import Settings
from churnwatch.settings_load import load_settings
from churnwatch.terminal import note, say_json
from streams.errors import ChurnwatchError

LOAD: Final = mortal(sys.executable, "-c", "from churnwatch.cli import main; main()", "bi", "load")
BATCH: Final = 120
PAUSE_SECONDS: Final = 0.1
BACKLOG: Final = 800
"""Messages that wait from the beginning for each kill: so a sink that lives is always in the middle of a transaction."""
CHUNK: Final = 25
MOVE_SECONDS_MAX: Final = 60.0
LIFE_SECONDS_MAX: Final = 1.2
YOUNG_SHARE: Final = 0.15
"""Of the lives, how many end before anything is loaded."""
CRASH_SHARE: Final = 0.25
"""Of the kills, how many PostgreSQL is crashed at as well."""
PARTITIONS: Final = 4


@dataclass(frozen=True, slots=True)
class Found:
    """What came of it; `different` names tables and views, with the first rows that only one side has."""

    kills: int
    crashes: int
    messages: int
    seconds: float
    tables: int
    rows: int
    different: list[str]


class Feeder:
    """Writes messages to Kafka until it is stopped."""

    def __init__(self, settings: Settings, seed: int, backlog: int) -> None:
        self._backlog = backlog
        self._settings = settings
        self._messages = Shop(settings.topics(), seed).messages()
        self._stop = Event()
        self._thread = Thread(target=self._feed, name="feeding", daemon=True)
        self.written = 0

    def __enter__(self) -> Self:
        """Begin, with the backlog."""
        self._write(self._backlog)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, when all that was written is acknowledged."""
        self._stop.set()
        self._thread.join()

    def _feed(self) -> None:
        while not self._stop.wait(PAUSE_SECONDS):
            self._write(BATCH)

    def _write(self, count: int) -> None:
        produce(self._settings, itertools.islice(self._messages, count))
        self.written += count


def torment(settings: Settings, server: Postgres, kills: int, seed: int, folder: Path) -> Found:
    """Run it; `settings` point to a Kafka that has no topics of theirs yet."""
    began, chance = time.monotonic(), random.Random(seed)
    _create(settings)
    crashes = 0
    with Feeder(settings, seed, BACKLOG * kills) as feeder:
        for number in range(kills):
            with _start(settings, server, "killed", folder) as sink:
                try:
                    if chance.random() >= YOUNG_SHARE:
                        _until_moved(server, sink, folder)
                    time.sleep(chance.uniform(0, LIFE_SECONDS_MAX))
                    if chance.random() < CRASH_SHARE and number:
                        crashes += 1
                        server.crash()
                        if chance.random() < 0.5:  # it lives to see the database back
                            _until_moved(server, sink, folder)
                finally:
                    sink.kill()
    for schema in ("killed", "calm"):
        with _start(settings, server, schema, folder, "--once") as loading:
            ended = loading.wait()
        if ended:
            raise ChurnwatchError(
                f"`bi load --once` ended with {ended}: {(folder / f'{schema}.log').read_text()[-2_000:]}"
            )
    compared = compare_schemas(server, "killed", "calm")
    seconds = round(time.monotonic() - began, 1)
    return Found(kills, crashes, feeder.written, seconds, compared.tables, compared.rows, compared.different)


@dataclass(slots=True)
class Compared:
    """Two schemas held against each other; `different` names tables and views, with the first rows that only one of them has."""

    tables: int = 0
    rows: int = 0
    different: list[str] = field(default_factory=list)


def compare_schemas(server: Postgres, one: str, other: str) -> Compared:
    """Hold all tables and views of two schemas against each other, row for row."""
    found = Compared()
    with psycopg.connect(server.url, autocommit=True) as connection:
        ask = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s ORDER BY 1"
        for (name,) in connection.execute(ask, [other]).fetchall():
            rows = [_rows(connection, schema, name) for schema in (one, other)]
            found.tables += 1
            found.rows += len(rows[1])
            if rows[0] != rows[1]:
                only = [sorted(set(a) - set(b))[:2] for a, b in (rows, rows[::-1])]
                counts = f"{len(rows[0])} and {len(rows[1])} rows"
                found.different.append(f"{name}: {counts}; only {one} {only[0]}, only {other} {only[1]}")
    return found


def _rows(connection: psycopg.Connection[Any], schema: str, name: str) -> list[str]:
    query = psycopg.sql.SQL("SELECT t::text FROM {} t ORDER BY 1").format(psycopg.sql.Identifier(schema, name))
    return [row for (row,) in connection.execute(query).fetchall()]


def _start(settings: Settings, server: Postgres, schema: str, folder: Path, *options: str) -> subprocess.Popen[bytes]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CHURNWATCH_")} | {
        "CHURNWATCH_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
        "CHURNWATCH_TOPIC_PREFIX": settings.topic_prefix,
        "CHURNWATCH_REDIS_URL": settings.redis_url,
        "CHURNWATCH_REDIS_NAMESPACE": settings.redis_namespace,
        "CHURNWATCH_BI_URL": server.url,
        "CHURNWATCH_BI_SCHEMA": schema,
        "CHURNWATCH_BI_CHUNK_MAX": "5000" if options else str(CHUNK),
        "CHURNWATCH_BI_LEARNER_EVERY": "500ms",
        "CHURNWATCH_BI_PORT": str(free_port()),
    }
    with (folder / f"{schema}.log").open("ab") as log:
        return subprocess.Popen([*LOAD, *options], env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def _until_moved(server: Postgres, sink: subprocess.Popen[bytes], folder: Path) -> None:
    """Return when the sink has loaded something more."""
    before, deadline = _loaded(server), time.monotonic() + MOVE_SECONDS_MAX
    while _loaded(server) <= before:
        if sink.poll() is not None or time.monotonic() > deadline:
            raise ChurnwatchError(f"the sink does not load: {(folder / 'killed.log').read_text()[-2_000:]}")
        time.sleep(0.05)


def _loaded(server: Postgres) -> int:
    """How far the sink has come; -1 while the database does not tell."""
    with suppress(psycopg.Error), psycopg.connect(server.url, autocommit=True) as connection:
        row = connection.execute("SELECT coalesce(sum(next_offset), 0) FROM killed.sink_position").fetchone()
        return int(row[0]) if row else -1
    return -1


def _create(settings: Settings) -> None:
    topics = settings.topics()
    wanted = [NewTopic(name, PARTITIONS, 1) for name in (*topics.inputs.values(), topics.alerts, topics.scores)]
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap, "log_level": 0})
    for made in admin.create_topics(wanted).values():
        made.result(MOVE_SECONDS_MAX)


def main() -> int:
    """Run what the command line asks for; returns the exit code."""
    parser = argparse.ArgumentParser(
        "python -m chaos.bi", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=20, metavar="N", help="how often (default: 20)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of messages and moments (default: 1)")
    parser.add_argument("--json", action="store_true", help="a JSON document on standard output")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="churnwatch-chaos-bi-"))
    try:
        with start_services("real") as services, running() as server:
            settings = load_settings(
                kafka_bootstrap=services.bootstrap,
                redis_url=services.redis_url,
                topic_prefix="chaos-bi.",
                redis_namespace="chaos-bi",
            )
            found = torment(settings, server, asked.kills, asked.seed, folder)
    except (ChurnwatchError, LookupError) as error:
        note(f"chaos: {error}")
        return 1
    if asked.json:
        say_json(asdict(found))
    for line in found.different:
        note(f"chaos: different: {line}")
    told = f"{found.kills} kills, {found.crashes} crashes of PostgreSQL, {found.messages:,} messages, {found.seconds:.0f} s"
    equal = "equal in every row" if not found.different else f"different in {len(found.different)}"
    note(f"chaos: {told}: {found.tables} tables and views, {found.rows:,} rows: {equal} (seed {asked.seed})")
    if found.different:
        note(f"chaos: what the sinks said is in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
