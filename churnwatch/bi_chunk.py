"""A chunk of records on their way into the database: what each says, what is passed over, what is of erased customers."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import psycopg

from bi.cells import instant
from bi.messages import Gone, Kind, Said, rows_of
from churnwatch.bi_database import Change, Database, Place
from churnwatch.bi_metrics import BiMetrics, Outcome
from streams.codec import Limits, RawRecord
from streams.errors import Corrupt, NewerSchema

log = logging.getLogger("churnwatch.bi")

QUIET_SECONDS: Final = 10.0


def hashed(customer_id: str) -> str:
    """Return what is remembered of a customer who was erased.

    >>> hashed("c")[:8]
    '2e7d2c03'
    """
    return hashlib.sha256(customer_id.encode("utf-8", "replace")).hexdigest()


@dataclass(slots=True)
class _Heard:
    """What a chunk says."""

    said: list[tuple[RawRecord, Kind, Said]] = field(default_factory=list)
    gone: list[Gone] = field(default_factory=list)
    counts: Counter[tuple[Kind, Outcome]] = field(default_factory=Counter)
    passed: Counter[Place] = field(default_factory=Counter)


class Loader:
    """Loads chunks, a transaction each.

    Args:
        database: fenced.
        kinds: what each topic carries.
        limits: of an event.
        positions: where each partition stands; moves on with each chunk.
        metrics: counts.
    """

    def __init__(
        self,
        database: Database,
        kinds: Mapping[str, Kind],
        limits: Limits,
        positions: dict[Place, tuple[int, int]],
        metrics: BiMetrics,
    ) -> None:
        self._database = database
        self._kinds = kinds
        self._limits = limits
        self._metrics = metrics
        self._said = time.monotonic() - QUIET_SECONDS
        self._passed = 0
        self.positions = positions
        self.loaded = 0
        self.passed_over = 0

    async def load(self, records: Sequence[RawRecord]) -> None:
        """Load records, each partition's in order: all of them in one transaction; return when the database holds them."""
        began = time.monotonic()
        heard = self._hear(records)
        change = await self._change(heard)
        for record in records:
            place = record.topic, record.partition
            change.positions[place] = record.offset + 1, self._passed_at(place) + heard.passed[place]
        try:
            await self._database.apply(change)
        except psycopg.DataError as error:
            await self._halve(records, error)
            return
        self._done(records, change, heard.counts, time.monotonic() - began)

    async def _halve(self, records: Sequence[RawRecord], error: psycopg.DataError) -> None:
        """Find the record that the database does not take, by halves; the others go in."""
        if len(records) > 1:
            middle = len(records) // 2
            await self.load(records[:middle])
            await self.load(records[middle:])
            return
        [record] = records
        self._pass_over(
            record, Corrupt(f"PostgreSQL does not take it ({type(error).__name__})")
        )  # its words may repeat the row
        place = record.topic, record.partition
        change = Change(positions={place: (record.offset + 1, self._passed_at(place) + 1)})
        await self._database.apply(change)
        self._done(records, change, Counter({(self._kinds[record.topic], "passed_over"): 1}), 0.0)

    def _hear(self, records: Sequence[RawRecord]) -> _Heard:
        heard, now_ms = _Heard(), time.time_ns() // 1_000_000
        for record in records:
            kind = self._kinds[record.topic]
            try:
                found = rows_of(kind, record, self._limits, now_ms)
            except (Corrupt, NewerSchema) as error:
                self._pass_over(record, error)
                heard.counts[kind, "passed_over"] += 1
                heard.passed[record.topic, record.partition] += 1
                continue
            if isinstance(found, Gone):
                heard.gone.append(found)
                heard.counts[kind, "loaded"] += 1
            else:
                heard.said.append((record, kind, found))
        return heard

    async def _change(self, heard: _Heard) -> Change:
        """Put together what the database is to hold; what Kafka held before a customer was erased is left out."""
        change = Change()
        for gone in heard.gone:
            known = hashed(gone.customer_id)
            change.gone[known] = gone.customer_id
            change.erased[known] = max(instant(gone.at_ms), change.erased.get(known, instant(0)))
        hashes = {said.customer_id: hashed(said.customer_id) for _, _, said in heard.said}
        erased = await self._database.erased([*hashes.values()]) if hashes else {}
        for known, at in change.erased.items():
            erased[known] = max(at, erased.get(known, at))
        for record, kind, said in heard.said:
            if _before(record, erased.get(hashes[said.customer_id])):
                heard.counts[kind, "erased"] += 1
                continue
            heard.counts[kind, "loaded"] += 1
            for row in said.rows:
                change.rows.add(row)
        return change

    def _done(
        self, records: Sequence[RawRecord], change: Change, counts: Counter[tuple[Kind, Outcome]], seconds: float
    ) -> None:
        self.positions |= change.positions
        self.loaded += len(records)
        self.passed_over += sum(count for (_, outcome), count in counts.items() if outcome == "passed_over")
        self._metrics.loaded(counts, len(change.rows), seconds)
        self._metrics.latest_ms = max(record.timestamp_ms for record in records)

    def _passed_at(self, place: Place) -> int:
        return self.positions.get(place, (0, 0))[1]

    def _pass_over(self, record: RawRecord, error: Exception) -> None:
        self._passed += 1
        if time.monotonic() - self._said >= QUIET_SECONDS:
            self._said = time.monotonic()
            where = f"{record.topic}[{record.partition}] offset {record.offset}"
            words = " ".join(str(error).split())
            log.warning("%d messages passed over so far, the latest %s: %s", self._passed, where, words)


def _before(record: RawRecord, erased_at: datetime | None) -> bool:
    return erased_at is not None and instant(max(record.timestamp_ms, 0)) <= erased_at
