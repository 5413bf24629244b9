"""Cyclic garbage, collected by the clock.

Python collects cycles once enough containers are alive that were not before, which says nothing of memory: a connection that has been
closed is one (asyncio's transport refers to itself) with kilobytes of buffers, and a probe of /healthz leaves one behind. With
the thresholds that suit a replay (`churnwatch.cli.main`) a worker that had caught up did not collect once in eighteen minutes, and held
1,500 dead sockets in 14 MB. So the young generations are collected every few seconds: what has come since the last time, a
millisecond; the caches, which are old, are not walked.
"""

from __future__ import annotations

import asyncio
import gc
from typing import Final

SECONDS: Final = 10.0
YOUNG: Final = 1
"""The younger two of Python's three generations."""


async def collect_for_ever(seconds: float = SECONDS) -> None:
    """Collect the young every `seconds`, until cancelled."""
    while True:
        await asyncio.sleep(seconds)
        gc.collect(YOUNG)
