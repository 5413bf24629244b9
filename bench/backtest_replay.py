"""One offline replay, in a process of its own. `python -m bench.backtest_replay JOBS:timed|checked:FILE`."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

from alerts.alert import encode
from bench.fingerprints import fingerprint
from bench.measures import Run
from churnwatch import compose
from churnwatch.backtest import replay
from churnwatch.backtest_frames import Wants
from churnwatch.settings_load import load_settings
from models.guide import encode_guide

FAR_MS = 1 << 60


def main(path: Path, jobs: int, *, checked: bool) -> None:
    """Print the run, with the settings of the environment: learning, or with the frozen model that they name.

    Its processor time is that of all its processes, start-up left out for this one alone. Only a run that is to be `checked` writes down
    every customer's state at the end, which a backtest does not do.
    """
    settings = load_settings()
    before = _cpu_seconds()
    found = asyncio.run(
        replay(
            settings,
            [path],
            now_ms=time.time_ns() // 1_000_000,
            frozen=compose.frozen_guide(settings),
            wants=Wants(examples=False, states=checked),
            jobs=jobs,
        )
    )
    cpu = _cpu_seconds() - before
    states, guide = found.partition.states, found.guide
    assert guide is not None
    said = [(alert.alert_id.encode(), encode(alert)) for alert in found.alerts]
    run = Run(
        found.events["read"],
        found.seconds,
        dict(found.events),
        len(states),
        len(found.partition.timers.get(FAR_MS, len(states) + 1)),
        sum(found.scorings.values()),
        cpu_seconds=cpu,
        states=fingerprint((name.encode(), value) for name, value in states.items()),
        alerts=len(said),
        said=fingerprint([*said, (b"guide", encode_guide(guide))]),
    )
    print(json.dumps(asdict(run)))


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


if __name__ == "__main__":
    gc.set_threshold(100_000, 50, 50)  # as `churnwatch.cli.main` has it
    wanted, what, file = sys.argv[1].split(":", 2)
    main(Path(file), int(wanted), checked=what == "checked")
