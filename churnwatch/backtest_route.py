"""From event files to the lines of each shard: read once, brought into order, dealt out by customer.

    files -> lines -> merged by event time -> topic by topic within an instant -> crc32(customer) % shards

Where there are several shards a line is not decoded here, which is their work: it is looked at only for its stream, its customer and its
time. All that one shard's lines do not tell it comes with them: how far the whole log was when a line came late, and how far it
is at the end of a piece. So what is in a shard besides a customer does not matter to the customer, and one shard alone, whose lines are
decoded here, takes them in the very same order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from operator import itemgetter
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import msgspec

from churnwatch.backtest_frames import Chunk, Line
from streams.codec import Arrival, Limits, RawRecord, Rejected, decode
from streams.events import STREAMS
from streams.feed import NO_TIME_MS
from streams.files import read_lines
from streams.time import parse_instant
from streams.topics import Topics

CHUNK_LINES: Final = 8_000
"""Lines of the log in a chunk, for each shard; a third of a second's work."""

UNSURE_MAX: Final = 1_000
"""Lines that may have raised the watermark and of which nobody knows yet whether they are valid."""

NAMES: Final = tuple(STREAMS)

Timed = tuple[int, str, Any]
"""Event time (`NO_TIME_MS` where it cannot be read), topic, and what happened then."""

_json = msgspec.json.Decoder()
_when = itemgetter(0)
_topic = itemgetter(1)


@dataclass(frozen=True, slots=True)
class Piece:
    """A `Chunk` whose lines are decoded."""

    items: list[Arrival | Rejected]
    late: list[tuple[int, int]]
    watermark_ms: int


class Decoding:
    """How an event is made of a line of a file."""

    def __init__(self, topics: Topics, limits: Limits, now_ms: int) -> None:
        self.topics = [topics.inputs[name] for name in NAMES]
        self._limits = limits
        self._now_ms = now_ms
        self.latest_ms = now_ms + limits.future_ms_max

    def arrival(self, line: Line) -> Arrival | Rejected:
        """Return what a line is: keyed by nothing, at its place in a topic of one partition."""
        stream, offset, raw = line
        record = RawRecord(self.topics[stream], 0, offset, 0, None, raw)
        return decode(record, NAMES[stream], self._limits, self._now_ms, keyed=False)

    def piece(self, chunk: Chunk) -> Piece:
        """Return a chunk with its lines decoded."""
        return Piece(list(map(self.arrival, chunk.lines)), chunk.late, chunk.watermark_ms)


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
        lag_ms = lag_of(lateness_ms)
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


def in_order(files: Sequence[Iterable[Timed]]) -> Iterator[Timed]:
    """Give what is in all files (each in event-time order) as the merge feed would give it from Kafka's topics.

    Of events at the same instant the topic's name decides there, not their place in the file.
    """
    together: list[Timed] = []
    for one in files[0] if len(files) == 1 else merge(*files, key=_when):
        if together and (together[0][0] != one[0] or one[0] == NO_TIME_MS):
            if len(together) > 1:
                together.sort(key=_topic)
            yield from together
            together = []
        together.append(one)
    together.sort(key=_topic)
    yield from together


def lines_of(path: Path, decoding: Decoding) -> Iterator[Timed]:
    """Give a file's lines for several shards: (hash of the customer, `Line`). Raises InputFileError where it cannot be read."""
    topics, places = decoding.topics, {name: place for place, name in enumerate(NAMES)}
    latest_ms = decoding.latest_ms
    written, at_ms = b"", NO_TIME_MS
    for number, routed, raw in read_lines(path):
        if (now_written := bytes(routed.occurred_at)) != written:
            written, at_ms = now_written, _instant(now_written, latest_ms)
        place = places[routed.stream]
        yield at_ms, topics[place], (_hash(bytes(routed.customer_id)), (place, number - 1, raw))


def items_of(path: Path, decoding: Decoding) -> Iterator[Timed]:
    """Give a file's lines for one shard: what they are. At the times that `lines_of` gives; raises as that."""
    topics, places = decoding.topics, {name: place for place, name in enumerate(NAMES)}
    for number, routed, raw in read_lines(path):
        place = places[routed.stream]
        item = decoding.arrival((place, number - 1, raw))
        if type(item) is Arrival:
            yield item.event.occurred_at, topics[place], item
        else:
            yield _instant(bytes(routed.occurred_at), decoding.latest_ms), topics[place], item


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
    """Deals a log out: all to one shard, or to several.

    Attributes:
        first_ms, last_ms: event time of the first valid line and the highest of all, once the log has come to its end; 0 of none.
    """

    def __init__(self, paths: Sequence[Path], decoding: Decoding, lateness_ms: int) -> None:
        self._paths = paths
        self._decoding = decoding
        self._lateness_ms = lateness_ms
        self.first_ms = self.last_ms = 0

    def pieces(self) -> Iterator[Piece]:
        """Give the log for one shard alone, a piece at a time. Raises as `lines_of`."""
        lag_ms, lateness_ms = lag_of(self._lateness_ms), self._lateness_ms
        items: list[Arrival | Rejected] = []
        late: list[tuple[int, int]] = []
        highest_ms = NO_TIME_MS
        for at_ms, _, item in in_order([items_of(path, self._decoding) for path in self._paths]):
            if at_ms <= highest_ms - lag_ms and at_ms != NO_TIME_MS:
                late.append((len(items), highest_ms - lateness_ms))
            items.append(item)
            if at_ms > highest_ms and type(item) is Arrival:
                if highest_ms == NO_TIME_MS:
                    self.first_ms = at_ms
                highest_ms = at_ms
            if len(items) == CHUNK_LINES:
                yield Piece(items, late, highest_ms)
                items, late = [], []
        yield Piece(items, late, highest_ms)
        self.last_ms = max(highest_ms, 0)

    def chunks(self, shards: int) -> Iterator[list[Chunk]]:
        """Give, piece by piece of the log, each of several shards' part of it. Raises as `lines_of`."""
        watermark, lateness_ms = Watermark(self._decoding), self._lateness_ms
        whole, taken = CHUNK_LINES * shards, 0
        found, hands = False, _hands(shards)
        for at_ms, _, (customer, line) in in_order([lines_of(path, self._decoding) for path in self._paths]):
            hand = hands[customer % shards]
            if at_ms != NO_TIME_MS:
                if watermark.behind(at_ms, lateness_ms):
                    hand.late.append((len(hand.lines), watermark.ms() - lateness_ms))
                watermark.take(at_ms, line)
                if not found and isinstance(self._decoding.arrival(line), Arrival):
                    found, self.first_ms = True, at_ms
            hand.lines.append(line)
            taken += 1
            if taken == whole:
                yield _closed(hands, watermark.ms())
                hands, taken = _hands(shards), 0
        yield _closed(hands, watermark.ms())
        self.last_ms = max(watermark.ms(), 0)


def lag_of(lateness_ms: int) -> int:
    """Return how far the clock stays behind the log: what happens at the very instant that it has reached would come too late."""
    return max(lateness_ms, 1)


def _hands(shards: int) -> list[Chunk]:
    return [Chunk([], [], NO_TIME_MS) for _ in range(shards)]


def _closed(hands: list[Chunk], watermark_ms: int) -> list[Chunk]:
    for hand in hands:
        hand.watermark_ms = watermark_ms
    return hands
