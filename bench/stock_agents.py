"""The rival: plain Faust agents that run the same pipeline, event by event. `python -m bench.stock_agents STREAMS EVENTS`.

What is the same as in the product: decoding, the customers kept in memory, the wake-ups, the pipeline, the model, the Redis store and
its one transaction per step, of which every event here is one of its own, as it must be where an agent is given one event at a time.

What it is spared: event-time order across topics (Faust has none), the outbox's acknowledgements, example batches, metrics. So the
comparison leans to its side. The clock starts with the first event in an agent and stops after the last transaction.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict
from typing import Any, Final

import faust

from agents.effects import Effects
from agents.guides import GuideBook
from agents.meta import Meta, decode_meta, encode_meta
from agents.outbox import encode_outgoing
from agents.record import Customer, decode_customer, encode_customer
from bench.children import collect_as_the_worker_does, in_store
from bench.measures import Run
from churnwatch import compose
from churnwatch.redis_client import redis_options
from churnwatch.settings import Settings
from churnwatch.settings_load import load_settings
from features.redis_client import connect
from features.redis_store import RedisStore
from features.store import Commit
from streams.codec import Arrival, Limits, RawRecord, decode
from streams.feed import NO_TIME_MS, event_ms
from streams.outgoing import Outgoing

Send = Callable[[Outgoing], Awaitable[None]]
WAKES_MAX: Final = 2_000


class Partition:
    """One partition's state, and what is done with an event of it; agents of several topics take turns."""

    def __init__(
        self, settings: Settings, topics: list[str], store: RedisStore, send: Send, costs: dict[str, float]
    ) -> None:
        self._pipeline = compose.pipeline(settings)
        self._guides = GuideBook(compose.frozen_guide(settings) or compose.first_guide())
        self._lateness_ms = settings.lateness_ms
        self._store = store
        self._send = send
        self._costs = costs
        self._meta = Meta()
        self._reached_ms = dict.fromkeys(topics, NO_TIME_MS)
        self._cache: dict[str, Customer] = {}
        self._sent = 0
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        """Claim the partition."""
        value = await self._store.open()
        self._meta = Meta() if value is None else decode_meta(value)

    async def take_in(self, item: Arrival, now_ms: int) -> Effects:
        """Read, step, commit, send: a step of one event."""
        async with self._turn:
            meta, topic = self._meta, item.record.topic
            self._reached_ms[topic] = max(self._reached_ms[topic], event_ms(item))
            known_ms = meta.clock_ms
            until_ms = max(known_ms, min(self._reached_ms.values()) - self._lateness_ms)
            started = time.perf_counter()
            due = await self._read(item.event.customer_id, until_ms)
            loaded = time.perf_counter()
            effects = self._pipeline.step(
                self._cache, [item], due, known_ms, until_ms, self._guides, now_ms, careful=False
            )
            meta.clock_ms = until_ms
            meta.offsets[topic] = item.record.offset + 1
            computed = time.perf_counter()
            await self._commit(effects)
            committed = time.perf_counter()
            for outgoing in effects.outgoing:
                await self._send(outgoing)
            self._costs["load"] += loaded - started
            self._costs["pipeline"] += computed - loaded
            self._costs["commit"] += committed - computed
            self._costs["publish"] += time.perf_counter() - committed
            return effects

    async def _read(self, customer: str, until_ms: int) -> list[str]:
        wanted = [] if customer in self._cache else [customer]
        values, due = await self._store.read(wanted, until_ms, WAKES_MAX)
        self._remember(wanted, values)
        woken = [woken for woken, _ in due if woken not in self._cache]
        if woken:
            self._remember(woken, await self._store.load(woken))
        return [woken for woken, _ in due]

    def _remember(self, customers: list[str], values: list[bytes | None]) -> None:
        for customer, value in zip(customers, values, strict=True):
            if value is not None:
                self._cache[customer] = decode_customer(value)

    async def _commit(self, effects: Effects) -> None:
        meta, cache = self._meta, self._cache
        meta.customers += effects.customers_added
        meta.open_episodes += effects.episodes_opened
        meta.commits += 1
        await self._store.commit(
            Commit(
                meta=encode_meta(meta),
                writes={customer: encode_customer(cache[customer]) for customer in effects.touched},
                deletes=list(effects.deleted),
                timers={customer: cache[customer].wake_ms for customer in effects.touched}
                | dict.fromkeys(effects.deleted),
                append=list(map(encode_outgoing, effects.outgoing)),
                trim=self._sent,
            )
        )
        self._sent = len(effects.outgoing)


