"""The parts of a worker that must move: partitions, outboxes, the learner, fetching, joining the group, staying in it.

A part that has work either moves, or waits for somebody outside, or is stuck; a process as a whole may look busy while one of its
parts has stood still for an hour. Told by the observer where there is something to tell (`moved`, `waits`), and asked about once a second
(`look`), so a part whose work nobody reports is watched by what can be seen of it from outside.

The clock is one that stands still while the process does (`churnwatch.watchdog.AwakeClock`): a suspended machine is nobody's stall.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from agents.health import Progress

PARTITION: Final = "partition"
OUTBOX: Final = "the outbox of partition"
LEARNER: Final = "the learner"
FETCHING: Final = "fetching from Kafka"
JOINING: Final = "joining the consumer group"
STAYING: Final = "staying in the consumer group"

KAFKA: Final = "Kafka"


@dataclass(slots=True)
class _Part:
    progressed_ms: int
    waits_for: str | None = None
    waited_ms: int = 0
    mark: object = None


class Parts:
    """What is known of each part; a part is a kind and, where there are several of the kind, a partition.

    `kafka_away` is set while Kafka has been asked and does not answer: whatever has work then waits for it.
    """

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._parts: dict[tuple[str, int | None], _Part] = {}
        self.kafka_away = False

    def _part(self, kind: str, partition: int | None) -> _Part:
        return self._parts.setdefault((kind, partition), _Part(self._now_ms()))

    def moved(self, kind: str, partition: int | None = None) -> str | None:
        """Note that it has moved; returns what it had been waiting for until now."""
        part = self._part(kind, partition)
        waited_for, part.waits_for, part.progressed_ms = part.waits_for, None, self._now_ms()
        return waited_for

    def waits(self, service: str, kind: str, partition: int | None = None) -> bool:
        """Note that it waits for a service until it next moves; returns whether that is news."""
        part = self._part(kind, partition)
        news, part.waits_for = part.waits_for != service, service
        return news

    def look(
        self,
        kind: str,
        partition: int | None = None,
        *,
        pending: bool,
        mark: object = None,
        waits_for: str | None = None,
    ) -> Progress:
        """Look at a part; one without work counts as having just moved, and so does one whose `mark` has changed."""
        part, now_ms = self._part(kind, partition), self._now_ms()
        if mark != part.mark:
            if part.mark is not None:  # or it is the first look, and nothing has moved
                part.progressed_ms, part.waits_for = now_ms, None
            part.mark = mark
        if not pending and part.waits_for is None:
            part.progressed_ms = now_ms
        waits_for = part.waits_for or waits_for or (KAFKA if self.kafka_away else None)
        pending = pending or part.waits_for is not None
        if pending and waits_for is not None:
            part.waited_ms = now_ms
        return Progress(partition, pending, part.progressed_ms, waits_for, kind, part.waited_ms)

    def keep(self, partitions: Collection[int]) -> None:
        """Forget what belongs to partitions that are no longer held; those that come anew start from now."""
        self._parts = {
            (kind, partition): part
            for (kind, partition), part in self._parts.items()
            if partition is None or partition in partitions
        }
