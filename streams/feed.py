"""The merge feed of one partition: several topics in, one sequence in event-time order out.

The topics of a partition run at different speeds: after a restart one may be hours ahead of another. What a customer did must
nevertheless be taken in as it happened, so the feed is a k-way merge over the topics' buffers, by the event time of their heads:

1. `push` appends a fetched chunk, already decoded, to its topic's buffer (offset order within a topic is kept).
2. `take` hands out records while *every* topic either has a record buffered or is at the end of its log. A topic that is merely
   slow to fetch holds the merge back; one that has nothing more to give (idle) does not.
3. `frontier_ms` is how far event time has come: no record before it is expected, save ones later than the allowed lateness.

A record without a usable event time (it could not be decoded) sorts first: it has nothing to wait for.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from streams.codec import Arrival, Rejected

NO_TIME_MS = -(1 << 62)
FAR_MS = 1 << 62
RECORD_BYTES = 512
"""What a buffered record costs beside its value: it bounds the number of small records too."""


def event_ms(item: Arrival | Rejected) -> int:
    """Event time of a decoded record in epoch milliseconds; `NO_TIME_MS` for one that could not be decoded.

    Nor has a tombstone any: Kafka's timestamp is the time of writing, and would carry a replay of the past into the present.
    """
    return item.event.occurred_at if type(item) is Arrival and item.record.value is not None else NO_TIME_MS


_Entry = tuple[int, int, Arrival | Rejected]
"""A buffered record with its event time and its size: either is asked for several times on the way through."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one partition in merge order.

    Attributes:
        items: the records.
        next_offsets: topic to the offset that follows the last one taken.
        heard_ms: topic to the highest event time taken; none where its records have no time.
    """

    items: Sequence[Arrival | Rejected]
    next_offsets: dict[str, int]
    heard_ms: dict[str, int] = field(default_factory=dict)


class MergeFeed:
    """Buffers of one partition's topics; see the module's text for the rules.

    `bytes_max` bounds what is held, shared evenly between the topics: from there on `full` tells the transport to pause a topic,
    until it is down to half. The bound is soft by the chunks already in flight.
    """

    def __init__(self, topics: Sequence[str], bytes_max: int) -> None:
        self._buffers: dict[str, deque[_Entry]] = {topic: deque() for topic in topics}
        self._bytes = dict.fromkeys(topics, 0)
        self._topic_bytes_max = bytes_max // max(1, len(topics))

    def __len__(self) -> int:
        return sum(map(len, self._buffers.values()))

    def push(self, topic: str, items: Sequence[Arrival | Rejected]) -> None:
        """Append decoded records of one topic, in offset order."""
        entries = [(event_ms(item), _size(item), item) for item in items]
        self._buffers[topic].extend(entries)
        self._bytes[topic] += sum([entry[1] for entry in entries])

    def clear(self) -> None:
        """Forget all buffered records: the partition will be read again from its stored offsets."""
        for buffer in self._buffers.values():
            buffer.clear()
        self._bytes = dict.fromkeys(self._bytes, 0)

    def buffered(self, topic: str) -> int:
        """Records of the topic that are here and not yet handed out."""
        return len(self._buffers[topic])

    def full(self, topic: str) -> bool:
        """Whether fetching of the topic should pause."""
        return self._bytes[topic] >= self._topic_bytes_max

    def drained(self, topic: str) -> bool:
        """Whether fetching of a paused topic may go on."""
        return self._bytes[topic] * 2 <= self._topic_bytes_max

    def head_ms(self) -> int | None:
        """Event time of the record that `take` would hand out first; None where nothing is buffered."""
        return min((buffer[0][0] for buffer in self._buffers.values() if buffer), default=None)

    def next_ms(self, topic: str) -> int | None:
        """Event time of the topic's next record; None where none is buffered."""
        buffer = self._buffers[topic]
        return buffer[0][0] if buffer else None

    def waiting_for(self, ended: frozenset[str]) -> list[str]:
        """Topics whose next record is not here yet though they have more to give."""
        return [topic for topic, buffer in self._buffers.items() if not buffer and topic not in ended]

    def take(self, events_max: int, bytes_max: int, before_ms: int | None, ended: frozenset[str]) -> Batch:
        """Remove and return up to `events_max` records (of about `bytes_max` in all, but at least one) in event-time order.

        Stops early before the first record at or after `before_ms` (None: no such limit), and as soon as a topic that has more
        to give (not in `ended`) runs out of buffered records.
        """
        items: list[Arrival | Rejected] = []
        offsets: dict[str, int] = {}
        heard: dict[str, int] = {}
        limit = FAR_MS if before_ms is None else before_ms
        size = 0
        heads = sorted([(buffer[0][0], topic) for topic, buffer in self._buffers.items() if buffer])
        if self.waiting_for(ended):
            heads.clear()
        while heads and heads[0][0] < limit and len(items) < events_max and size < bytes_max:
            # Take from the topic in front while it stays there: one comparison a record, not a merge step.
            _, topic = heads.pop(0)
            rival_ms, rival = heads[0] if heads else (FAR_MS, "")
            bound_ms = min(limit, rival_ms + (topic < rival))
            buffer = self._buffers[topic]
            size_before, latest_ms = size, heard.get(topic, NO_TIME_MS)
            while buffer and len(items) < events_max and size < bytes_max and buffer[0][0] < bound_ms:
                item_ms, item_bytes, item = buffer.popleft()
                if item_ms > latest_ms:
                    latest_ms = item_ms
                size += item_bytes
                items.append(item)
            self._bytes[topic] -= size - size_before
            offsets[topic] = items[-1].record.offset + 1
            if latest_ms != NO_TIME_MS:
                heard[topic] = latest_ms
            if buffer:
                insort(heads, (buffer[0][0], topic))
            elif topic not in ended:
                break
        return Batch(items, offsets, heard)


def _size(item: Arrival | Rejected) -> int:
    return RECORD_BYTES + len(item.record.value or b"")
