"""What is known of the receiver: does it take alerts? Says so once when it changes, and wakes who waits when it is back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final

log = logging.getLogger("churnwatch.deliver")

QUIET_SECONDS: Final = 60.0
"""However often it comes and goes, the log says so no more often."""

REMIND_SECONDS: Final = 3600.0
OUTAGE_BACKOFFS: Final = 10
"""An outage of so many first back-offs is over for everybody when it is over for one; before that a single alert may be at fault."""


class Receiver:
    """The state of one receiver, as seen by all partitions; `clock` gives seconds that never go back."""

    def __init__(self, address: str, clock: Callable[[], float], backoff_seconds: float) -> None:
        self.address = address
        self.up = True
        self._clock = clock
        self._outage_seconds = OUTAGE_BACKOFFS * backoff_seconds
        self._since = clock()
        self._said = self._since - QUIET_SECONDS
        self._told_down = False
        self._back = asyncio.Event()

    def failed(self, said: str) -> None:
        """An attempt has failed for what is not the alert's fault; `said` is why, for people."""
        now = self._clock()
        if self.up:
            self.up, self._since = False, now
        quiet = REMIND_SECONDS if self._told_down else QUIET_SECONDS
        if now - self._said >= quiet:
            self._said, self._told_down = now, True
            log.warning(
                "The receiver at %s does not take alerts: %s. They wait in Kafka, none is lost; it is tried again until it does",
                self.address,
                said,
            )

    def succeeded(self) -> None:
        """An alert was taken."""
        if self.up:
            return
        lasted = self._clock() - self._since
        self.up = True
        if self._told_down:
            self._told_down = False
            log.warning("The receiver at %s takes alerts again, after %.1f s", self.address, lasted)
        if lasted >= self._outage_seconds:
            self._back.set()
            self._back = asyncio.Event()

    async def wait(self, seconds: float, leaving: asyncio.Event) -> None:
        """Return after `seconds`, or when the receiver is back from an outage, or when `leaving` is set."""
        told = [asyncio.ensure_future(leaving.wait()), asyncio.ensure_future(self._back.wait())]
        try:
            await asyncio.wait(told, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in told:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
