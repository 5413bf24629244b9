"""From event files to the chunks of each shard: read once, brought into order, dealt out by customer.

    files -> lines -> merged by event time -> topic by topic within an instant -> crc32(customer) % shards

A line is not decoded here, which is the shard's work: it is looked at only for its stream, its customer and its time. All that one
shard's lines do not tell it comes with them: how far the whole log was when a line came late (`Chunk.late`), and how far it is at
the chunk's end. So what is in a shard besides a customer does not matter to the customer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Final
from zlib import crc32

import msgspec

from churnwatch.backtest_frames import Chunk, Line
from streams.codec import Arrival, Limits, RawRecord, Rejected, decode
from streams.events import STREAMS
from streams.feed import NO_TIME_MS
from streams.files import read_lines
from streams.time import parse_instant
from streams.topics import Topics

CHUNK_LINES: Final = 4_000
"""Lines of the log in a chunk, for each shard; a tenth of a second's work."""

UNSURE_MAX: Final = 1_000
"""Lines that may have raised the watermark and of which nobody knows yet whether they are valid."""

NAMES: Final = tuple(STREAMS)

Routed = tuple[int, str, int, int, int, bytes]
"""Event time (`NO_TIME_MS` where it cannot be read), topic, place of the stream, place of the line, hash of the customer, line."""

_json = msgspec.json.Decoder()
_when = itemgetter(0)
_topic = itemgetter(1)


class Decoding:
    """How a shard, and now and then the router, makes an event of a line."""

    def __init__(self, topics: Topics, limits: Limits, now_ms: int) -> None:
        self.topics = [topics.inputs[name] for name in NAMES]
        self._limits = limits
        self._now_ms = now_ms
        self.latest_ms = now_ms + limits.future_ms_max

    def arrival(self, line: Line) -> Arrival | Rejected:
        """Return what a line of a file is: keyed by nothing, at its place in a topic of one partition."""
        stream, offset, raw = line
        record = RawRecord(self.topics[stream], 0, offset, 0, None, raw)
        return decode(record, NAMES[stream], self._limits, self._now_ms, keyed=False)


class Watermark:
    """The highest event time so far of lines that are valid, at the cost of decoding hardly any.

    What might have raised it is kept aside, and looked at, the highest first, when somebody asks.
    """

    def __init__(self, decoding: Decoding) -> None:
        self._decoding = decoding
        self._valid_ms = NO_TIME_MS
        self._highest_ms = NO_TIME_MS
        self._unsure: list[tuple[int, Line]] = []

    def take(self, at_ms: int, line: Line) -> None:
        """Note a line."""
        if at_ms > self._valid_ms:
            self._unsure.append((at_ms, line))
            self._highest_ms = max(self._highest_ms, at_ms)
            if len(self._unsure) >= UNSURE_MAX:
                self.ms()

    def behind(self, at_ms: int, lateness_ms: int) -> bool:
        """Tell whether a line of this time comes so late that the clock, the lateness behind those before it, may be there."""
        lag_ms = max(lateness_ms, 1)
        return at_ms <= self._highest_ms - lag_ms and at_ms <= self.ms() - lag_ms

    def ms(self) -> int:
        """Return it; `NO_TIME_MS` before the first valid line."""
        for at_ms, line in sorted(self._unsure, key=_when, reverse=True):
            if at_ms > self._valid_ms and isinstance(self._decoding.arrival(line), Arrival):
                self._valid_ms = at_ms
                break
        self._unsure.clear()
        self._highest_ms = self._valid_ms
        return self._valid_ms


def in_order(paths: Sequence[Path], decoding: Decoding) -> Iterator[Routed]:
    """Give the lines of all files (each in event-time order) as the merge feed would give them from Kafka's topics.

    Of events at the same instant the topic's name decides there, not their place in the file.

    Raises:
        InputFileError: a file cannot be read, or a line names no stream.
    """
    came = merge(*(_lines(path, decoding) for path in paths), key=_when)
    for _, together in groupby(came, _when):
        yield from sorted(together, key=_topic)


def _lines(path: Path, decoding: Decoding) -> Iterator[Routed]:
    topics, places = decoding.topics, {name: place for place, name in enumerate(NAMES)}
    latest_ms = decoding.latest_ms
    written, at_ms = b"", NO_TIME_MS
    for number, routed, line in read_lines(path):
        if (now_written := bytes(routed.occurred_at)) != written:
            written, at_ms = now_written, _instant(now_written, latest_ms)
        place = places[routed.stream]
        yield at_ms, topics[place], place, number - 1, _hash(bytes(routed.customer_id)), line


def _instant(written: bytes, latest_ms: int) -> int:
    """Return an event's time; `NO_TIME_MS` where the event will be refused for it: it has nothing to wait for."""
    try:
        at_ms = parse_instant(_json.decode(written))
    except (ValueError, RecursionError):
        return NO_TIME_MS
    return at_ms if at_ms <= latest_ms else NO_TIME_MS


def _hash(customer: bytes) -> int:
    """Return a number for a customer's id, which JSON may write in several ways."""
    if b"\\" in customer:
        try:
            customer = msgspec.json.encode(_json.decode(customer))
        except (ValueError, RecursionError):
            return 0
    return crc32(customer)


class Dealer:
    """Deals a log out to shards.

    Attributes:
        first_ms, last_ms: event time of the first valid line and the highest of all, once `chunks` has come to its end; 0 of none.
    """

    def __init__(self, paths: Sequence[Path], decoding: Decoding, lateness_ms: int, shards: int) -> None:
        self._paths = paths
        self._decoding = decoding
        self._lateness_ms = lateness_ms
        self._shards = shards
        self._watermark = Watermark(decoding)
        self.first_ms = self.last_ms = 0

    def chunks(self) -> Iterator[list[Chunk]]:
        """Give, piece by piece of the log, each shard's chunk of it. Raises as `in_order`."""
        shards, watermark, lateness_ms = self._shards, self._watermark, self._lateness_ms
        whole, taken = CHUNK_LINES * shards, 0
        found, hands = False, _hands(shards)
        for at_ms, _, stream, offset, customer, raw in in_order(self._paths, self._decoding):
            line = stream, offset, raw
            hand = hands[customer % shards]
            if at_ms != NO_TIME_MS:
                if watermark.behind(at_ms, lateness_ms):
                    hand.late.append((len(hand.lines), watermark.ms()))
                watermark.take(at_ms, line)
                if not found and isinstance(self._decoding.arrival(line), Arrival):
                    found, self.first_ms = True, at_ms
            hand.lines.append(line)
            taken += 1
            if taken == whole:
                yield self._closed(hands)
                hands, taken = _hands(shards), 0
        yield self._closed(hands)
        self.last_ms = max(watermark.ms(), 0)

    def _closed(self, hands: list[Chunk]) -> list[Chunk]:
        for hand in hands:
            hand.watermark_ms = self._watermark.ms()
        return hands


def _hands(shards: int) -> list[Chunk]:
    return [Chunk([], [], NO_TIME_MS) for _ in range(shards)]
