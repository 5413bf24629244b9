"""One worker, put together: Faust with the chunked transport, the runners, the learner, the web routes.

Starts in this order, and stops in the reverse: topics looked at, Redis, producer, follower, Faust. SIGTERM and SIGINT let every runner
finish its step, wait for what Kafka has yet to acknowledge, commit, and end with 0.
"""

from __future__ import annotations

import asyncio
import logging
import platform
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, cast

from aiokafka import AIOKafkaProducer
from prometheus_client import CollectorRegistry

from agents.clock import PartitionClock
from agents.follow import Follower
from agents.guides import GuideBook
from agents.ingest import Assignments, TopicSource
from agents.learn import LearnerConfig, LearnerRunner
from agents.metrics import Metrics
from agents.observe import WorkerObserver
from agents.outbox import Outbox
from agents.publish import KafkaPublisher, on_the_wire
from agents.runner import PartitionRunner
from agents.sources import Outages
from agents.turns import Turns
from churnwatch import compose
from churnwatch.faust_app import brokers, consumer_options, faust_app
from churnwatch.garbage import collect_for_ever
from churnwatch.kafka import client_options
from churnwatch.lives import lives, topic_ids
from churnwatch.redis_client import redis_options
from churnwatch.settings import Settings
from churnwatch.settings_sources import public_name
from churnwatch.status import WorkerStatus, monotonic_ms, now_ms
from churnwatch.vitals import GuardedAssignments, Vitals
from churnwatch.watchdog import AwakeClock
from churnwatch.web import Answers, add_routes
from features.redis_client import Wire, WireBroken, connect
from features.redis_store import RedisStore
from models.redis_store import RedisLearnerStore, head_key
from models.store import LearnerStore
from streams.chunk import Chunk
from streams.codec import Limits, RawRecord, decode_chunk
from streams.errors import TransportError
from streams.topics import DLQ_MESSAGE_BYTES_MAX
from streams.transport import ChunkConsumer, ChunkTransport

log = logging.getLogger("churnwatch.worker")

LEAVE_SECONDS = 8.0


