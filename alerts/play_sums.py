"""All that the learner sums up about actions, as one part of its books: what is wanted of them, and whom they keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from alerts.play import Play
from alerts.play_budget import PlayBudgets, budgets_of
from alerts.rewards import Rewards
from streams.errors import Corrupt


class PlaySums:
    """Budgets and rewards; see `PlayBudgets` and `Rewards`, of which it has all methods.

    Args:
        plays: the playbook; none where the sums are only carried along.
        learns: whether the guides are to carry which action keeps whom.
    """

    def __init__(self, plays: Sequence[Play] = (), *, learns: bool = False) -> None:
        self._budgets = PlayBudgets(budgets_of(plays))
        self._rewards = Rewards({play.code for play in plays}, learns=learns)

    def add(self, day: int, entries: Mapping[str, int]) -> dict[str, int]:
        """Add what was booked on a UTC day; returns the entries that are about something else."""
        return self._rewards.add(day, self._budgets.add(day, entries))

    def at(self, boundary_ms: int) -> dict[str, Any]:
        """Return what is to travel with the guide cut at `boundary_ms`; boundaries never fall."""
        return self._budgets.at(boundary_ms) | self._rewards.at(boundary_ms)

    def dump(self) -> object:
        """Return the state as plain data."""
        return [self._budgets.dump(), self._rewards.dump()]

    def load(self, state: Any) -> None:
        """Take back what `dump` returned; raises `Corrupt` where it is something else."""
        match state:
            case [budgets, rewards]:
                self._budgets.load(budgets)
                self._rewards.load(rewards)
            case _:
                raise Corrupt("the stored sums about actions cannot be read: start the learner anew")
