"""The clock of a partition: how far event time has come.

| state of the partition | its clock |
| --- | --- |
| records buffered of every topic that has more to give | the watermark: event time of the next record, less the allowed lateness |
| some topic's next record not here yet | the watermark: the highest event time taken in, less the allowed lateness |
| everything taken in, live | the wall |
| everything taken in, replay | `until` where it is given (the end of the log), else the watermark |

A topic at the end of its log is idle and drops out of the watermark (`MergeFeed`). The clock never goes back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agents.meta import Meta
from streams.feed import NO_TIME_MS, MergeFeed


@dataclass(slots=True)
class PartitionClock:
    """The rule of the table above.

    Attributes:
        lateness_ms: how far behind the newest record another may still come without counting as out of order.
        now_ms: the wall clock, epoch milliseconds.
        live: whether the wall counts once the partition has caught up.
        until_ms: in replay, where the clock goes when everything is taken in; may be set while it runs, once that is known.
    """

    lateness_ms: int
    now_ms: Callable[[], int]
    live: bool
    until_ms: int | None = None

    def target_ms(self, meta: Meta, feed: MergeFeed, ended: frozenset[str]) -> int:
        """How far the clock may go now; at least where it is."""
        head_ms = feed.head_ms()
        if feed.waiting_for(ended) or head_ms == NO_TIME_MS:
            # A topic that is still being fetched may hold older records than those that are here.
            reached_ms = meta.taken_ms - self.lateness_ms
        elif head_ms is not None:
            reached_ms = max(head_ms, meta.taken_ms) - self.lateness_ms
        elif self.live:
            reached_ms = self.now_ms()
        else:
            reached_ms = meta.taken_ms - self.lateness_ms if self.until_ms is None else self.until_ms
        if self.live:
            reached_ms = min(reached_ms, self.now_ms())
        return max(meta.clock_ms, reached_ms)

    def closed(self, meta: Meta) -> bool:
        """In replay with an end: whether the clock has reached it."""
        return self.until_ms is not None and meta.clock_ms >= self.until_ms