class Worker:
    """See the module's text; `topics` are the input topics that exist, `partitions` how many each of them has."""

    def __init__(self, settings: Settings, topics: Sequence[str], partitions: int) -> None:
        self._settings = settings
        self._topics = tuple(topics)
        self._partitions = partitions
        self._examples = settings.topics().examples
        self._streams = {topic: stream for stream, topic in settings.topics().inputs.items()}
        self._limits = Limits(settings.value_bytes_max, settings.future_tolerance_ms)
        self.failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._topic_ids: dict[str, str] = {}
        self._turns = Turns()
        self._started = self._stopping = False
        self.left = False
        """Whether the consumer group knows that this worker is gone."""
        self._redis = connect(redis_options(settings))
        build = {
            "version": version("churnwatch"),
            "python": platform.python_version(),
            "faust": version("faust-streaming"),
            "river": version("river"),
        }
        self.metrics = Metrics(CollectorRegistry(), self._topics, build)
        self.awake = AwakeClock(monotonic_ms)
        self.observer = WorkerObserver(self.metrics, now_ms, self.awake.ms, settings.goals())
        self._guides = GuideBook(compose.frozen_guide(settings) or compose.first_guide(), compose.epoch_ms(settings))
        self._follower = Follower(self._learner_store(), self._guides, self._wake, 0.02 if self._replay else 1.0)
        self._producer = AIOKafkaProducer(
            **client_options(settings) | {"request_timeout_ms": 40_000},
            enable_idempotence=True,
            acks="all",
            max_batch_size=262_144,
            # What a dead-letter topic does not take is found out here: a refusal by the broker would spoil the producer.
            max_request_size=DLQ_MESSAGE_BYTES_MAX - 1024,
            value_serializer=on_the_wire,
        )
        # Faust wants a folder though nothing of ours is kept in files.
        self._scratch = tempfile.TemporaryDirectory(prefix="churnwatch-")
        self.app = faust_app(settings, self._scratch.name)
        self.assignments = Assignments(
            inputs=self._topics,
            examples=self._examples,
            new_runner=self._new_runner,
            new_learner=self._new_learner,
            decode=self._decode,
            consumer=self._consumer,
            changed=self._reassigned,
            failed=self._failed,
            drain_seconds=settings.drain_ms / 1000,
        )
        guard = GuardedAssignments(self.assignments, self._failed, self.awake.ms)
        self.app.transport = ChunkTransport(brokers(settings), self.app, consumer_options(settings), guard)
        self._add_agents()
        self.metrics.alert_budget(settings.alert_daily_budget)
        self.status = self._status(guard)
        add_routes(self.app, Answers(self.status.render_metrics, self.status.health, self.status.readiness))
        self._following: asyncio.Task[None] | None = None
        self._collecting: asyncio.Task[None] | None = None

    def _status(self, guard: GuardedAssignments) -> WorkerStatus:
        settings = self._settings
        names = settings.topics().inputs
        telling = frozenset(names[stream] for stream in settings.silence_sources.split(",") if stream)
        vitals = Vitals(
            self.observer.parts,
            self.assignments,
            guard,
            lambda: self._consumer() if self._started else None,
            self._examples,
            now_ms=self.awake.ms,
            stopping=lambda: self._stopping,
        )
        return WorkerStatus(
            self._topics,
            self.assignments,
            self.observer,
            self.metrics,
            self._guides,
            self._replay,
            loaded=lambda: self._follower.answered or not settings.learning_enabled,
            stopping=lambda: self._stopping,
            silent_ms=settings.source_silent_ms,
            telling=telling,
            outages=Outages(telling, public_name("silence_sources"), settings.source_silent_ms),
            others=vitals.look,
            awake_ms=self.awake.ms,
            stalled_ms_max=settings.stalled_ms,
        )

    @property
    def _replay(self) -> bool:
        return self._settings.clock == "replay"

    # -- parts ---------------------------------------------------------------------------------------------------------

    def _add_agents(self) -> None:
        raw: dict[str, Any] = {"key_type": bytes, "value_type": bytes, "value_serializer": "raw"}

        async def ingest(stream: Any) -> None:
            async for chunks in stream:
                self._deliver(chunks)

        async def learn(stream: Any) -> None:
            async for chunks in stream:
                self._deliver(chunks)

        role = self._settings.worker_role
        if role != "learner":
            self.app.agent(self.app.topic(*self._topics, **raw), name="churnwatch.ingest", concurrency=1)(ingest)
        # Without learning nobody takes part in the example topic: a frozen model must not hear of newer ones.
        if self._settings.learning_enabled and role != "partitions":
            self.app.agent(self.app.topic(self._examples, **raw), name="churnwatch.learn", concurrency=1)(learn)

    def _deliver(self, chunks: Sequence[Chunk]) -> None:
        """Faust would start an agent that has failed anew, with the next chunks: what was in these would be missing."""
        try:
            for chunk in chunks:
                self.assignments.deliver(chunk)
        except Exception as error:
            self._failed(error)
            raise

    def _consumer(self) -> ChunkConsumer:
        return cast(ChunkConsumer, self.app.consumer)

    def _learner_store(self) -> LearnerStore:
        namespace = self._settings.redis_namespace
        return RedisLearnerStore(Wire(self._redis, head_key(namespace)), namespace, WireBroken)

    def _new_runner(self, partition: int, source: TopicSource) -> PartitionRunner:
        settings = self._settings

        def publishing_waits(why: str) -> None:
            self.observer.publishing_waits(partition, why)

        publisher = KafkaPublisher(
            self._producer, publishing_waits, lambda seconds: self.metrics.stage("publish", seconds)
        )
        return PartitionRunner(
            partition,
            self._topics,
            store=RedisStore(self._redis, settings.redis_namespace, partition),
            source=source,
            outbox=Outbox(publisher),
            pipeline=compose.pipeline(settings, self.status.held),
            guides=self._guides,
            clock=PartitionClock(
                settings.lateness_ms,
                now_ms,
                live=not self._replay,
                until_ms=settings.replay_until_ms,
                heard_ms=lambda: self.status.heard(partition),
            ),
            observer=self.observer,
            config=compose.step_limits(settings, self._partitions),
            timer=time.perf_counter,
            turns=self._turns,
            topic_ids=self._topic_ids,
        )

    def _new_learner(self, partition: int, source: TopicSource) -> LearnerRunner:  # noqa: ARG002 - there is one
        return LearnerRunner(
            new=lambda: compose.learner(self._settings),
            lives=lives(self._redis, self._settings.redis_namespace, self._partitions),
            store=self._learner_store(),
            source=source,
            follower=self._follower,
            observer=self.observer,
            config=LearnerConfig(self._examples),
            now_ms=now_ms,
        )

    def _decode(self, topic: str, records: list[RawRecord]) -> Sequence[Any]:
        if topic == self._examples:
            return records
        started = time.perf_counter()
        arrived_ms = now_ms()
        items = decode_chunk(records, self._streams[topic], self._limits, arrived_ms)
        self.metrics.stage("decode", time.perf_counter() - started)
        if not self._replay:
            self.metrics.stage("fetch", max(0, arrived_ms - records[0].timestamp_ms) / 1000)
        return items

    # -- life ----------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start everything; returns when Faust runs (partitions come a moment later)."""
        self._collecting = asyncio.create_task(collect_for_ever(), name="garbage")
        self._topic_ids = await topic_ids(self._settings, self._topics)
        await self._producer.start()
        if self._settings.learning_enabled:
            self._following = asyncio.create_task(self._follower.run(), name="follower")
            self._following.add_done_callback(self._ended)
        self.app.finalize()
        self._started = True
        await self.app.start()

    def learnt(self) -> int:
        """Examples learnt here so far: while a long turn of the learner keeps the loop, this goes on. Safe from any thread."""
        learner = self.assignments.runners.get((True, 0))
        return learner.learner.counters.examples if isinstance(learner, LearnerRunner) else 0

    async def stop(self) -> None:
        """Finish what is under way, say what is to be said, and let go of everything.

        Once the runners have ended, all is stored and said; taking leave of the consumer group is a courtesy to the
        successor, and where it takes too long the worker goes without (`left` stays False).
        """
        self._stopping = True
        await self.assignments.leave()
        for task in (self._following, self._collecting):
            if task is not None:
                task.cancel()
        await self._producer.stop()
        await self._redis.aclose()
        leaving = asyncio.create_task(self.app.stop())
        await asyncio.wait([leaving], timeout=LEAVE_SECONDS)
        self.left = leaving.done() and leaving.exception() is None
        if leaving.done() and not self.left:
            log.debug("Faust did not stop cleanly", exc_info=leaving.exception())
        self._scratch.cleanup()

    def _wake(self) -> None:
        self.assignments.wake()

    def _failed(self, error: BaseException) -> None:
        if not self.failure.done():
            self.failure.set_exception(error)

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is None and not self._stopping:
            error = TransportError("following the learner has ended though nobody told it to; start the worker again")
        if error is not None:
            self._failed(error)

    def _reassigned(self) -> None:
        self.observer.held(self.assignments.partitions)
