"""What workers must have made of a log: what the backtest makes of the same file, compared byte for byte."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaos.installation import Installation
from chaos.logs import QUICK
from chaos.outcome import differences, of_backtests, of_workers
from churnwatch.backtest import Backtest, replay
from churnwatch.settings import Settings
from models.guide import encode_guide
from tests.integration.worker_logs import shop, write


@dataclass(frozen=True)
class Reference:
    """The log, what the backtest made of it while learning, and what it made of it with the model learnt."""

    path: Path
    events: list[dict[str, Any]]
    model: Path
    learning: Backtest
    frozen: Backtest

    @property
    def last_ms(self) -> int:
        return self.learning.last_ms


def reference(folder: Path) -> Reference:
    """Make the shop's log and replay it twice."""
    events = shop()
    path = write(folder / "shop.jsonl", events)
    settings = Settings(clock="replay", **QUICK)
    now_ms = time.time_ns() // 1_000_000
    learning = asyncio.run(replay(settings, [path], now_ms=now_ms))
    assert learning.guide is not None
    assert learning.guide.ready
    frozen = asyncio.run(replay(settings, [path], now_ms=now_ms, frozen=learning.guide))
    assert {alert.kind for alert in frozen.alerts} == {"opened", "escalated", "resolved", "churned"}
    model = folder / "model"
    model.write_bytes(encode_guide(learning.guide))
    return Reference(path, events, model, learning, frozen)


def assert_same(lab: Installation, expected: Backtest, events: list[dict[str, Any]]) -> None:
    """Compare state, wake-ups, examples and alerts."""
    wanted = of_backtests([(expected, lambda told: str(events[told["offset"]]["event_id"]))])
    found = differences(of_workers(lab), wanted, dead=False)
    assert found == [], "\n".join(found)
