"""`churnwatch export`: the tables of the star schema as Parquet, made of what Kafka holds now and what the learner keeps.

1. Scores are read first: they tell who was erased, and of whom older messages are not to count.
2. Then everything else, each partition once, up to what was its end at the beginning (`churnwatch.topic_reader`).
3. Rows are merged on the disk (`churnwatch.export_stage`), a chunk at a time.
4. What only Redis knows: figures for steering, expected revenue, the models.
5. A file a table, put in place together (`churnwatch.export_folder`).

Memory holds a chunk of messages and some thousand rows, however long the log is.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aiokafka import ConsumerRecord

from bi.calendar import dates
from bi.catalog import TABLES
from bi.messages import KINDS, Gone, Kind, rows_of, segment_rows
from bi.rows import Row, Rows
from churnwatch.bi_learner import learner_rows
from churnwatch.deliver_courier import raw
from churnwatch.export_folder import SUFFIX, reveal, staging
from churnwatch.export_stage import Stage
from churnwatch.kafka import Cluster, describe
from churnwatch.settings import Settings
from churnwatch.terminal import Update
from churnwatch.topic_reader import offsets, read_topics
from streams.codec import Limits
from streams.errors import ConfigError, Corrupt, NewerSchema, TransportError

ROWS_AT_ONCE: Final = 10_000
SAID_EVERY: Final = 2_000


@dataclass(frozen=True, slots=True)
class Period:
    """UTC days that facts are wanted of: from the one on, and before the other; None is no bound."""

    since_day: int | None = None
    until_day: int | None = None


@dataclass(slots=True)
class Exported:
    """What was written: rows by table, messages read, messages passed over because they cannot be read (the first one, in words)."""

    rows: dict[str, int] = field(default_factory=dict)
    messages: int = 0
    passed_over: int = 0
    first_problem: str = ""


async def export(settings: Settings, folder: Path, period: Period, update: Update) -> Exported:
    """Write all tables to a folder, and tell how many rows each has.

    Raises:
        ConfigError: the folder cannot be used, or pyarrow is not installed.
        TransportError, StoreUnavailable: Kafka or Redis does not answer; the folder is as it was.
    """
    try:
        from churnwatch import export_parquet
    except ImportError as error:
        raise ConfigError(f"Parquet needs a library ({error}): pip install 'churnwatch[bi]'") from error

    names = [table.name for table in TABLES]
    exported = Exported()
    with staging(folder, names) as place:
        stage = Stage(place)
        try:
            await _Reader(settings, stage, exported, update).read()
            put(stage, [*segment_rows(), *dates()])
            put_merged(stage, await learner_rows(settings))
            for table in TABLES:
                update(exported.messages, f"writing {table.name}")
                groups = stage.rows(table, period.since_day, period.until_day)
                exported.rows[table.name] = export_parquet.write(place / f"{table.name}{SUFFIX}", table, groups)
        finally:
            stage.close()
        reveal(place, names)
    return exported


def put(stage: Stage, found: Iterable[Row]) -> None:
    """Merge rows into the stage."""
    rows = Rows()
    for row in found:
        rows.add(row)
    put_merged(stage, rows)


def put_merged(stage: Stage, rows: Rows) -> None:
    """Merge rows into the stage that are one a key already."""
    for table in rows.tables():
        stage.put(table.name, rows.of(table.name))


class _Reader:
    """Reads the topics, and puts what they say into the stage."""

    def __init__(self, settings: Settings, stage: Stage, exported: Exported, update: Update) -> None:
        topics = settings.topics()
        outputs = {"alerts": topics.alerts, "scores": topics.scores}
        self._settings = settings
        self._stage = stage
        self._exported = exported
        self._update = update
        self._kinds: dict[str, Kind] = {outputs.get(kind) or topics.inputs[kind]: kind for kind in KINDS}
        self._scores = topics.scores
        self._limits = Limits(settings.value_bytes_max, settings.future_tolerance_ms)
        self._now_ms = int(time.time() * 1000)
        self._rows = Rows()
        self._total = 0

    async def read(self) -> None:
        """Read everything that there is; raises TransportError where there is not even a topic of alerts."""
        cluster = await describe(self._settings)
        if self._settings.topics().alerts not in cluster.partitions and not cluster.embedded:
            raise TransportError(
                "there is nothing to export: no topic of alerts; `churnwatch doctor` says what is there"
            )
        first, ends = await offsets(self._settings, cluster, list(self._kinds))
        self._total = sum(end - first[tp] for tp, end in ends.items())
        await self._read(cluster, [self._scores])
        await self._read(cluster, [topic for topic in self._kinds if topic != self._scores])

    async def _read(self, cluster: Cluster, topics: Sequence[str]) -> None:
        async with aclosing(
            read_topics(self._settings, topics, cluster=cluster, isolation="read_committed")
        ) as records:
            async for record in records:
                if record is not None:
                    self._take(record)
        self._flush()

    def _take(self, record: ConsumerRecord) -> None:
        exported = self._exported
        exported.messages += 1
        try:
            self._sort(self._kinds[record.topic], record)
        except (Corrupt, NewerSchema) as error:
            exported.passed_over += 1
            exported.first_problem = exported.first_problem or (
                f"{record.topic}[{record.partition}] offset {record.offset}: {error}"
            )
        if len(self._rows) >= ROWS_AT_ONCE:
            self._flush()
        if exported.messages % SAID_EVERY == 0:
            self._update(exported.messages, f"{exported.messages:,} messages read", self._total)

    def _sort(self, kind: Kind, record: ConsumerRecord) -> None:
        said = rows_of(kind, raw(record), self._limits, self._now_ms)
        if isinstance(said, Gone):
            self._flush()
            self._stage.erase(said.customer_id, said.at_ms)
        elif not self._stage.is_gone(said.customer_id, record.timestamp):
            for row in said.rows:
                self._rows.add(row)

    def _flush(self) -> None:
        put_merged(self._stage, self._rows)
        self._rows = Rows()
