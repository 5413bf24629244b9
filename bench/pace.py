"""Sends a plan of events at its pace, and takes as little of the machine as it can: worker and broker share it with the load.

    python -m bench.pace      # a plan as JSON on standard input; prints how many were sent, and by how much the latest was late

1. All events are made before the first is sent; while they are sent only the instant is put in.
2. Every event occurs, by its own word and by its Kafka timestamp, at the instant at which it is due. Whatever holds it up on its way out,
   and whatever the broker and the worker then do with it, counts as latency.
3. Events are collected for `LINGER_SECONDS`, as Kafka's clients do, and go out in one request for all partitions, as its Java client's do.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

from aiokafka import AIOKafkaProducer, TopicPartition

from bench.growth_events import Plan, planned
from churnwatch.kafka import open_producer
from churnwatch.settings import Settings
from churnwatch.settings_load import load_settings
from streams.murmur2 import murmur2

LINGER_SECONDS: Final = 0.005
"""The default of Kafka's own client and of librdkafka; the wait counts as latency."""

BATCH_BYTES: Final = 1 << 20
"""Never filled: a pause of the machine is no reason to hold back, or the pause would not be seen."""

AT: Final = "\0"
SIGNED: Final = 0x7FFFFFFF

Due = tuple[TopicPartition, bytes, bytes, bytes]
"""Where to, key, and what comes before and after the instant in the value."""


def made_ready(settings: Settings, plan: Plan) -> list[Due]:
    """Make the events of a plan, all but the instants, in the order in which they are due."""
    topics, partitions = settings.topics().inputs, settings.topic_partitions
    numbers: dict[str, int] = {}
    ready = []
    for stream, customer, value in planned(plan, AT):
        if customer not in numbers:
            numbers[customer] = (murmur2(customer.encode()) & SIGNED) % partitions
        head, _, tail = value.partition(AT)
        ready.append(
            (TopicPartition(topics[stream], numbers[customer]), customer.encode(), head.encode(), tail.encode())
        )
    return ready


class Outgoing:
    """Batches under way: one of each partition at a time, and what comes meanwhile waits for the next."""

    def __init__(self, client: AIOKafkaProducer) -> None:
        self._client = client
        self._filling: dict[TopicPartition, Any] = {}
        self._sent: dict[TopicPartition, asyncio.Future[Any]] = {}

    def put(self, event: Due, at_ms: int) -> None:
        """Add an event to the next batch of its partition."""
        partition, key, head, tail = event
        if partition not in self._filling:
            self._filling[partition] = self._client.create_batch()
        if self._filling[partition].append(key=key, value=b"%b%d%b" % (head, at_ms, tail), timestamp=at_ms) is None:
            raise RuntimeError(f"more than {BATCH_BYTES:,} bytes wait for {partition}: the broker does not keep up")

    async def send(self) -> None:
        """Send what waits, save where the batch before is not acknowledged yet."""
        for partition in list(self._filling):
            sent = self._sent.get(partition)
            if sent is None or sent.done():
                if sent is not None:
                    sent.result()
                batch = self._filling.pop(partition)
                self._sent[partition] = await self._client.send_batch(
                    batch, partition.topic, partition=partition.partition
                )

    async def flush(self) -> None:
        """Send all that is left, and wait until all is acknowledged."""
        while self._filling:
            await asyncio.gather(*self._sent.values())
            await self.send()
        await asyncio.gather(*self._sent.values())


async def send_at_pace(settings: Settings, plan: Plan) -> dict[str, Any]:
    """Send as planned; returns how many were sent, in how many seconds, and by how much the latest was late."""
    ready = made_ready(settings, plan)
    gc.freeze()  # or it would be looked through again and again
    async with open_producer(settings, max_batch_size=BATCH_BYTES) as client:
        for topic in settings.topics().inputs.values():
            await client.partitions_for(topic)
        outgoing, sent, late = Outgoing(client), 0, 0.0
        started, begin_ms = time.perf_counter(), time.time_ns() // 1_000_000
        while sent < len(ready):
            since = time.perf_counter() - started
            due = min(int(since * plan.per_second), len(ready))
            late = max(late, since - sent / plan.per_second)
            _put(outgoing, ready, sent, due, begin_ms, plan.per_second)
            sent = due
            await outgoing.send()
            await asyncio.sleep(LINGER_SECONDS)
        seconds = time.perf_counter() - started
        await outgoing.flush()
    return {"sent": sent, "seconds": round(seconds, 3), "late_ms_max": round(1000 * late, 1)}


def _put(outgoing: Outgoing, ready: Sequence[Due], sent: int, due: int, begin_ms: int, per_second: float) -> None:
    for number in range(sent, due):
        outgoing.put(ready[number], begin_ms + int(1000 * number / per_second))


def main() -> None:
    """Send the plan on standard input, and print what became of it."""
    plan = Plan(**json.load(sys.stdin))
    print(json.dumps(asyncio.run(send_at_pace(load_settings(), plan))), flush=True)


if __name__ == "__main__":
    main()
