"""The event files of a bootstrap: checked line by line, then read as one log.

Every line goes through the codec that the worker uses, and its time must be one that still counts where it stands in its file. Events
from the instant on that is left to the topics are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import groupby
from pathlib import Path
from typing import Final

from churnwatch.settings import Settings
from features.tiles import RETENTION_DAYS
from streams.codec import Arrival, Limits, RawRecord, decode
from streams.errors import InputFileError
from streams.feed import event_ms
from streams.files import read_events
from streams.time import DAY_MS, iso

REPORT_EVERY: Final = 5_000
"""Lines between two reports of progress."""

BAD_LINES_MAX: Final = 100_000
"""More bad lines than this and the files are not of events."""

KEPT_MS: Final = RETENTION_DAYS * DAY_MS
"""What lies further behind the newest event counts for nothing any more."""


@dataclass(frozen=True, slots=True)
class Files:
    """The event files and how they are read: as `settings` say, events before `until_ms` only (None: all), as of `now_ms`."""

    settings: Settings
    paths: Sequence[Path]
    until_ms: int | None
    now_ms: int

    def events(self, path: Path, bad: Callable[[InputFileError], None]) -> Iterator[tuple[int, Arrival]]:
        """Yield (line, event) of one file; `bad` is told of every line that is no event, which is then passed over."""
        limits = Limits(self.settings.value_bytes_max, self.settings.future_tolerance_ms)
        inputs = self.settings.topics().inputs
        for line, stream, raw in read_events(path, bad=bad):
            item = decode(
                RawRecord(inputs[stream], 0, line - 1, 0, None, raw), stream, limits, self.now_ms, keyed=False
            )
            if isinstance(item, Arrival):
                yield line, item
            else:
                bad(InputFileError(path, line, f"{item.reason}: {item.message}"))

    def wanted(self, arrival: Arrival) -> bool:
        """Whether the event belongs to the history."""
        return self.until_ms is None or arrival.event.occurred_at < self.until_ms

    def arrivals(self) -> Iterator[Arrival]:
        """Give the history's events in the order of the merge feed: by event time, then by topic."""

        def one(path: Path) -> Iterator[Arrival]:
            return (arrival for _, arrival in self.events(path, _pass_over) if self.wanted(arrival))

        for _, together in groupby(merge(*map(one, self.paths), key=event_ms), event_ms):
            yield from sorted(together, key=lambda arrival: arrival.record.topic)


@dataclass(slots=True)
class Checked:
    """What the check found.

    Attributes:
        lines: lines looked at so far.
        events: events of the history.
        after: events left to the topics, at or after `until_ms`.
        skipped: bad lines left out.
        first_ms, last_ms: span of the history's event times; `last_ms` is None where there is no event.
    """

    lines: int = 0
    events: int = 0
    after: int = 0
    skipped: int = 0
    first_ms: int = 0
    last_ms: int | None = None


def check(files: Files, *, skip_bad: bool) -> Iterator[Checked]:
    """Check every line; yields the same, growing result every few thousand lines, and when it is complete.

    Raises:
        InputFileError: the first bad line (with `skip_bad` too many of them), or one so far out of order that it would not count.
    """
    found = Checked()

    def bad(error: InputFileError) -> None:
        if not skip_bad:
            raise error
        found.skipped += 1
        if found.skipped > BAD_LINES_MAX:
            raise InputFileError(path, None, f"more than {BAD_LINES_MAX} bad lines: is this a file of events?")

    for path in files.paths:
        newest_ms = 0
        for line, arrival in files.events(path, bad):
            found.lines += 1
            if found.lines % REPORT_EVERY == 0:
                yield found
            if not files.wanted(arrival):
                found.after += 1
                continue
            at_ms = arrival.event.occurred_at
            if at_ms < newest_ms - KEPT_MS and arrival.stream != "profiles":
                problem = f"it occurred at {iso(at_ms)}, a line above it at {iso(newest_ms)}: too far behind to count"
                raise InputFileError(path, line, f"{problem}; sort the file by occurred_at")
            newest_ms = max(newest_ms, at_ms)
            found.first_ms = min(found.first_ms, at_ms) if found.events else at_ms
            found.events += 1
        if newest_ms:
            found.last_ms = max(newest_ms, found.last_ms or 0)
    yield found


def _pass_over(_: InputFileError) -> None:
    """Leave out what the check has counted, or has refused already."""
