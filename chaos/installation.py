"""One installation of its own: topics, keys, consumer group; workers in processes of their own; what they have left behind.

What workers hold is read from Redis and Kafka only.
"""

import asyncio
import contextlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
import redis

from agents.meta import Meta, decode_meta
from chaos.topics import read
from chaos.workers import WorkerProcess, last_words
from churnwatch.child import free_port
from churnwatch.publish import publish_files
from churnwatch.services import Services
from churnwatch.settings import Settings
from churnwatch.settings_load import shown
from churnwatch.settings_sources import public_name
from churnwatch.topic_layout import create
from models.labels import Example, ExampleBatch, decode_batch
from streams.feed import NO_TIME_MS

PARTITIONS: Final = 4
WORK_SECONDS_MAX: Final = 90.0
LOOK_SECONDS: Final = 0.05
STILL_SECONDS: Final = 0.5


class StuckError(AssertionError):
    """What was waited for did not come; the message holds the workers' last words."""


@dataclass(frozen=True, slots=True)
class Held:
    """What Redis holds of all partitions."""

    metas: dict[int, Meta]
    customers: dict[str, bytes]
    timers: dict[str, int]
    outbox: list[bytes]


@dataclass
class Installation:
    """`start` workers, `publish`, `wait_for` them, and look.

    `detour`: further settings of the workers, by their outer names: the way on which they reach what `settings` leads to directly.
    """

    settings: Settings
    scratch: Path
    workers: list[WorkerProcess] = field(default_factory=list)
    detour: dict[str, str] = field(default_factory=dict)

    def environ(self, **changed: str) -> dict[str, str]:
        own = {public_name(name): shown(name, getattr(self.settings, name)) for name in self.settings.model_fields_set}
        bare = {name: value for name, value in os.environ.items() if not name.startswith("CHURNWATCH_")}
        return bare | own | {f"CHURNWATCH_{name}": value for name, value in changed.items()}

    def start(self, **changed: str) -> WorkerProcess:
        """Start a worker, with further settings by their outer names."""
        port = free_port()
        log = self.scratch / f"worker-{len(self.workers)}.log"
        worker = WorkerProcess(self.environ(WEB_PORT=str(port), **self.detour | changed), port, log)
        self.workers.append(worker)
        return worker

    def publish(self, path: Path) -> int:
        return asyncio.run(publish_files(self.settings, [path])).total

    def wait_for(self, condition: Callable[[], bool], seconds: float = WORK_SECONDS_MAX) -> None:
        """Wait until it holds; fail with the workers' last words where it does not, or where a worker has died."""
        watched = [worker for worker in self.workers if worker.running]
        deadline = time.monotonic() + seconds
        while not condition():
            dead = [worker for worker in watched if not worker.running]
            if dead or time.monotonic() > deadline:
                what = "a worker has ended" if dead else f"nothing after {seconds} s"
                raise StuckError(f"{what}; {self._progress()}\n{last_words(dead or watched)}")
            time.sleep(LOOK_SECONDS)

    def _progress(self) -> str:
        with contextlib.suppress(redis.RedisError):
            return str(self.held().metas)
        return "Redis does not answer"

    def until(self, until_ms: int) -> None:
        """Wait until the clock of every partition is there, nothing is left to be said, and nothing moves any more."""
        self.wait_for(lambda: self.reached(until_ms))

    def reached(self, until_ms: int) -> bool:
        """Whether the clock of every partition is there, nothing is left to be said, and nothing moves any more."""
        if until_ms > self._slowest_clock_ms() or self.held().outbox:
            return False
        before = self.metas()
        time.sleep(STILL_SECONDS)
        # Asked again after the rest: a worker goes by what it remembers until it finds that Redis was wiped under it.
        there = len(before) == self.settings.topic_partitions and until_ms <= self._slowest_clock_ms()
        return there and self.metas() == before

    def _slowest_clock_ms(self) -> int:
        # A clock that moves while nothing is due is not worth a transaction: only the worker itself knows of it.
        clocks = [clock for worker in self.workers if worker.running for clock in worker.clocks().values()]
        return NO_TIME_MS if len(clocks) < self.settings.topic_partitions else min(clocks)

    # -- Redis ---------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def redis(self) -> Iterator[Any]:
        client = redis.Redis.from_url(self.settings.redis_url)
        try:
            yield client
        finally:
            client.close()

    def metas(self) -> dict[int, Meta]:
        with self.redis() as client:
            keys = [f"{self.settings.redis_namespace}:{{{p}}}:meta" for p in range(self.settings.topic_partitions)]
            return {p: decode_meta(value) for p, value in enumerate(client.mget(keys)) if value is not None}

    def taken(self) -> int:
        """Records that the state reflects."""
        return sum(self.taken_of().values())

    def taken_of(self) -> dict[int, int]:
        """The same by partition."""
        return {partition: sum(meta.offsets.values()) for partition, meta in self.metas().items()}

    def held(self) -> Held:
        held = Held(self.metas(), {}, {}, [])
        with self.redis() as client:
            for p in range(self.settings.topic_partitions):
                tag = f"{self.settings.redis_namespace}:{{{p}}}:"
                keys = sorted(client.scan_iter(f"{tag}c:*", count=1000))
                values = client.mget(keys) if keys else []
                held.customers.update(
                    {key.decode().removeprefix(f"{tag}c:"): value for key, value in zip(keys, values, strict=True)}
                )
                due = client.zrange(f"{tag}timers", 0, -1, withscores=True)
                held.timers.update({key.decode(): int(score) for key, score in due})
        held.outbox.extend(self.outbox())
        return held

    def outbox(self) -> list[bytes]:
        """What is stored and not yet known to be with Kafka, of all partitions."""
        namespace, partitions = self.settings.redis_namespace, range(self.settings.topic_partitions)
        with self.redis() as client:
            return [entry for p in partitions for entry in client.lrange(f"{namespace}:{{{p}}}:outbox", 0, -1)]

    # -- Kafka ---------------------------------------------------------------------------------------------------------

    def alerts(self) -> list[Any]:
        """The records of the alert topic, repetitions included, partition by partition."""
        records = read(self.settings, self.settings.topics().alerts)
        return sorted(records, key=lambda record: (record.partition, record.offset))

    def examples(self) -> list[Example]:
        """All examples, each batch once, in no order that means anything; what a later life of a state found again counts once."""
        batches: dict[tuple[int, int, int], ExampleBatch] = {}
        lives: dict[int, Counter[bytes]] = {}
        for record in read(self.settings, self.settings.topics().examples):
            batch = decode_batch(record.value)
            number = (batch.source, batch.life, batch.seq)
            known = batches.setdefault(number, batch)
            assert known == batch, "a batch that is sent again is the same batch"
            if known is batch:
                lives.setdefault(batch.life, Counter()).update(map(msgspec.msgpack.encode, batch.examples))
        found: Counter[bytes] = Counter()
        for examples in lives.values():
            found |= examples
        return [msgspec.msgpack.decode(example, type=Example) for example in found.elements()]


