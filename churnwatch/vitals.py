"""The parts of a worker that nobody reports on: its outboxes, the learner, fetching, joining the consumer group, and staying in it.

Faust has hung in each of these places while the process looked alive: an agent whose supervisor gave up (robinhood/faust #301, #684), a fetch
loop that had ended without a word (faust #175, robinhood/faust #771), a rebalance that never came back (robinhood/faust #134, #517). So each is
looked at from outside, by what moves when it works.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from faust.types import TP

from agents.health import Progress
from agents.ingest import Assignments
from agents.learn import LearnerRunner
from agents.parts import FETCHING, JOINING, LEARNER, OUTBOX, STAYING, Parts
from agents.runner import PartitionRunner
from streams.transport import AssignmentListener, ChunkConsumer

REBALANCE_MS: Final = 60_000
"""How long the group's other members may take to join, before a wait for partitions counts (the consumer's rebalance_timeout_ms)."""


class GuardedAssignments:
    """Tells the assignments of every change, and the worker where that fails: aiokafka logs such an error and goes on without."""

    def __init__(
        self, assignments: AssignmentListener, failed: Callable[[BaseException], None], now_ms: Callable[[], int]
    ) -> None:
        self._assignments = assignments
        self._failed = failed
        self._now_ms = now_ms
        self.joining_ms: int | None = now_ms()
        """Since when the worker has had no assignment, not even an empty one; None while it has."""

    async def on_revoked(self, partitions: set[TP]) -> None:
        """See `AssignmentListener`."""
        if self.joining_ms is None:
            self.joining_ms = self._now_ms()
        try:
            await self._assignments.on_revoked(partitions)
        except Exception as error:
            self._failed(error)
            raise

    async def on_assigned(self, partitions: set[TP]) -> None:
        """See `AssignmentListener`."""
        try:
            await self._assignments.on_assigned(partitions)
        except Exception as error:
            self._failed(error)
            raise
        self.joining_ms = None


class Vitals:
    """Looks at these parts; `consumer` gives None until Faust has one, `stopping` whether standing still is meant."""

    def __init__(
        self,
        parts: Parts,
        assignments: Assignments,
        guard: GuardedAssignments,
        consumer: Callable[[], ChunkConsumer | None],
        examples: str,
        *,
        now_ms: Callable[[], int],
        stopping: Callable[[], bool],
    ) -> None:
        self._parts = parts
        self._assignments = assignments
        self._guard = guard
        self._consumer = consumer
        self._examples = examples
        self._now_ms = now_ms
        self._stopping = stopping

    def look(self) -> list[Progress]:
        """How each of them fares now."""
        consumer, held = self._consumer(), self._assignments.runners
        fetching = consumer is not None and bool(held) and not self._stopping()
        joining_ms = self._guard.joining_ms
        joining = joining_ms is not None and self._now_ms() - joining_ms > REBALANCE_MS and not self._stopping()
        turns, beats = (0, 0) if consumer is None else (consumer.turns, consumer.beats)
        return [
            self._parts.look(FETCHING, pending=fetching, mark=(turns, joining_ms)),
            self._parts.look(JOINING, pending=joining),
            self._parts.look(STAYING, pending=fetching, mark=beats),
            *self._runners(),
        ]

    def _runners(self) -> Iterator[Progress]:
        for slot, runner in self._assignments.runners.items():
            if isinstance(runner, PartitionRunner):
                yield self._outbox(runner)
            elif isinstance(runner, LearnerRunner):
                source = self._assignments.source(slot)
                pending = bool(runner.held or source.lag_events(self._examples) or source.epoch < 0)
                # What is learnt within one long turn counts as well.
                mark = (id(runner), source.epoch, runner.learner.counters.examples)
                yield self._parts.look(LEARNER, pending=pending, mark=mark)

    def _outbox(self, runner: PartitionRunner) -> Progress:
        """An outbox moves where messages leave it, however many are put in meanwhile."""
        outbox = runner.outbox
        return self._parts.look(
            OUTBOX, runner.partition, pending=bool(outbox.pending), mark=(id(runner), outbox.acknowledged)
        )
