"""The ports through which runners say how they fare: to metrics, health checks, tests. Called per step, never per event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from agents.effects import Effects
from models.learner import Learner
from streams.errors import StateError
from streams.feed import Batch

if TYPE_CHECKING:
    from agents.runner import PartitionRunner


class Observer(Protocol):
    """Who is told how a partition's runner fares."""

    def stepped(self, runner: PartitionRunner, batch: Batch, effects: Effects, seconds: Mapping[str, float]) -> None:
        """A step's transaction has succeeded; `seconds` by stage (load, pipeline, commit)."""

    def published(self, runner: PartitionRunner, effects: Effects) -> None:
        """The step's messages are acknowledged."""

    def answered(self) -> None:
        """The store has answered."""

    def waiting(self, partition: int, why: StateError) -> None:
        """What the runner needs is not there; `why` tells what, and what of it."""

    def fenced(self, partition: int) -> None:
        """Another writer has changed the partition."""


class LearnerObserver(Protocol):
    """Who is told how the learner fares."""

    def learnt(self, learner: Learner, waiting_batches: int) -> None:
        """A commit has succeeded."""

    def answered(self) -> None:
        """The store has answered."""

    def learner_waiting(self, why: StateError) -> None:
        """The store does not answer."""
