"""Rival (a): the loop that a good engineer would write around the pipeline with aiokafka. `python -m bench.handwritten STREAMS EVENTS`.

1. `getmany` fetches; records are decoded and put into event-time order by the same merge feed.
2. Every partition with something to do takes a chunk: one read and one transaction in Redis, the same writes as the worker's.
3. What is to be said is sent, and awaited before the partition's next transaction trims it.

What it is spared: metrics, health, logs, the consumer group and its rebalancing, retries, marks for the learner, the commit of offsets to the group, a second topic that grows
while it runs (it asks once where the topics end), and a supervisor. It shows what this approach can come to, and what the rest costs.
The clock starts when the first partition is claimed, as the worker's does, and stops after the last transaction.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import asdict
from typing import Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from agents.clock import PartitionClock
from agents.customers import Customers
from agents.guides import GuideBook
from agents.meta import Meta, encode_meta
from agents.outbox import encode_outgoing
from agents.record import encode_customer
from bench.children import collect_as_the_worker_does, in_store
from bench.measures import Run
from churnwatch import compose
from churnwatch.kafka import client_options
from churnwatch.redis_client import redis_options
from churnwatch.settings import Settings
from churnwatch.settings_load import load_settings
from features.redis_client import connect
from features.redis_store import RedisStore
from features.store import Commit
from streams.codec import Arrival, Limits, RawRecord, decode_chunk
from streams.feed import MergeFeed

CHUNK_BYTES_MAX: Final = 64 << 20
FEED_MAX: Final = 10_000
"""Records of a topic and partition that may wait for the others; beyond it the topic is not fetched."""


class Part:
    """One partition: its feed, its state, its step."""

    def __init__(self, settings: Settings, store: RedisStore, topics: list[str], producer: AIOKafkaProducer) -> None:
        self.feed = MergeFeed(topics, CHUNK_BYTES_MAX)
        self.meta = Meta()
        self.outcomes: Counter[str] = Counter()
        self.scorings = 0
        self._pipeline = compose.pipeline(settings)
        self._guides = GuideBook(compose.frozen_guide(settings) or compose.first_guide())
        self._clock = PartitionClock(settings.lateness_ms, _now_ms, live=False)
        self._limits = compose.step_limits(settings, settings.topic_partitions)
        self._store = store
        self._customers = Customers(store, self._limits.cache_max)
        self._producer = producer
        self._sent: list[asyncio.Future[object]] = []

    async def open(self) -> None:
        """Claim the partition; it has no state yet."""
        await self._store.open()
        self.meta.claim = _now_ms()
        await self._store.commit(Commit(meta=encode_meta(self.meta)))

    async def step(self, ended: frozenset[str]) -> bool:
        """Take one chunk in; False where there was nothing to do."""
        meta, customers = self.meta, self._customers
        batch = self.feed.take(self._limits.events_max, self._limits.bytes_max, None, ended)
        known_ms = self._clock.known_ms(meta)
        meta.take(batch.heard_ms, _now_ms())
        until_ms = reached_ms = self._clock.target_ms(meta, self.feed, ended)
        mentioned = {item.event.customer_id for item in batch.items if isinstance(item, Arrival)}
        due = await customers.fetch(mentioned, until_ms, self._limits.wakes_max)
        if not batch.items and not due:
            return False
        if len(due) >= self._limits.wakes_max:
            until_ms, reached_ms = due[-1][1], due[-1][1] - 1
        woken = [customer for customer, _ in due]
        effects = self._pipeline.step(
            customers, batch.items, woken, known_ms, until_ms, self._guides, _now_ms(), careful=False
        )
        meta.clock_ms = max(meta.clock_ms, reached_ms)
        meta.offsets.update(batch.next_offsets)
        meta.open_episodes += effects.episodes_opened
        meta.customers += effects.customers_added
        meta.commits += 1
        await asyncio.gather(*self._sent)
        await self._store.commit(
            Commit(
                meta=encode_meta(meta),
                writes={customer: encode_customer(customers[customer]) for customer in effects.touched},
                deletes=list(effects.deleted),
                timers={customer: customers[customer].wake_ms for customer in effects.touched}
                | dict.fromkeys(effects.deleted),
                append=list(map(encode_outgoing, effects.outgoing)),
                trim=len(self._sent),
            )
        )
        self._sent = [await self._producer.send(out.topic, out.value, out.key) for out in effects.outgoing]
        customers.trim()
        for (_, outcome), count in effects.outcomes.items():
            self.outcomes[outcome] += count
            self.outcomes["read"] += count
        self.scorings += sum(effects.scorings.values())
        return True


async def take_in(settings: Settings, streams: list[str], events: int) -> Run:
    """Take all events of these streams' topics in."""
    topics = [settings.topics().inputs[stream] for stream in streams]
    client = connect(redis_options(settings))
    limits = Limits(settings.value_bytes_max, settings.future_tolerance_ms)
    consumer = AIOKafkaConsumer(**client_options(settings), enable_auto_commit=False)
    producer = AIOKafkaProducer(**client_options(settings), enable_idempotence=True, linger_ms=5)
    await producer.start()
    await consumer.start()
    numbers = range(settings.topic_partitions)
    tps = {TopicPartition(topic, number) for topic in topics for number in numbers}
    ends = await consumer.end_offsets(tps)
    consumer.assign(list(tps))
    await consumer.seek_to_beginning()
    parts = [
        Part(settings, RedisStore(client, settings.redis_namespace, number), topics, producer) for number in numbers
    ]
    started, cpu = time.perf_counter(), time.process_time()
    for part in parts:
        await part.open()
    pushed = dict.fromkeys(tps, 0)
    while sum(part.outcomes["read"] for part in parts) < events or any(await _steps(parts, pushed, ends)):
        for tp, records in (await consumer.getmany(timeout_ms=50, max_records=8_000)).items():
            raw = [RawRecord(tp.topic, tp.partition, r.offset, r.timestamp, r.key, r.value) for r in records]
            items = decode_chunk(raw, settings.topics().stream_of(tp.topic), limits, _now_ms())
            parts[tp.partition].feed.push(tp.topic, items)
            pushed[tp] = records[-1].offset + 1
        while any(await _steps(parts, pushed, ends)):
            pass
        full = {tp for tp in tps if parts[tp.partition].feed.buffered(tp.topic) > FEED_MAX}
        consumer.resume(*(consumer.paused() - full))
        consumer.pause(*full)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    await producer.stop()
    await consumer.stop()
    await client.aclose()
    outcomes = dict(sum((part.outcomes for part in parts), Counter[str]()))
    scorings = sum(part.scorings for part in parts)
    return Run(events, seconds, outcomes, scorings=scorings, cpu_seconds=cpu, **in_store(settings))


async def _steps(parts: list[Part], pushed: dict[TopicPartition, int], ends: dict[TopicPartition, int]) -> list[bool]:
    """Let every partition take a chunk in, side by side."""
    ended: list[set[str]] = [set() for _ in parts]
    for tp, end in ends.items():
        if pushed[tp] >= end:
            ended[tp.partition].add(tp.topic)
    return await asyncio.gather(*(part.step(frozenset(over)) for part, over in zip(parts, ended, strict=True)))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    collect_as_the_worker_does()
    print(json.dumps(asdict(asyncio.run(take_in(load_settings(), sys.argv[1].split(","), int(sys.argv[2]))))))
