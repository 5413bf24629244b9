"""The pipeline alone: the same log from a file, state in memory, nothing published. `python -m bench.offline FILE`."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from bench.measures import Run
from churnwatch import compose
from churnwatch.backtest import replay
from churnwatch.settings_load import load_settings

FAR_MS = 1 << 60


def main(path: Path) -> None:
    """Replay the file with the frozen model that the settings name, and print the run."""
    settings = load_settings()
    now_ms = time.time_ns() // 1_000_000
    cpu = time.process_time()
    found = asyncio.run(replay(settings, [path], now_ms=now_ms, frozen=compose.frozen_guide(settings)))
    states, timers = found.partition.states, found.partition.timers
    run = Run(
        found.events["read"],
        found.seconds,
        dict(found.events),
        len(states),
        len(timers.get(FAR_MS, len(states) + 1)),
        sum(found.scorings.values()),
        cpu_seconds=time.process_time() - cpu,
    )
    print(json.dumps(asdict(run)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
