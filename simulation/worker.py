"""One worker of the simulation: the production runners, outboxes, follower and assignments, with simulated ports in their hands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from faust.types import TP

from agents.clock import PartitionClock
from agents.effects import Effects
from agents.follow import Follower
from agents.guides import GuideBook
from agents.ingest import Assignments, TopicSource
from agents.learn import LearnerConfig, LearnerRunner
from agents.outbox import Outbox
from agents.runner import PartitionRunner
from agents.turns import Turns
from features.store import PartitionStore
from models.learner import Learner
from models.store import LearnerStore
from simulation.broker import Broker, PublisherPort
from simulation.consumer import Consumer
from simulation.group import Group
from simulation.life import Life
from simulation.redis import LearnerPort, LivesPort, PartitionPort, Redis
from simulation.shop import Shop
from streams.chunk import Chunk
from streams.codec import RawRecord, decode_chunk
from streams.errors import StateError
from streams.feed import Batch
from streams.transport import ChunkConsumer

FOLLOW_SECONDS = 0.4
DRAIN_SECONDS = 2.0


class Observer:
    """What the runners of one life tell: passed on to the checkers, unless the life is over."""

    def __init__(self, life: Life, stepped: Callable[[PartitionRunner, Batch, Effects], None]) -> None:
        self._life = life
        self._stepped = stepped

    def stepped(self, runner: PartitionRunner, batch: Batch, effects: Effects, seconds: Mapping[str, float]) -> None:  # noqa: ARG002
        if self._life.alive:
            self._stepped(runner, batch, effects)

    def published(self, runner: PartitionRunner, effects: Effects) -> None:
        """The broker has told the checkers already."""

    def answered(self) -> None:
        """Nobody asks after a simulated Redis."""

    def waiting(self, partition: int, why: StateError) -> None:
        """Waiting is what it shall do."""

    def fenced(self, partition: int) -> None:
        """The store has told the checkers already."""

    def learnt(self, learner: Learner, waiting_batches: int) -> None:
        """The store has told the checkers already."""

    def learner_waiting(self, why: StateError) -> None:
        """Waiting is what it shall do."""


class Worker:
    """A process with its runners; see `churnwatch.worker` for the real one.

    Args:
        life: the process.
        shop: what all workers are configured with.
        redis, broker, group: the world around.
        wall_ms: the true time; the life's own clock goes wrong by its skew.
        stepped: told of every step whose transaction has succeeded.
        failed: told of an error that no retry would mend.
    """

    def __init__(
        self,
        life: Life,
        shop: Shop,
        redis: Redis,
        broker: Broker,
        group: Group,
        wall_ms: Callable[[], int],
        stepped: Callable[[PartitionRunner, Batch, Effects], None],
        failed: Callable[[Life, BaseException], None],
    ) -> None:
        self.life = life
        self._shop = shop
        self._redis = redis
        self._broker = broker
        self._group = group
        self._wall_ms = wall_ms
        self._observer = Observer(life, stepped)
        self._guides = GuideBook(shop.guide, shop.epoch_ms)
        self._tell_failed = failed
        self._changing = asyncio.Lock()
        self._turns = Turns()
        self.leaving = False
        self._asked = self._given = 0
        self._follower = Follower(self._learner_store(), self._guides, self._wake, FOLLOW_SECONDS)
        self.consumer = Consumer(broker, life, self._deliver, lambda: group.is_member(self), shop.fetch_max)
        self.assignments = Assignments(
            inputs=shop.inputs,
            examples=shop.examples,
            new_runner=self._new_runner,
            new_learner=self._new_learner,
            decode=self._decode,
            consumer=lambda: cast(ChunkConsumer, self.consumer),
            changed=self._wake,
            failed=self._failed,
            drain_seconds=DRAIN_SECONDS,
        )

    def _learner_store(self) -> LearnerStore:
        return cast(LearnerStore, LearnerPort(self._redis, self.life))

    def _failed(self, error: BaseException) -> None:
        self._tell_failed(self.life, error)

    def _now_ms(self) -> int:
        return self._wall_ms() + self.life.skew_ms

    def _wake(self) -> None:
        self.assignments.wake()

    def _deliver(self, chunk: Chunk) -> None:
        try:
            self.assignments.deliver(chunk)
        except Exception as error:  # as in the real one: whatever it is, it is not to go unseen
            self._failed(error)
            raise

    def _new_runner(self, partition: int, source: TopicSource) -> PartitionRunner:
        shop = self._shop
        return PartitionRunner(
            partition,
            shop.inputs,
            store=cast(PartitionStore, PartitionPort(self._redis, self.life, partition)),
            source=source,
            outbox=Outbox(PublisherPort(self._broker, self.life, partition)),
            pipeline=shop.pipeline(),
            guides=self._guides,
            clock=PartitionClock(shop.lateness_ms, self._now_ms, live=shop.live, until_ms=shop.until_ms),
            observer=self._observer,
            config=shop.limits,
            timer=asyncio.get_running_loop().time,
            turns=self._turns,
        )

    def _new_learner(self, partition: int, source: TopicSource) -> LearnerRunner:  # noqa: ARG002 - there is one
        return LearnerRunner(
            new=self._shop.learner,
            lives=LivesPort(self._redis, self.life).lives,
            store=self._learner_store(),
            source=source,
            follower=self._follower,
            observer=self._observer,
            config=LearnerConfig(self._shop.examples, batches_max=self._shop.batches_max, held_max=20),
            now_ms=self._now_ms,
        )

    def _decode(self, topic: str, records: list[RawRecord]) -> Sequence[Any]:
        if topic == self._shop.examples:
            return records
        return decode_chunk(records, self._shop.stream_of(topic), self._shop.decoding, self._now_ms())

    # -- life ----------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Join the group; partitions come a moment later."""
        self.consumer.start()
        if self._shop.learns:
            self.life.spawn(self._follower.run(), "follow")
        self._group.join(self)

    async def leave(self) -> None:
        """Take leave as on SIGTERM: finish what is under way, then go."""
        self.leaving = True
        await self.assignments.leave()
        await self.life.point("leaving")
        self.consumer.revoked()
        self._group.leave(self)
        self.life.end(requests_lost=False)

    async def revoke(self, generation: int) -> None:
        """Give up all partitions, unless they are of this generation already: a client hears of its group in order."""
        await self.life.running()
        await asyncio.sleep(self.life.rng.random() * 0.2)  # the next heartbeat tells it
        async with self._changing:
            if self._given < generation:
                self._asked = max(self._asked, generation)
                await self._revoke()

    async def _revoke(self) -> None:
        await self.life.running()
        tps = {TP(topic, partition) for topic in self._shop.topics for partition in range(self._shop.partitions)}
        self.consumer.hold(tps)
        await self.assignments.on_revoked(tps)
        await self.life.running()
        self.consumer.revoked()
        if not (self.leaving or self._group.is_member(self)):
            self._group.join(self)

    async def assign(self, generation: int, tps: list[TP]) -> None:
        """Take these partitions, unless a later generation has asked for them since."""
        async with self._changing:
            await self.life.running()
            if generation < self._asked:
                return
            self._given = generation
            self.consumer.assigned(tps)
            await self.assignments.on_assigned(set(tps))
