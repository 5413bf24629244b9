"""Scenario `memory`: what a customer of a real shop costs in Redis, with a million of them there.

1. Customers drawn evenly from the log that `bench.retail` names are replayed to the log's end, with a frozen model, into memory.
2. Their states, as they are stored, go through the worker's own store into Redis, under new ids, until there are a million, each with
   its wake-up.
3. What Redis has in use then, less what it had before, is divided by a million: keys, values, tables, overhead.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from statistics import mean, median
from typing import Final

import redis

from bench import retail
from bench.contest import PARTITIONS, flush
from bench.measures import WrongAnswer
from bench.one_worker import learnt
from bench.scenario import Outcome, Say, Skipped, Table
from churnwatch import compose
from churnwatch.backtest import replay
from churnwatch.redis_client import redis_options
from churnwatch.services import Services
from churnwatch.settings import Settings
from features.redis_client import connect
from features.redis_store import RedisStore
from features.store import Commit, MemoryPartition

CUSTOMERS: Final = 1_000_000
SAMPLE: Final = 1_000
AT_ONCE: Final = 2_000
ALLOWED_BYTES: Final = 900
FAR_MS: Final = 1 << 60

Kept = tuple[bytes, int]
"""A customer's stored state, and the instant of the next wake-up."""


def run(services: Services, scratch: Path, say: Say) -> Outcome:
    """Run the scenario; raises Skipped without a real Redis, for what an embedded one takes says nothing."""
    if not services.real_redis:
        raise Skipped(f"it is measured in a redis-server, and there is none: {services.why_embedded}")
    return weigh(services, scratch, say, CUSTOMERS, SAMPLE)


def weigh(services: Services, scratch: Path, say: Say, customers: int, sample: int) -> Outcome:
    """Weigh so many customers, made of a sample of so many."""
    part = scratch / "sample.jsonl"
    drawn = retail.draw(retail.source(), part, sample)
    say(f"replaying {drawn} customers to the end of {retail.source().name}")
    kept = sorted(_kept(part, scratch / "model"))
    if not kept:
        raise WrongAnswer("no customer of the sample has any state at the log's end")
    say(f"filling Redis with {customers:,} customers")
    settings = Settings(redis_url=services.redis_url, redis_namespace="memory", topic_partitions=PARTITIONS)
    with redis.Redis.from_url(services.redis_url) as client:
        before = _used(client)
        asyncio.run(_fill(settings, kept, customers))
        each = (_used(client) - before) / customers
        found = int(client.dbsize())
    flush(services.redis_url)
    if found != (wanted := customers + 2 * PARTITIONS):
        raise WrongAnswer(f"Redis holds {found} keys; {wanted} were to be there: customers, and two for each partition")
    values = [len(state) for state, _ in kept]
    return Outcome(
        ratios={"allowed_to_redis_bytes_per_customer": ALLOWED_BYTES / each},
        goals={"allowed_to_redis_bytes_per_customer": 1.0},
        memory={"redis_bytes_per_customer": round(each, 1), "state_bytes_mean": round(mean(values), 1)},
        tables=[
            Table(
                f"Bytes per customer, {customers:,} of them",
                ("", "bytes"),
                [
                    ("in Redis, all told", f"{each:,.0f}"),
                    ("of which the stored state, mean", f"{mean(values):,.0f}"),
                    ("the stored state, median", f"{median(values):,.0f}"),
                    ("the stored state, largest", f"{max(values):,}"),
                ],
            )
        ],
        checks=[f"{customers:,} customers with a wake-up each are in Redis"],
        details={"source": retail.source().name, "sample": drawn, "with_state": len(kept), "customers": customers},
    )


def _kept(path: Path, model: Path) -> Iterator[Kept]:
    """Give the states and wake-ups that the customers of a file end with."""
    model.write_bytes(learnt(Settings(), path))
    settings = Settings(clock="replay", learning_enabled=False, model_file=model)
    now_ms = time.time_ns() // 1_000_000
    found = asyncio.run(replay(settings, [path], now_ms=now_ms, frozen=compose.frozen_guide(settings)))
    partition: MemoryPartition = found.partition
    for customer, due_ms in partition.timers.get(FAR_MS, len(partition.states) + 1):
        yield partition.states[customer], due_ms


async def _fill(settings: Settings, kept: list[Kept], customers: int) -> None:
    client = connect(redis_options(settings))
    stores = [RedisStore(client, settings.redis_namespace, number) for number in range(PARTITIONS)]
    for store in stores:
        await store.open()
    copies, commits = islice(enumerate(cycle(kept)), customers), 0
    while chunk := {f"c{number:07d}": copy for number, copy in islice(copies, AT_ONCE)}:
        commits += 1
        await stores[commits % PARTITIONS].commit(
            Commit(
                meta=str(commits).encode(),
                writes={customer: state for customer, (state, _) in chunk.items()},
                timers={customer: due_ms for customer, (_, due_ms) in chunk.items()},
            )
        )
    await client.aclose()


def _used(client: redis.Redis) -> int:
    return int(client.info("memory")["used_memory"])
