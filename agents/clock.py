"""The clock of a partition: how far event time has come, and how far silence is known to be silence.

| state of the partition | its clock |
| --- | --- |
| records buffered of every topic that has more to give | the watermark: event time of the next record, less the allowed lateness |
| some topic's next record not here yet | the watermark: the highest event time taken in, less the allowed lateness |
| everything taken in, live | the wall |
| everything taken in, replay | `until` where it is given (the end of the log), else the watermark |

A topic at the end of its log is idle and drops out of the watermark (`MergeFeed`). The clock never goes back.

Live, the end of a log may also be a source that is down. What has not come is believed not to have happened only once something later has
come on the same topic, of whatever customer. So the clock goes no further than `hold_ms`, the least over the topics by which customers
are judged silent, of

* the partition's next record of the topic, where it is here,
* else the latest event heard on it in this partition,
* or, at the end of the log, in any partition of the worker. A source that comes back does not send all partitions its backlog at
  the same instant, so that is believed only at `BELIEF_SPEED` times the speed of the wall.

A topic on which nothing was ever heard is one that the business does not use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from agents.meta import Meta
from streams.feed import FAR_MS, NO_TIME_MS, MergeFeed

BELIEF_SPEED: Final = 1_000
"""Two days of an outage take three minutes, a quiet night half a minute, the seconds between two orders nothing."""


@dataclass(slots=True)
class PartitionClock:
    """The rule of the table above.

    Attributes:
        lateness_ms: how far behind the newest record another may still come without counting as out of order.
        now_ms: the wall clock, epoch milliseconds.
        live: whether the wall counts once the partition has caught up.
        until_ms: in replay, where the clock goes when everything is taken in; may be set while it runs, once that is known.
        heard_ms: live, tells topic to the latest event time that any partition of the worker has heard, for the topics by which
            customers are judged silent.
    """

    lateness_ms: int
    now_ms: Callable[[], int]
    live: bool
    until_ms: int | None = None
    heard_ms: Callable[[], Mapping[str, int]] = dict
    _looked_ms: int | None = field(default=None, init=False)
    _hold_ms: int = field(default=NO_TIME_MS, init=False)

    def known_ms(self, meta: Meta) -> int:
        """How far event time has come before a step's records: the clock or the watermark, whichever is further."""
        watermark_ms = meta.taken_ms - self.lateness_ms
        # What comes on a topic that was late is no later than that topic.
        return max(meta.clock_ms, min(watermark_ms, self._hold_ms) if self.live else watermark_ms)

    def target_ms(self, meta: Meta, feed: MergeFeed, ended: frozenset[str], hold_ms: int = FAR_MS) -> int:
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
            reached_ms = min(reached_ms, self.now_ms(), hold_ms)
        return max(meta.clock_ms, reached_ms)

    def hold_ms(self, meta: Meta, feed: MergeFeed, ended: frozenset[str]) -> int:
        """Up to when silence is known to be silence; at least where the clock is, and `FAR_MS` in replay."""
        if not self.live:
            return FAR_MS
        now_ms = self.now_ms()
        waited_ms = 0 if self._looked_ms is None else max(now_ms - self._looked_ms, 0)
        self._looked_ms = now_ms
        own_ms = any_ms = FAR_MS
        for topic, heard_ms in self.heard_ms().items():
            mine_ms = max(meta.heard_ms.get(topic, NO_TIME_MS), feed.next_ms(topic) or NO_TIME_MS)
            own_ms = min(own_ms, mine_ms)
            at_end = topic in ended and feed.next_ms(topic) is None
            any_ms = min(any_ms, max(heard_ms, mine_ms) if at_end else mine_ms)
        if any_ms > own_ms and meta.clock_ms != NO_TIME_MS:
            any_ms = min(any_ms, max(own_ms, meta.clock_ms + BELIEF_SPEED * waited_ms))
        self._hold_ms = max(meta.clock_ms, any_ms)
        return self._hold_ms

    def idle(self, feed: MergeFeed, ended: frozenset[str]) -> bool:
        """In replay: whether there is nothing to do until a record comes; who runs on to a given end has examples to send on its way."""
        if self.live or self.until_ms is not None:
            return False
        return not len(feed) and not feed.waiting_for(ended)

    def closed(self, meta: Meta) -> bool:
        """In replay with an end: whether the clock has reached it."""
        return self.until_ms is not None and meta.clock_ms >= self.until_ms
