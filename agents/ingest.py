"""The shell around the runners: which partitions are this worker's, and how chunks get to them.

Faust's agents hand over every chunk as it comes; a runner task per partition does the work, so that one partition that waits (for
the learner in replay, for Redis) does not hold up the others. Concurrency within a partition is 1: its runner is its only writer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from faust.types import TP

from agents.lives import Committed, later
from streams.chunk import Chunk
from streams.codec import RawRecord
from streams.errors import Corrupt, NewerSchema, TransportError
from streams.transport import ChunkConsumer

log = logging.getLogger("churnwatch.ingest")


class Runner(Protocol):
    """What runs one partition: `PartitionRunner`, or `LearnerRunner` for the example topic."""

    async def run(self) -> None:
        """Work until `stop`."""

    def stop(self) -> None:
        """End after the step under way."""

    def push(self, topic: str, items: Sequence[Any]) -> None:
        """Records to work on, in offset order: decoded events, or for the learner raw records."""

    def wake(self) -> None:
        """Look again."""


class TopicSource:
    """A runner's view of the transport: the partition's topics by name."""

    def __init__(self, consumer: Callable[[], ChunkConsumer], topics: Sequence[str], partition: int) -> None:
        self._consumer = consumer
        self._topics = tuple(topics)
        self._partition = partition
        self.epoch = -1
        """Chunks of another epoch were fetched before the last seek and must be dropped."""

    def _tp(self, topic: str) -> TP:
        return TP(topic, self._partition)

    def at_end(self, topic: str) -> bool:
        """Whether everything of the topic that there is has been pushed."""
        return self._consumer().at_end(self._tp(topic))

    async def committed(self) -> dict[str, Committed]:
        """What the consumer group has committed of each of the partition's topics, or is about to be told."""
        tps = [self._tp(topic) for topic in self._topics]
        group, own = await self._consumer().committed(tps), self._consumer().noted(tps)
        return later(*({tp.topic: Committed(*known) for tp, known in side.items()} for side in (group, own)))

    async def start_from(self, offsets: Mapping[str, int]) -> None:
        """Deliver the topics from these offsets on, and nothing fetched before."""
        self.epoch = -1
        self.epoch = await self._consumer().start_from({self._tp(topic): offset for topic, offset in offsets.items()})

    def pause(self, topic: str) -> None:
        """Fetch no more of the topic for now."""
        self._consumer().pause_partitions([self._tp(topic)])

    def resume(self, topic: str) -> None:
        """Fetch it again."""
        self._consumer().resume_partitions([self._tp(topic)])

    def stored(self, offsets: Mapping[str, int], note: str = "") -> None:
        """All that follows from the records before these offsets is stored and acknowledged."""
        self._consumer().stored({self._tp(topic): (offset, note) for topic, offset in offsets.items()})

    def lag_events(self, topic: str) -> int | None:
        """Records not yet fetched; None while unknown."""
        return self._consumer().lag_events(self._tp(topic))


Decode = Callable[[str, list[RawRecord]], Sequence[Any]]
NewRunner = Callable[[int, TopicSource], Runner]


class Assignments:
    """The runners of the partitions that this worker holds now.

    Args:
        inputs: the input topics; partition p of all of them is one runner's.
        examples: the example topic, whose partition 0 is the learner's.
        new_runner, new_learner: make the runner of a partition.
        decode: a chunk's records as the runner wants them.
        consumer: the transport's consumer (it exists only once Faust has started).
        changed: told of every new assignment.
        failed: told of an error that no retry would mend.
    """

    def __init__(
        self,
        *,
        inputs: Sequence[str],
        examples: str,
        new_runner: NewRunner,
        new_learner: NewRunner,
        decode: Decode,
        consumer: Callable[[], ChunkConsumer],
        changed: Callable[[], None],
        failed: Callable[[BaseException], None],
        drain_seconds: float,
    ) -> None:
        self._inputs = tuple(inputs)
        self._examples = examples
        self._new = {False: new_runner, True: new_learner}
        self._decode = decode
        self._consumer = consumer
        self._changed = changed
        self._failed = failed
        self._drain_seconds = drain_seconds
        self.runners: dict[tuple[bool, int], Runner] = {}
        self._sources: dict[tuple[bool, int], TopicSource] = {}
        self._tasks: dict[tuple[bool, int], asyncio.Task[None]] = {}
        self._leaving = False

    def _slot(self, topic: str, partition: int) -> tuple[bool, int]:
        return topic == self._examples, partition

    async def on_revoked(self, partitions: set[TP]) -> None:
        """Let every runner finish its step and end; returns when none is left."""
        await self.stop({self._slot(tp.topic, tp.partition) for tp in partitions})

    async def on_assigned(self, partitions: set[TP]) -> None:
        """Start a runner for every partition held now; none where the worker is about to leave."""
        await self.stop(set(self.runners))
        if self._leaving:
            return
        for slot in sorted({self._slot(tp.topic, tp.partition) for tp in partitions}):
            if slot[0] and slot[1]:
                continue  # the example topic has one partition of ours, whatever a broker's defaults made of it
            topics = (self._examples,) if slot[0] else self._inputs
            source = TopicSource(self._consumer, topics, slot[1])
            runner = self._new[slot[0]](slot[1], source)
            self.runners[slot], self._sources[slot] = runner, source
            task = asyncio.create_task(runner.run(), name=f"runner-{'learner' if slot[0] else slot[1]}")
            task.add_done_callback(self._ended)
            self._tasks[slot] = task
        self._changed()

    async def leave(self) -> None:
        """End all runners, and start none again."""
        self._leaving = True
        await self.stop(set(self.runners))

    async def stop(self, slots: set[tuple[bool, int]]) -> None:
        """End runners after the step under way; one that does not come to its end in time is cancelled."""
        tasks = []
        for slot in slots & self.runners.keys():
            self.runners.pop(slot).stop()
            self._sources.pop(slot)
            tasks.append(self._tasks.pop(slot))
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self._drain_seconds)
            for task in late:
                log.warning(
                    "%s did not end within %g s and is cancelled; its unfinished step was not stored",
                    task.get_name(),
                    self._drain_seconds,
                )
                task.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is None and task in self._tasks.values():
            error = TransportError(f"{task.get_name()} has ended though nobody told it to; start the worker again")
        if isinstance(error, Corrupt | NewerSchema):
            # The store's value does not know whose it is.
            error = type(error)(
                f"{task.get_name().replace('runner-', 'the state of partition ').replace('partition learner', 'the learner')}: {error}"
            )
        if error is not None:
            self._failed(error)

    def deliver(self, chunk: Chunk) -> None:
        """Give a chunk to its runner; one that was fetched before the runner's last seek is dropped."""
        slot = self._slot(chunk.topic, chunk.partition)
        runner, source = self.runners.get(slot), self._sources.get(slot)
        if runner is not None and source is not None and source.epoch == chunk.epoch:
            runner.push(chunk.topic, self._decode(chunk.topic, chunk.records))
        self._consumer().delivered(chunk)

    def source(self, slot: tuple[bool, int]) -> TopicSource:
        """The source of a runner held now."""
        return self._sources[slot]

    @property
    def partitions(self) -> list[int]:
        """Input partitions held now."""
        return sorted(partition for learner, partition in self.runners if not learner)

    def wake(self) -> None:
        """Let every runner look again: the guides have changed."""
        for runner in self.runners.values():
            runner.wake()
