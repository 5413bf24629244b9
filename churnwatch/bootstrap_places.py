"""Where the live stream takes over from the files: in each partition of each input topic, the first record that the files do not stand for.

1. The topics are read from what Kafka still holds of their beginning, until the first record that occurred at or after `from_ms`.
   There the workers will begin. Kafka's own times are no help: they tell when a record was written, not when it happened.
2. Where there is no such record, they begin at the present end.
3. Profiles are taken from their beginning: the latest one counts, however often it is read, and compaction keeps old ones.
4. A topic of which Kafka has deleted the beginning must still hold a record from before the end of the files. Else what it has
   deleted may have happened after the files end, and would be missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from churnwatch.kafka import Cluster, answering, open_consumer, unreachable
from churnwatch.settings import Settings
from churnwatch.topic_reader import partitions_of
from streams.chunk import raw_records
from streams.codec import Arrival, Limits, decode
from streams.time import iso

FETCH_WAIT_MS: Final = 250
FETCH_RECORDS_MAX: Final = 5_000


@dataclass(slots=True)
class Place:
    """Where one partition is taken over.

    Attributes:
        begin: the first offset that Kafka still holds.
        offset: the first one that workers are to take.
        first_ms: event time of the first readable record that Kafka still holds; None where none was met.
    """

    begin: int
    offset: int
    first_ms: int | None = None

    @property
    def passed_over(self) -> int:
        """Offsets that stand for events of the files."""
        return self.offset - self.begin


Places = Mapping[TopicPartition, Place]


@dataclass(frozen=True, slots=True)
class Search:
    """Finds the places; `from_ms` is the event time that workers begin at, `now_ms` the wall clock."""

    settings: Settings
    from_ms: int
    now_ms: int

    async def run(self, cluster: Cluster, topics: Sequence[str], progress: Callable[[int], None]) -> Places:
        """Look through the topics; `progress` hears how many records were read.

        Raises:
            TransportError: the brokers do not answer.
        """
        wanted = partitions_of(cluster, topics)
        if not wanted:
            return {}
        async with open_consumer(self.settings, isolation_level="read_committed") as consumer:
            async with answering(self.settings):
                begins, ends = await consumer.beginning_offsets(wanted), await consumer.end_offsets(wanted)
            profiles = self.settings.topics().inputs["profiles"]
            places = {tp: Place(begins[tp], (begins if tp.topic == profiles else ends)[tp]) for tp in wanted}
            searching = {tp for tp, place in places.items() if place.begin < place.offset}
            consumer.assign(searching)
            for tp in searching:
                consumer.seek(tp, begins[tp])
            await self._read(consumer, places, searching, progress)
        return places

    async def _read(
        self,
        consumer: AIOKafkaConsumer,
        places: Places,
        searching: set[TopicPartition],
        progress: Callable[[int], None],
    ) -> None:
        read, moved_seconds = 0, time.monotonic()
        while searching:
            chunks = await consumer.getmany(*searching, timeout_ms=FETCH_WAIT_MS, max_records=FETCH_RECORDS_MAX)
            found = {tp for tp, records in chunks.items() if self._found(places[tp], tp.topic, records)}
            for tp in found:
                consumer.pause(tp)
            # The position, not the last record's offset: compaction and transactions leave gaps, also at the end.
            ended = {tp for tp in searching - found if await consumer.position(tp) >= places[tp].offset}
            searching = searching - found - ended
            read += sum(map(len, chunks.values()))
            progress(read)
            if chunks or ended:
                moved_seconds = time.monotonic()
            elif time.monotonic() - moved_seconds > self.settings.kafka_timeout_ms / 1000:
                raise unreachable(self.settings, f"no records come, {len(searching)} partitions are not looked through")

    def _found(self, place: Place, topic: str, records: Sequence[Any]) -> bool:
        """Look through a chunk; whether the place is in it."""
        stream = self.settings.topics().stream_of(topic)
        limits = Limits(self.settings.value_bytes_max, self.settings.future_tolerance_ms)
        for record in raw_records(records):
            if record.offset >= place.offset:
                return True  # written since: what was the end when the search began is the place
            item = decode(record, stream, limits, self.now_ms)
            if isinstance(item, Arrival):
                at_ms = item.event.occurred_at
                place.first_ms = at_ms if place.first_ms is None else place.first_ms
                if at_ms >= self.from_ms:
                    place.offset = record.offset
                    return True
        return False


def gaps(places: Places, files_end_ms: int, profiles: str) -> list[str]:
    """Say of which topics events may be missing between the end of the files and what Kafka still holds.

    One partition that reaches back behind the end of the files speaks for its topic: what is deleted goes by age.

    >>> gaps({TopicPartition("orders", 0): Place(begin=5, offset=5, first_ms=2000)}, 1000, "profiles")
    ['orders (begins 1970-01-01T00:00:02Z)']
    """
    told = []
    for topic in sorted({tp.topic for tp in places} - {profiles}):
        cut = [place for tp, place in places.items() if tp.topic == topic and place.begin > 0]
        if cut and not any(place.first_ms is not None and place.first_ms <= files_end_ms for place in cut):
            told.append(f"{topic} ({_beginning(cut)})")
    return told


def _beginning(places: Iterable[Place]) -> str:
    first_ms = min((place.first_ms for place in places if place.first_ms is not None), default=None)
    return "emptied" if first_ms is None else f"begins {iso(first_ms)}"
