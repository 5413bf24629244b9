"""The console's goals, from the learner's ledger; and its sources, from the partitions' own bookkeeping. Both read from Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from aiokafka import TopicPartition
from redis.exceptions import RedisError

from agents.meta import Meta, decode_meta
from agents.sources import latest_heard
from alerts.goals import KPIS, figure, verdict
from alerts.kpi_sums import WINDOW_MONTHS
from alerts.ledger import Ledger
from churnwatch.compose import policy
from churnwatch.console_library import away
from churnwatch.kafka import describe
from churnwatch.kpi import steering
from churnwatch.learner_access import open_learner_store
from churnwatch.ledger_read import ledger_in
from churnwatch.settings import Settings
from churnwatch.topic_layout import common_count
from churnwatch.topic_reader import offsets
from console.steering import Goal, Progress, Source
from features.redis_client import Client
from features.redis_layout import Layout
from streams.errors import StoreUnavailable
from streams.time import DAY_MS

LEDGER_SECONDS: Final = 60.0
"""How long figures by month are good for: they move once a day, and the learner's state is megabytes."""

SOURCES_SECONDS: Final = 10.0


class LedgerSteering:
    """Reads the ledger now and then; writes nothing."""

    def __init__(self, settings: Settings, client: Client) -> None:
        self._settings = settings
        self._client = client
        self._read: tuple[float, Progress | None] | None = None
        self._turn = asyncio.Lock()

    async def look(self) -> Progress | None:
        """Return the figures, a minute old at most."""
        async with self._turn:
            known = self._read
            if known is not None and time.monotonic() - known[0] < LEDGER_SECONDS:
                return known[1]
            store = open_learner_store(self._client, self._settings)
            try:
                state, _ = await store.open()  # reads only: what fences writers is the head that a commit expects
            except (StoreUnavailable, RedisError, OSError) as error:
                raise away(error) from error
            finally:
                await store.close()
            found = await asyncio.to_thread(
                lambda: progress_of(ledger_in(state, policy(self._settings)), self._settings)
            )
            self._read = (time.monotonic(), found)
            return found


def progress_of(ledger: Ledger, settings: Settings) -> Progress | None:
    """Return the figures of `churnwatch kpi` for the latest months booked; None where none is."""
    goals = settings.goals()
    told = steering(ledger, goals, settings.horizon_ms // DAY_MS, WINDOW_MONTHS)
    if not told.months:
        return None
    found = {kpi.name: figure(kpi.name, told.whole, told.saved_a_month) for kpi in KPIS}
    retention = goals.get("retention")
    return Progress(
        months=told.months,
        answers=told.whole.stayed + told.whole.left,
        churn=told.whole.churn,
        churn_target=None if retention is None else 1.0 - retention,
        goals=[
            Goal(kpi.name, kpi.unit, found[kpi.name], goals.get(kpi.name), verdict(kpi, found[kpi.name], goals))
            for kpi in KPIS
        ],
    )


class MetaSources:
    """Reads what each partition has heard, and asks Kafka what waits."""

    def __init__(self, settings: Settings, client: Client) -> None:
        self._settings = settings
        self._client = client
        self._read: tuple[float, Sequence[Source]] | None = None
        self._turn = asyncio.Lock()

    async def look(self) -> Sequence[Source]:
        """Return the sources, some seconds old at most."""
        async with self._turn:
            known = self._read
            if known is not None and time.monotonic() - known[0] < SOURCES_SECONDS:
                return known[1]
            settings = self._settings
            cluster = await describe(settings)
            topics = {
                stream: topic for stream, topic in settings.topics().inputs.items() if topic in cluster.partitions
            }
            partitions = common_count(cluster.partitions[topic] for topic in topics.values()) or 0
            try:
                values = [await self._client.get(Layout(settings.redis_namespace, p).meta) for p in range(partitions)]
            except (RedisError, OSError) as error:
                raise away(error) from error
            metas = [decode_meta(value) if isinstance(value, bytes) else None for value in values]
            begins, ends = await offsets(settings, cluster, list(topics.values()))
            # A replay ends, and that is no outage.
            now_ms = time.time_ns() // 1_000_000 if settings.clock == "live" else None
            found = [
                replace(source, telling=source.stream in settings.silence_sources.split(","))
                for source in sources_of(topics, metas, begins, ends, now_ms, settings.source_silent_ms)
            ]
            self._read = (time.monotonic(), found)
            return found


def sources_of(
    topics: Mapping[str, str],
    metas: Sequence[Meta | None],
    begins: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
    now_ms: int | None,
    silent_ms: int,
) -> list[Source]:
    """Return what there is to say of each source.

    Args:
        topics: stream to topic.
        metas: the partitions' bookkeeping; None where there is none.
        begins: the oldest offset that Kafka holds.
        ends: the next to be written.
        now_ms: the wall clock; None in a replay.
        silent_ms: how long is too long.
    """
    heard_ms = latest_heard(meta.heard_ms for meta in metas if meta is not None)
    waiting = dict.fromkeys(topics.values(), 0)
    for tp, end in ends.items():
        meta = metas[tp.partition] if tp.partition < len(metas) else None
        taken = 0 if meta is None else meta.offsets.get(tp.topic, 0)
        waiting[tp.topic] += max(0, end - max(taken, begins.get(tp, 0)))
    return [
        Source(
            stream,
            topic,
            at_ms := heard_ms.get(topic),
            waiting[topic],
            # A backlog is no silence: it is the workers who are late.
            silent=now_ms is not None and at_ms is not None and not waiting[topic] and now_ms - at_ms > silent_ms,
        )
        for stream, topic in topics.items()
    ]
