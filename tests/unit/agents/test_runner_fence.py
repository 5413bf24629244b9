"""Two owners of a partition that do not know of each other must not take it from each other as fast as they can."""

import asyncio
from typing import Any

import pytest

from agents.rests import CALM_SECONDS, RETRY_SECONDS_MAX
from agents.runner import PartitionRunner
from streams.errors import FenceLost
from tests.unit.agents.samples import START_MS
from tests.unit.agents.world import World


class Contested:
    """A runner whose every step finds another writer's mark; its pauses are written down instead of waited for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, losses: int, calm_after: int | None = None) -> None:
        self.runner: PartitionRunner = World([], START_MS).lanes[0].runner
        self.pauses: list[float] = []
        self._losses = losses
        self._calm_after = calm_after
        self._seconds = 0.0
        self.opened = 0
        monkeypatch.setattr(self.runner, "open", self._open)
        monkeypatch.setattr(self.runner, "step", self._step)
        monkeypatch.setattr(self.runner, "_timer", lambda: self._seconds)
        monkeypatch.setattr(asyncio, "wait_for", self._wait_for)

    async def _open(self) -> bool:
        self.opened += 1
        return True

    async def _step(self) -> bool:
        if len(self.pauses) == self._calm_after:
            self._seconds += 2 * CALM_SECONDS
        raise FenceLost("another writer")

    async def _wait_for(self, waiting: Any, seconds: float) -> None:
        waiting.close()
        self.pauses.append(seconds)
        self._seconds += seconds
        if len(self.pauses) == self._losses:
            self.runner.stop()
        raise TimeoutError

    def run(self) -> list[float]:
        asyncio.run(self.runner.run())
        return self.pauses


def test_the_pauses_grow_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses = Contested(monkeypatch, losses=10).run()
    assert pauses[:4] == [0.1, 0.2, 0.4, 0.8]
    assert pauses[-1] == RETRY_SECONDS_MAX
    assert pauses == sorted(pauses)


def test_it_opens_once_for_every_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    contested = Contested(monkeypatch, losses=5)
    contested.run()
    assert contested.opened == 5


def test_after_a_calm_time_they_are_short_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Contested(monkeypatch, losses=6, calm_after=4).run() == [0.1, 0.2, 0.4, 0.8, 0.1, 0.2]
