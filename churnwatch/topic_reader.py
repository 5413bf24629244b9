"""Read topics from their beginning, outside any consumer group: for commands that list what is there."""

import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Final, Literal

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from churnwatch.kafka import Cluster, answering, describe, open_consumer, unreachable
from churnwatch.settings import Settings

FETCH_WAIT_MS: Final = 250
FETCH_RECORDS_MAX: Final = 5000


def partitions_of(cluster: Cluster, topics: Sequence[str]) -> list[TopicPartition]:
    """Give the partitions of those topics that exist."""
    return [TopicPartition(topic, p) for topic in topics for p in range(cluster.partitions.get(topic, 0))]


async def offsets(
    settings: Settings, cluster: Cluster, topics: Sequence[str]
) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
    """Give the first offset that is still there, and the next one to be written, of every partition of the topics."""
    wanted = partitions_of(cluster, topics)
    if not wanted:
        return {}, {}
    async with open_consumer(settings) as consumer, answering(settings):
        return await consumer.beginning_offsets(wanted), await consumer.end_offsets(wanted)


async def read_topics(
    settings: Settings,
    topics: Sequence[str],
    *,
    follow: bool = False,
    cluster: Cluster | None = None,
    isolation: Literal["read_uncommitted", "read_committed"] = "read_uncommitted",
) -> AsyncGenerator[ConsumerRecord | None, None]:
    """Yield every record of those topics that exist, oldest first within a partition.

    Once, at what was the end when it began, it yields None. Without `follow` it stops there. Whoever stops reading
    earlier closes it (`contextlib.aclosing`), and with it the connection.

    Raises:
        TransportError: the brokers do not answer, or no longer.
    """
    wanted = partitions_of(cluster or await describe(settings), topics)
    if not wanted:
        yield None
        return
    async with open_consumer(settings, isolation_level=isolation) as consumer:
        consumer.assign(wanted)
        async with answering(settings):
            first = await consumer.beginning_offsets(wanted)
            ends = await consumer.end_offsets(wanted)
        for tp in wanted:
            consumer.seek(tp, first[tp])
        async with aclosing(_up_to(settings, consumer, ends)) as records:
            async for record in records:
                # Without this a command that itself causes records, such as a replay, could chase its own tail.
                if follow or record.offset < ends[TopicPartition(record.topic, record.partition)]:
                    yield record
        yield None
        while follow:
            for chunk in (await consumer.getmany(timeout_ms=FETCH_WAIT_MS)).values():
                for record in chunk:
                    yield record


async def _up_to(
    settings: Settings, consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]
) -> AsyncGenerator[ConsumerRecord, None]:
    waiting = {tp for tp, end in ends.items() if not await _passed(consumer, tp, end)}
    moved_seconds = time.monotonic()
    while waiting:
        chunks = await consumer.getmany(*waiting, timeout_ms=FETCH_WAIT_MS, max_records=FETCH_RECORDS_MAX)
        for records in chunks.values():
            for record in records:
                yield record
        passed = {tp for tp in waiting if await _passed(consumer, tp, ends[tp])}
        waiting -= passed
        if chunks or passed:
            moved_seconds = time.monotonic()
        elif time.monotonic() - moved_seconds > settings.kafka_timeout_ms / 1000:
            raise unreachable(settings, f"no records come, {len(waiting)} partitions are not read to their end")


async def _passed(consumer: AIOKafkaConsumer, tp: TopicPartition, end: int) -> bool:
    # The position, not the last record's offset: compaction and transactions leave gaps, also at the end.
    return int(await consumer.position(tp)) >= end
