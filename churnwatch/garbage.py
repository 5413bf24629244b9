"""Cyclic garbage, collected by the clock.

Python collects cycles once enough containers are alive that were not before, which says nothing of memory: a connection that has been
closed is one (asyncio's transport refers to itself) with kilobytes of buffers, and a probe of /healthz leaves one behind. With
the thresholds that suit a replay (`churnwatch.cli.main`) a worker that had caught up did not collect once in eighteen minutes, and held
1,500 dead sockets in 14 MB. So the young generations are collected every second: what has come since the last time, which at 5,000
customers a second is 4 ms. Every ten seconds it was the same work in one piece, and all alerts waited for it.

The caches, which are old, are walked once an hour only, for that takes 1.5 µs a customer: Python by itself would do it whenever a quarter
of them is new, that is, all the time where there are more customers than a worker keeps.
"""

from __future__ import annotations

import asyncio
import gc
from typing import Final

SECONDS: Final = 1.0
YOUNG: Final = 1
"""The younger two of Python's three generations."""

WHOLE_EVERY: Final = 3_600
"""Collections of the young to one of everything."""

NEVER: Final = 1 << 30


async def collect_for_ever(seconds: float = SECONDS) -> None:
    """Collect the young every `seconds`, until cancelled, and everything now and then."""
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, NEVER)
    while True:
        for _ in range(WHOLE_EVERY):
            await asyncio.sleep(seconds)
            gc.collect(YOUNG)
        gc.collect()
