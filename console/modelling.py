"""What the console shows of the models, and where it has them from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from models.guide import Guide
from models.store import Head, Record


@dataclass(frozen=True, slots=True)
class Models:
    """The learner's output: its head, the guide that scores now, and the figures of the newest guides, oldest first."""

    head: Head
    guide: Guide
    history: Sequence[Record]


class Library(Protocol):
    """The way to the models."""

    async def models(self) -> Models | None:
        """Return what there is; None before the first model. Raises TransportError where the store is away."""
