"""The simulated Kafka: topics of append-only partitions, committed offsets, and a producer's way to it that loses acknowledgements."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from simulation.faults import OF_PUBLISHING
from simulation.life import Life
from streams.codec import RawRecord
from streams.outgoing import Outgoing

RETRY_SECONDS = 0.2
Place = tuple[str, int]
"""A partition: topic and number."""


class LogWatch(Protocol):
    """Who is told of everything that Kafka takes in from workers."""

    def said(self, partition: int, message: Outgoing) -> None:
        """A message of an input partition's outbox is in its topic."""

    def committed(self, place: Place, offset: int, note: str) -> None:
        """The group's offset has moved."""


@dataclass(slots=True)
class Broker:
    """All that Kafka holds. `appended` is called when a partition has grown.

    Attributes:
        logs: what workers read: the input topics and the example topic.
        said: what the outboxes have published, with the input partition that it came from.
        offsets: the group's committed offsets, and the notes committed with them.
    """

    watch: LogWatch
    examples: str
    logs: dict[Place, list[RawRecord]] = field(default_factory=dict)
    said: list[tuple[int, Outgoing]] = field(default_factory=list)
    offsets: dict[Place, tuple[int, str]] = field(default_factory=dict)
    appended: list[Callable[[], None]] = field(default_factory=list)

    def append(self, record: RawRecord) -> None:
        """Put a record at the end of its partition, at the offset that comes next."""
        log = self.logs[record.topic, record.partition]
        assert record.offset == len(log)
        log.append(record)
        for call in self.appended:
            call()

    def publish(self, partition: int, message: Outgoing) -> None:
        """Take in what the outbox of an input partition sends."""
        self.said.append((partition, message))
        self.watch.said(partition, message)
        if message.topic == self.examples:
            offset = len(self.logs[self.examples, 0])
            self.append(RawRecord(self.examples, 0, offset, 0, message.key, message.value, tuple(message.headers)))

    def noted(self, partition: int) -> tuple[int, int, int]:
        """Life, number and clock of the latest commit of a partition's state that is noted with the group's offsets."""
        notes = [note.split() for (_, number), (_, note) in self.offsets.items() if number == partition and note]
        return max(((int(life), int(commits), int(clock_ms)) for life, commits, clock_ms in notes), default=(0, 0, 0))

    def commit(self, place: Place, offset: int, note: str) -> None:
        """Note the group's offset."""
        self.offsets[place] = (offset, note)
        self.watch.committed(place, offset, note)


class PublisherPort:
    """The producer of one life: in order, again and again until all is acknowledged."""

    def __init__(self, broker: Broker, life: Life, partition: int) -> None:
        self._broker = broker
        self._life = life
        self._partition = partition

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        """Return when every message is acknowledged."""
        life, left = self._life, list(messages)
        await life.point("publish asked")
        while left:
            kind = life.faults.strikes(OF_PUBLISHING, life.name, "publish")
            await life.latency()
            if kind == "publish_refused":
                await asyncio.sleep(RETRY_SECONDS * 5)
                await life.running()
                continue
            reached = life.rng.randint(1, len(left)) if kind == "ack_lost" else len(left)
            for message in left[:reached]:
                self._broker.publish(self._partition, message)
            if kind == "ack_late":
                await asyncio.sleep(life.rng.random() * 3)
            if kind == "ack_lost":
                await asyncio.sleep(RETRY_SECONDS)
            else:
                left = left[reached:]
            await life.point("publish under way")
        await life.point("publish answered")
