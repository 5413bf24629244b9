"""What a runner needs of the world where there is neither Kafka nor Redis: a source that files feed, and nobody to wait for."""

from __future__ import annotations

from collections.abc import Mapping

from agents.effects import Effects
from agents.lives import Committed
from agents.runner import PartitionRunner
from streams.errors import StateError


class FileSource:
    """All records come by `push`; the log ends when the files do."""

    def __init__(self) -> None:
        self.ended = False

    def at_end(self, topic: str) -> bool:  # noqa: ARG002 - the port's
        return self.ended

    async def committed(self) -> Mapping[str, Committed]:
        """There is no consumer group."""
        return {}

    async def start_from(self, offsets: Mapping[str, int]) -> None:
        """There is one place to start from."""

    def pause(self, topic: str) -> None:
        """Nothing comes unasked."""

    def resume(self, topic: str) -> None:
        """Nothing comes unasked."""

    def stored(self, offsets: Mapping[str, int], note: str = "") -> None:
        """Nothing is committed."""


class OfflineObserver:
    """What cannot happen in memory."""

    def published(self, runner: PartitionRunner, effects: Effects) -> None:
        """Nothing waits for an acknowledgement."""

    def answered(self) -> None:
        """Memory always answers."""

    def waiting(self, partition: int, why: StateError) -> None:
        """Memory always answers."""

    def fenced(self, partition: int) -> None:
        """There is no other writer."""
