"""One run: a shop, its log, a few workers, a Kafka, a Redis, and what strikes them; driven to the end in virtual time.

Author -> Broker's logs -> Consumer -> Assignments -> PartitionRunner -> Redis (stores in memory)
              ^                                             |
              +------- example topic <---- PublisherPort <-- Outbox ----> Watch (checks at every instant)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random

from agents.effects import Effects
from agents.meta import Meta, decode_meta
from agents.runner import PartitionRunner
from models.store import decode_head
from simulation.broker import Broker
from simulation.faults import FaultPlan, Faults
from simulation.group import Group
from simulation.life import Life
from simulation.loop import Standstill, virtual_loop
from simulation.redis import Redis
from simulation.shop import START_MS, Shop
from simulation.trace import Trace
from simulation.watch import Watch
from simulation.worker import Worker
from streams.codec import RawRecord
from streams.feed import Batch
from streams.time import DAY_MS

CALM_SECONDS = 40.0
"""From when on nothing strikes any more, whatever is left of the plan."""

PATIENCE_SECONDS = 240.0
"""When everything must be done."""

LOOK_SECONDS = 0.25
WORKERS_MAX = 3


@dataclass(frozen=True, slots=True)
class Scene:
    """What a run is made of.

    Attributes:
        shop: the configuration of every worker.
        records: the log, in order of arrival.
        workers: how many there are at the start.
        faults: what may strike.
        rng_seed: for everything that is left to chance.
        wall_end_ms: live: when the wall stops; replay: what it says at the start.
        speed_ms: live: milliseconds of the wall in a virtual second.
    """

    shop: Shop
    records: Sequence[RawRecord]
    workers: int
    faults: FaultPlan
    rng_seed: str
    wall_end_ms: int
    speed_ms: int = 0


@dataclass
class Run:
    """A run, and what came of it."""

    scene: Scene
    show: Callable[[str], None] | None = None
    seconds: float = 0.0
    workers: dict[str, Worker] = field(default_factory=dict)

    def play(self) -> Run:
        """Run to the end, or to the first violation."""
        with virtual_loop() as loop:
            self._loop = loop
            self.trace = Trace(loop.time, self.show)
            self.faults = Faults(self.scene.faults, Random(self.scene.rng_seed), self.trace)
            shop = self.scene.shop
            places = {(topic, number): list[RawRecord]() for topic in shop.inputs for number in range(shop.partitions)}
            places[shop.examples, 0] = []
            self.watch = Watch(shop.partitions, places, exact=not (shop.live or shop.learns))
            self.broker = Broker(self.watch, shop.examples, places)
            self.watch.noted = self.broker.noted
            self.redis = Redis(shop.partitions, self.faults, self.watch)
            self._names = (f"w{number}" for number in count(1))
            try:
                loop.run_until_complete(self._main())
            except Standstill as standstill:
                self.watch.broken(f"liveness: {standstill}")
            self.seconds = loop.time()
            for worker in self.workers.values():
                worker.life.end(requests_lost=True)
        return self

    # -- the course of a run -------------------------------------------------------------------------------------------

    async def _main(self) -> None:
        shop = self.scene.shop
        topics = {topic: 1 if topic == shop.examples else shop.partitions for topic in shop.topics}
        self.group = Group(topics, self.trace)
        tasks = [asyncio.create_task(self.group.run()), asyncio.create_task(self._produce())]
        for _ in range(self.scene.workers):
            self._start_worker()
        tasks.append(asyncio.create_task(self._look_around()))
        over = asyncio.create_task(self.watch.over.wait())
        await asyncio.wait([over], timeout=PATIENCE_SECONDS)
        if not over.done():
            self.watch.broken(f"liveness: not done after {PATIENCE_SECONDS:.0f} s: {self.missing()}")
        for task in (*tasks, over):
            task.cancel()

    def wall_ms(self) -> int:
        """The true time."""
        scene = self.scene
        if not scene.speed_ms:
            return scene.wall_end_ms + int(self._loop.time() * 1000)
        return min(scene.wall_end_ms, START_MS + int(self._loop.time() * scene.speed_ms))

    async def _produce(self) -> None:
        """Bring the records to Kafka: all at once in replay, as the wall goes on when live."""
        for record in self.scene.records:
            if self.scene.speed_ms:
                ahead_ms = record.timestamp_ms - self.wall_ms()
                if ahead_ms > 0:
                    await asyncio.sleep(ahead_ms / self.scene.speed_ms)
            self.broker.append(record)
        self._produced = True

    async def _look_around(self) -> None:
        """Save Redis now and then, see that faults end, and that all is done."""
        while not self.watch.over.is_set():
            await asyncio.sleep(LOOK_SECONDS)
            if self._loop.time() > self._calm_from:
                self.faults.calm()
            if "rollback" in self.scene.faults.chances and self.faults.rng.random() < 0.3:
                self.redis.save()
            if self._produced and not self.missing():
                self.faults.calm()  # nothing may strike between the end and the looking at it
                self.watch.over.set()

    _produced = False

    @property
    def _calm_from(self) -> float:
        scene = self.scene
        return CALM_SECONDS if not scene.speed_ms else (scene.wall_end_ms - START_MS) / scene.speed_ms

    def missing(self) -> str:
        """What is still to be done; empty where all is."""
        return next(self._missing(), "")

    def _missing(self) -> Iterator[str]:
        shop, logs = self.scene.shop, self.broker.logs
        end_ms = shop.until_ms
        if end_ms is None:
            end_ms = self.scene.wall_end_ms - self.scene.faults.skew_ms_max
        for partition, data in enumerate(self.redis.partitions):
            meta = Meta() if data.meta is None else decode_meta(data.meta)
            for topic in shop.inputs:
                if meta.offsets.get(topic, 0) < len(logs[topic, partition]):
                    yield f"{topic}[{partition}] is at {meta.offsets.get(topic, 0)} of {len(logs[topic, partition])}"
            # A clock that moves on with nothing due is not stored.
            if meta.mark_ms < shop.limits.mark_ms(end_ms):
                yield f"the mark of partition {partition} is {(end_ms - meta.mark_ms) / DAY_MS:.2f} days before the end"
            if due := data.timers.get(end_ms, 1):
                yield f"{due[0][0]} of partition {partition} is still to be woken"
            if data.outbox:
                yield f"{len(data.outbox)} messages are in the outbox of partition {partition}"
        head, end = decode_head(self.redis.learner.head), len(logs[shop.examples, 0])
        if shop.learns and head.next_offset < end:
            yield f"the learner is at {head.next_offset} of {end}"

    # -- lives ---------------------------------------------------------------------------------------------------------

    def _start_worker(self) -> None:
        skew_ms = self.faults.rng.randint(-1, 1) * self.scene.faults.skew_ms_max
        life = Life(next(self._names), self.faults, self._strike, Random(self.faults.rng.random()), skew_ms)
        worker = Worker(
            life, self.scene.shop, self.redis, self.broker, self.group, self.wall_ms, self._stepped, self._failed
        )
        self.workers[life.name] = worker
        self.trace(life.name, "starts")
        worker.start()

    def _stepped(self, runner: PartitionRunner, batch: Batch, effects: Effects) -> None:
        self.trace(
            f"p{runner.partition}", f"step {runner.meta.commits}: {len(batch.items)} in, {len(effects.outgoing)} out"
        )
        self.watch.stepped(runner.partition, batch, effects, self.scene.shop.events)

    def _failed(self, life: Life, error: BaseException) -> None:
        if life.alive:
            self.watch.broken(f"liveness: {life.name} fails for good: {error!r}")

    def _later(self, seconds: float, call: Callable[[], object]) -> None:
        self._loop.call_later(seconds, call)

    def _strike(self, life: Life, kind: str) -> None:
        """A fault has struck a life; it is undone after a while, one way or another."""
        rng, worker = self.faults.rng, self.workers[life.name]
        away = rng.random() * 5
        if kind == "crash":
            life.end(requests_lost=rng.random() < 0.5)
            self.group.watch(worker, lambda: True)
            self._later(0.2 + away, self._start_worker)
        elif kind == "pause":
            life.pause()
            self.group.watch(worker, lambda: life.paused)
            self._later(0.2 + away, lambda: self._resume(worker))
        elif kind == "cut":
            self.group.leave(worker)
            self._later(away, lambda: self._hear(worker))
        elif kind == "leave":
            life.spawn(worker.leave(), "leave")
            self._later(0.2 + away, self._start_worker)
        elif kind == "rebalance":
            if sum(worker.life.alive for worker in self.workers.values()) < WORKERS_MAX:
                self._start_worker()
            else:
                self.group.rebalance()

    def _resume(self, worker: Worker) -> None:
        if worker.life.alive:
            self.trace(worker.life.name, "goes on")
            worker.life.resume()
            self._later(0.3, lambda: self._hear(worker))

    def _hear(self, worker: Worker) -> None:
        """A worker that is no member any more learns of it, gives up what it has, and joins again."""
        if worker.life.alive and not worker.leaving and not self.group.is_member(worker):
            worker.life.spawn(worker.revoke(self.group.generation + 1), "revoke")
