"""A backtest from files to judgement, with its progress shown."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path

from churnwatch import compose
from churnwatch.backtest import Backtest, replay
from churnwatch.backtest_frames import JOBS_MAX, Wants
from churnwatch.backtest_summary import Judged, evaluated_from, judge
from churnwatch.settings import Settings
from churnwatch.terminal import progress
from models.learner import Learner
from streams.time import iso

WANTS = Wants(examples=False, states=False, history=True, snapshots=True)
"""What is judged: neither the examples themselves nor the customers' states."""

SMALL_BYTES = 1 << 18
"""Below so many bytes of files a second process takes longer to start than it saves."""


def jobs_for(files: Sequence[Path]) -> int:
    """Return how many processes to take where nobody says: one for each processor that this one may use, 1 for a small log."""
    try:
        size = sum(path.stat().st_size for path in files)
    except OSError:
        return 1  # whoever opens the file says what is wrong with it
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 1 if size < SMALL_BYTES else min(allowed, JOBS_MAX)


def run(
    settings: Settings,
    files: Sequence[Path],
    evaluate_from: str | int,
    burn_in_ms: int,
    *,
    jobs: int = 1,
    vectors: bool = False,
) -> Judged:
    """Replay the files and judge what was said; see `evaluated_from` and `replay` for the other arguments.

    Raises:
        InputFileError: a file or line cannot be read.
        JobError: a process that shared the work has failed or was killed.
    """
    result = _replay(settings, files, jobs, vectors=vectors)
    from_ms = evaluated_from(result.first_ms, result.last_ms, evaluate_from, burn_in_ms)
    return judge(result, from_ms, compose.question(settings), settings.alert_earliness)


def _replay(settings: Settings, files: Sequence[Path], jobs: int, *, vectors: bool) -> Backtest:
    began_seconds = time.monotonic()
    with progress("Backtest") as update:

        def moved(result: Backtest, clock_ms: int, _: Learner | None) -> None:
            read = result.events["read"]
            rate = read / max(time.monotonic() - began_seconds, 1e-9)
            at = iso(clock_ms)[:10] if clock_ms > 0 else "the beginning"
            done = f"{result.labelled:,} examples, {len(result.alerts):,} alerts"
            update(read, f"{read:,} events ({rate:,.0f}/s), at {at}, {done}")

        return asyncio.run(
            replay(
                settings,
                files,
                now_ms=time.time_ns() // 1_000_000,
                frozen=compose.frozen_guide(settings),
                progress=moved,
                wants=WANTS,
                vectors=vectors,
                jobs=jobs,
            )
        )