class Rival:
    """The Faust application: an agent for each topic."""

    def __init__(self, settings: Settings, streams: list[str], events: int, datadir: str) -> None:
        self._settings = settings
        self._limits = Limits(settings.value_bytes_max, settings.future_tolerance_ms)
        self._left = events
        self._events = events
        self._started = self._ended = self._cpu = 0.0
        self.costs = dict.fromkeys(("decode", "load", "pipeline", "commit", "publish"), 0.0)
        self.outcomes: Counter[str] = Counter()
        self.scorings = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.app = faust.App(
            settings.kafka_group_id,
            broker=f"kafka://{settings.kafka_bootstrap}",
            store="memory://",
            datadir=datadir,
            web_enabled=False,
            autodiscover=False,
            topic_disable_leader=True,
            consumer_auto_offset_reset="earliest",
            stream_recovery_delay=0.0,
        )
        self._out: dict[str, Any] = {}
        client = connect(redis_options(settings))
        topics = [settings.topics().inputs[stream] for stream in streams]
        self._partitions = [
            Partition(settings, topics, RedisStore(client, settings.redis_namespace, number), self._send, self.costs)
            for number in range(settings.topic_partitions)
        ]
        for stream in streams:
            topic = self._topic(settings.topics().inputs[stream])
            self.app.agent(topic, name=f"bench.{stream}")(self._agent(stream))

    def _topic(self, name: str) -> Any:
        raw: dict[str, Any] = {"key_serializer": "raw", "value_serializer": "raw"}
        return self.app.topic(name, key_type=bytes, value_type=bytes, **raw)

    async def _send(self, outgoing: Outgoing) -> None:
        topic = self._out.get(outgoing.topic) or self._out.setdefault(outgoing.topic, self._topic(outgoing.topic))
        await topic.send(key=outgoing.key, value=outgoing.value)

    def _agent(self, stream: str) -> Callable[[Any], Awaitable[None]]:
        async def take_in(events: Any) -> None:
            try:
                await self._take_in(stream, events.events())
            except Exception as error:  # noqa: BLE001 - Faust would restart the agent and go on
                if not self.done.done():
                    self.done.set_exception(error)

        return take_in

    async def _take_in(self, stream: str, events: AsyncIterator[Any]) -> None:
        async for event in events:
            began = time.perf_counter()
            if not self._started:
                self._started, self._cpu = began, time.process_time()
            message = event.message
            record = RawRecord(
                message.topic,
                message.partition,
                message.offset,
                int(message.timestamp * 1000),
                message.key,
                message.value,
            )
            now_ms = time.time_ns() // 1_000_000
            item = decode(record, stream, self._limits, now_ms)
            self.costs["decode"] += time.perf_counter() - began
            if not isinstance(item, Arrival):
                raise TypeError(f"the log holds good events only: {item}")
            effects = await self._partitions[record.partition].take_in(item, now_ms)
            for (_, outcome), count in effects.outcomes.items():
                self.outcomes[outcome] += count
                self.outcomes["read"] += count
            self.scorings += sum(effects.scorings.values())
            self._left -= 1
            if not self._left:
                self._ended, self._cpu = time.perf_counter(), time.process_time() - self._cpu
                self.done.set_result(None)

    async def run(self) -> Run:
        """Take in all events."""
        for partition in self._partitions:
            await partition.open()
        self.app.finalize()
        await self.app.start()
        await self.done
        seconds = self._ended - self._started
        await self.app.producer.flush()
        return Run(
            self._events,
            seconds,
            dict(self.outcomes),
            scorings=self.scorings,
            costs=self.costs,
            cpu_seconds=self._cpu,
            **in_store(self._settings),
        )


async def main(streams: list[str], events: int) -> None:
    """Run the rival over `events` events, and print the run."""
    code = 1
    try:
        with tempfile.TemporaryDirectory(prefix="churnwatch-bench-") as folder:
            run = await Rival(load_settings(), streams, events, folder).run()
        print(json.dumps(asdict(run)), flush=True)
        code = 0
    except Exception:  # noqa: BLE001 - whatever it was, the process must end
        traceback.print_exc()
    # Faust takes seconds to stop, if it does, and nothing of this process is needed any more.
    os._exit(code)


if __name__ == "__main__":
    collect_as_the_worker_does()
    asyncio.run(main(sys.argv[1].split(","), int(sys.argv[2])))
