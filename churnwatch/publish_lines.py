"""Lines of event files, checked and made into messages. Does no I/O but reading the files.

1. check     every line goes through the codec that the worker uses; the first bad one is named by file and line
2. message   key = customer id; value = the line without `stream`, its other fields byte for byte; times shifted if asked
3. merge     several files are interleaved by event time, as if they had happened, not one after the other
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from heapq import merge
from operator import itemgetter
from pathlib import Path
from typing import Final

import msgspec

from streams.codec import Limits, RawRecord, Rejected, decode
from streams.errors import InputFileError
from streams.files import read_events
from streams.time import INSTANT_MAX_MS, INSTANT_MIN_MS, iso, parse_instant

BAD_LINES_MAX: Final = 100_000
"""More bad lines than this and the file is not one of events."""

REPORT_EVERY: Final = 5_000
"""Lines between two reports of progress."""

INSTANTS: Final = ("occurred_at", "signed_up_at", "effective_at", "snooze_until")
"""The fields that a shift moves."""

Message = tuple[int, str, bytes, bytes]
"""Event time in epoch milliseconds, stream, key, value."""

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_text = msgspec.json.Decoder(str)
_instant = msgspec.json.Decoder(int | str)
_instant_or_none = msgspec.json.Decoder(int | str | None)


@dataclass(slots=True)
class Checked:
    """What the check found: events by stream, the span of their times, and the bad lines by file (`skip_bad` only)."""

    events: Counter[str] = field(default_factory=Counter)
    first_ms: int | None = None
    last_ms: int | None = None
    bad: dict[Path, set[int]] = field(default_factory=dict)
    total: int = 0
    skipped: int = 0

    def add(self, stream: str, occurred_ms: int) -> None:
        """Count one good event."""
        self.events[stream] += 1
        self.total += 1
        self.first_ms = occurred_ms if self.first_ms is None else min(self.first_ms, occurred_ms)
        self.last_ms = occurred_ms if self.last_ms is None else max(self.last_ms, occurred_ms)

    def add_bad(self, path: Path, line: int) -> None:
        """Remember a bad line, so that the second pass leaves it out."""
        self.bad.setdefault(path, set()).add(line)
        self.add_skipped(path, line)

    def add_skipped(self, path: Path, line: int | None = None) -> None:
        """Count a bad line; raises InputFileError where there are too many."""
        self.skipped += 1
        if self.skipped > BAD_LINES_MAX:
            raise InputFileError(path, line, f"more than {BAD_LINES_MAX} bad lines: is this a file of events?")


def check(paths: Sequence[Path], limits: Limits, now_ms: int, *, skip_bad: bool = False) -> Iterator[Checked]:
    """Check every line; yields the same, growing result every few thousand lines, and when it is complete.

    Raises:
        InputFileError: the first bad line, or with `skip_bad` too many of them.
    """
    found = Checked()
    for path in paths:
        unrouted = partial(_skip, found, path) if skip_bad else None
        for line, stream, raw in read_events(path, bad=unrouted):
            record = RawRecord(stream, 0, line, now_ms, None, raw)
            arrival = decode(record, stream, limits, now_ms, keyed=False)
            if isinstance(arrival, Rejected):
                if not skip_bad:
                    problem = f"{arrival.reason}: {arrival.message} (--skip-bad leaves such lines out)"
                    raise InputFileError(path, line, problem)
                found.add_bad(path, line)
            else:
                found.add(stream, arrival.event.occurred_at)
            if line % REPORT_EVERY == 0:
                yield found
    yield found


def _skip(found: Checked, path: Path, _: InputFileError) -> None:
    found.add_skipped(path)


def message(stream: str, raw: bytes, shift_ms: int = 0) -> Message:
    """Make a checked line into a message; `shift_ms` moves every instant in it.

    >>> message("orders", b'{"stream":"orders","customer_id":"c","occurred_at":1000,"amount":1.50}')
    (1000, 'orders', b'c', b'{"customer_id":"c","occurred_at":1000,"amount":1.50}')
    """
    fields = _fields.decode(raw)
    fields.pop("stream", None)
    if shift_ms:
        for name in INSTANTS:
            at = _instant_in(fields[name]) if name in fields else None
            if at is not None:
                fields[name] = msgspec.Raw(msgspec.json.encode(iso(_within(at + shift_ms))))
    occurred_ms = parse_instant(_instant.decode(fields["occurred_at"]))
    return occurred_ms, stream, _text.decode(fields["customer_id"]).encode(), msgspec.json.encode(fields)


def _instant_in(raw: msgspec.Raw) -> int | None:
    """Read a field of this name; None where it holds no instant, for of another stream it may hold anything."""
    try:
        at = _instant_or_none.decode(raw)
        return None if at is None else parse_instant(at)
    except ValueError:
        return None


def _within(at_ms: int) -> int:
    """Hold a shifted instant to the calendar: what lay far from the events may fall off its end."""
    return min(max(at_ms, INSTANT_MIN_MS), INSTANT_MAX_MS)


def messages(paths: Sequence[Path], bad: Mapping[Path, set[int]], shift_ms: int = 0) -> Iterator[Message]:
    """Yield the checked files' messages, files interleaved by event time; a file's own order is kept."""
    return merge(*(_messages_of(path, bad.get(path, set()), shift_ms) for path in paths), key=itemgetter(0))


def _messages_of(path: Path, bad: set[int], shift_ms: int) -> Iterator[Message]:
    for line, stream, raw in read_events(path, bad=_pass_over):
        if line not in bad:
            yield message(stream, raw, shift_ms)


def _pass_over(_: InputFileError) -> None:
    """Leave out what the check has counted, or has refused already."""
