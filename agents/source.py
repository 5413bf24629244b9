"""The port to the transport: what a runner needs of Kafka. The topics are those of the runner's own partition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from agents.lives import Committed


class Source(Protocol):
    """One partition's topics."""

    def at_end(self, topic: str) -> bool:
        """Whether everything of the topic that there is has been pushed."""

    async def committed(self) -> Mapping[str, Committed]:
        """What the consumer group has committed of each topic; none where it knows nothing."""

    async def start_from(self, offsets: Mapping[str, int]) -> None:
        """Deliver the topics from these offsets on, and nothing fetched before."""

    def pause(self, topic: str) -> None:
        """Fetch no more of the topic for now."""

    def resume(self, topic: str) -> None:
        """Fetch it again."""

    def stored(self, offsets: Mapping[str, int], note: str = "") -> None:
        """All that follows from the records before these offsets is stored and acknowledged: commit them, with the note."""
