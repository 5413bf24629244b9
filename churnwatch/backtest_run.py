"""A backtest from files to judgement, with its progress shown."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from churnwatch import compose
from churnwatch.backtest import Backtest, Watch, replay
from churnwatch.backtest_history import History
from churnwatch.backtest_summary import Judged, evaluated_from, judge
from churnwatch.settings import Settings
from churnwatch.terminal import progress
from models.guide import Guide
from models.learner import Learner
from streams.time import iso


def run(settings: Settings, files: Sequence[Path], evaluate_from: str | int, burn_in_ms: int) -> Judged:
    """Replay the files and judge what was said; see `evaluated_from` for the last two.

    Raises:
        InputFileError: a file or line cannot be read.
    """
    history = History(settings.churn_on)
    result = _replay(settings, files, compose.frozen_guide(settings), history.take)
    from_ms = evaluated_from(result.first_ms, result.last_ms, evaluate_from, burn_in_ms)
    return judge(result, history, from_ms, compose.question(settings), settings.alert_earliness)


def _replay(settings: Settings, files: Sequence[Path], frozen: Guide | None, watch: Watch) -> Backtest:
    began_seconds = time.monotonic()
    with progress("Backtest") as update:

        def moved(result: Backtest, clock_ms: int, _: Learner | None) -> None:
            read = result.events["read"]
            rate = read / max(time.monotonic() - began_seconds, 1e-9)
            at = iso(clock_ms)[:10] if clock_ms > 0 else "the beginning"
            examples, alerts = len(result.examples), len(result.alerts)
            update(read, f"{read:,} events ({rate:,.0f}/s), at {at}, {examples:,} examples, {alerts:,} alerts")

        now_ms = time.time_ns() // 1_000_000
        return asyncio.run(replay(settings, files, now_ms=now_ms, frozen=frozen, progress=moved, watch=watch))
