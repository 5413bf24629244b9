"""The port for statistics over all customers that travel with the guides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Extra(Protocol):
    """Statistics over all customers: budgets behind thresholds, quantiles of value.

    They must be sums over UTC days: `absorb` in any order gives the same, and `at` looks only at days that ended at
    or before its boundary. So what it says changes with the days only.
    """

    def absorb(self, source: int, stats: Mapping[int, Any]) -> None:
        """Add a batch's counts: UTC day to that day's counts.

        Raises:
            Corrupt: they are something else; nothing was added.
        """
        ...

    def at(self, boundary_ms: int, quality: Mapping[str, float]) -> dict[str, Any]:
        """Return what is to travel with the guide cut at `boundary_ms`, as plain data for MessagePack.

        Boundaries never fall. The keys `thresholds` (name to risk) and `value_cut` become the guide's fields of
        that name; the others go into its `extra`.
        """
        ...

    def dump(self) -> object:
        """Return the state as plain data for MessagePack."""
        ...

    def load(self, state: Any) -> None:
        """Take back what `dump` returned.

        Raises:
            Corrupt: it is something else.
        """
        ...


class NoExtra:
    """The `Extra` that counts nothing."""

    def absorb(self, source: int, stats: Mapping[int, Any]) -> None:
        """Ignore the counts."""

    def at(self, boundary_ms: int, quality: Mapping[str, float]) -> dict[str, Any]:  # noqa: ARG002 - the port asks so
        """Return nothing."""
        return {}

    def dump(self) -> object:
        """Return nothing."""
        return None

    def load(self, state: Any) -> None:
        """Take nothing."""