@contextlib.contextmanager
def installation(
    services: Services, prefix: str, namespace: str, scratch: Path, *, create_all: bool = True, **settings: Any
) -> Iterator[Installation]:
    """Make the topics (unless told not to), give the installation, and end its workers, however the test goes."""
    made = Installation(
        Settings(
            kafka_bootstrap=services.bootstrap,
            kafka_timeout_ms="30s",  # a broker that has just begun, on a busy machine, is slow to elect leaders
            kafka_group_id=f"{prefix}workers",
            redis_url=services.redis_url,
            redis_namespace=namespace,
            topic_prefix=prefix,
            **{"topic_partitions": PARTITIONS} | settings,
        ),
        scratch,
    )
    try:
        if create_all and services.real_kafka:
            asyncio.run(create(made.settings))
        yield made
    finally:
        for worker in made.workers:
            worker.kill()


def unique(records: Iterable[Any], id_of: Callable[[bytes], str]) -> dict[str, bytes]:
    """Values by their ids; whatever comes again must be the same bytes."""
    found: dict[str, bytes] = {}
    for record in records:
        known = found.setdefault(id_of(record.value), record.value)
        assert known == record.value, "a message that is sent again is the same message"
    return found


def in_order(examples: Sequence[Example]) -> list[Example]:
    """Sort examples by customer and time."""
    return sorted(examples, key=lambda e: (e.customer, e.taken_ms, e.matured_ms))
