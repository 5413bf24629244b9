"""The way records come in: an aiokafka consumer outside any group, on the loop of whoever works on them.

The group decides elsewhere which partitions are read (`streams.consumer_thread`): its heartbeat must go on while a long step keeps this loop.
Records, though, would have to change threads at every hop of a fetch, and wait there for the interpreter's lock, which a busy loop gives away every
5 ms at best: from an event to its alert that took two to four times as long (docs/benchmarks.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from faust.types import TP

from streams.errors import LogUnavailable, TransportError

Progress = tuple[int | None, int | None]
"""Position, and the end of what can be read: what belongs to a transaction that is still open lies behind it; None while unknown."""

Fetched = tuple[Mapping[TP, Sequence[ConsumerRecord]], Mapping[TP, Progress]]
"""Records taken out by partition, and how far each partition that was asked for is then."""

NOWHERE = 0
"""Where a partition stands of which nothing is fetched yet: without a position aiokafka would look for one."""


LOST_LOG = (
    "Either the topic was created anew, or its retention is shorter than the worker was away or behind. Restore the topic, or "
    "start afresh with another CHURNWATCH_REDIS_NAMESPACE (`churnwatch bootstrap` brings back what files still hold)."
)


@contextmanager
def asking() -> Iterator[None]:
    """What Kafka does not answer now it may answer later."""
    try:
        yield
    except (KafkaError, TimeoutError) as error:
        raise LogUnavailable(f"Kafka does not answer: {str(error) or type(error).__name__}") from error


class Consumer(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka has no types
    """A consumer that can be stopped at any moment.

    aiokafka (0.14) cancels the fetches under way and awaits them, and one that rests because a broker is away lets its own end out, with the
    connections left open. That is no word to the task that stops the consumer: taken for one, it ended a whole process as if it had been told to.
    """

    async def stop(self) -> None:
        """Leave the group, if there is one, and close the connections."""
        try:
            await super().stop()
        except asyncio.CancelledError:
            await self._client.close()
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise


class Reader:
    """Fetches the partitions that it is told to, each from where it is told to; `options` are aiokafka's."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._consumer: Consumer | None = None

    async def start(self) -> None:
        """Connect; raises KafkaError where no broker answers."""
        # What Kafka no longer holds must not be skipped in silence: a position out of range is an error.
        settled = {"group_id": None, "enable_auto_commit": False, "auto_offset_reset": "none"}
        consumer = Consumer(**self._options | settled)
        try:
            await consumer.start()
        except BaseException:
            await consumer.stop()
            raise
        self._consumer = consumer

    async def stop(self) -> None:
        """Close the connections; whoever waits for records gets none."""
        if self._consumer is not None:
            await self._consumer.stop()

    @property
    def _started(self) -> Consumer:
        assert self._consumer is not None
        return self._consumer

    def assign(self, partitions: Iterable[TP]) -> None:
        """Read these from now on, and no others: each once `seek` has said where from."""
        places = _places(partitions)
        if places:
            self._started.assign(places)
        self.leave(self._started.assignment())
        for place in places:
            self._started.seek(place, NOWHERE)

    def leave(self, partitions: Iterable[TP]) -> None:
        """Ask for no more records of these."""
        known = self._started.assignment()
        self._started.pause(*(place for place in _places(partitions) if place in known))

    def seek(self, positions: Mapping[TP, int]) -> None:
        """Read these from the given offsets on; what was fetched of them before is dropped."""
        for place, offset in zip(_places(positions), positions.values(), strict=True):
            self._started.seek(place, offset)
        self._started.resume(*_places(positions))

    async def fetch(self, partitions: Collection[TP], seconds: float) -> Fetched:
        """Take out what was fetched of these partitions, waiting for it if need be.

        Raises aiokafka's OffsetOutOfRangeError where Kafka does not hold what is next.
        """
        records = await self._started.getmany(*_places(partitions), timeout_ms=int(1000 * seconds))
        fetching = self._started._fetcher.error_future
        if fetching.done() and not fetching.cancelled():
            fetching.result()  # it ends by itself only where it has failed, and nobody else would hear of that
        # Nothing may come in between: a moment later the next answer of a broker moves the ends.
        return (
            {TP(*place): found for place, found in records.items()},
            {tp: known for tp in partitions if (known := self.progress(tp))[0] is not None},
        )

    def progress(self, tp: TP) -> Progress:
        """Tell how far the partition is fetched."""
        place = TopicPartition(*tp)
        if self._consumer is None or place not in self._consumer.assignment():
            return None, None
        state = self._consumer._subscription.subscription.assignment.state_value(place)
        if state.paused:
            return None, None
        return state.position, state.lso

    async def check(self, positions: Mapping[TP, int]) -> dict[TP, int]:
        """Check that Kafka holds what comes next; who begins does so with the oldest record that there is.

        Raises `TransportError` where Kafka no longer holds the offset asked for, `LogUnavailable` where it does not answer.
        """
        places = _places(positions)
        with asking():
            begins = await self._started.beginning_offsets(places)
            ends = await self._started.end_offsets(places)
        for place, offset in zip(places, positions.values(), strict=True):
            if offset > ends[place] or 0 < offset < begins[place]:
                held = f"Kafka holds {begins[place]} to {ends[place]}"
                raise TransportError(
                    f"{place.topic}[{place.partition}]: the state reflects offset {offset}, but {held}. {LOST_LOG}"
                )
        return {tp: offset or begins[TopicPartition(*tp)] for tp, offset in positions.items()}


def _places(partitions: Iterable[TP]) -> list[TopicPartition]:
    return [TopicPartition(*tp) for tp in partitions]
