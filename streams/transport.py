"""The chunked transport: Faust takes in one message per fetched partition chunk instead of one per record.

Stock Faust spends two asyncio tasks and a queue hop on every record; here the unit is the chunk, and what Faust does well
(group membership, rebalancing, agents, commits) stays with Faust. How a chunk travels:

1. `getmany` fetches for the partitions that are neither paused nor held and yields one message for all that came, its value a
   `Chunk` per partition: every message makes several turns of the event loop, and at each waits for whatever else is to be done.
2. Faust's conductor hands it to an agent's stream; `ChunkTopic.decode` passes the value through untouched.
3. The agent gives each chunk to its partition's runner and calls `delivered`. Only what the runner has stored may be committed:
   `_new_offset` answers with the offset that the store holds, never with what Faust thinks was acknowledged.

Who reads is not who belongs to the group: `streams.reader` fetches here, on the loop, `streams.consumer_thread` keeps the worker in the group.

Positions belong to the store, not to the consumer group. After every assignment all partitions are *held*: nothing is fetched
until their runner has read its offsets and called `start_from`. A chunk fetched before a seek can never arrive after it:
fetching and seeking exclude each other, and every chunk carries the epoch of the seek that it was fetched under.

Source of the idea: the stock driver, faust/transport/drivers/aiokafka.py and faust/transport/consumer.py.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Protocol, cast

import faust
from aiokafka.errors import OffsetOutOfRangeError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from streams.chunk import Chunk, raw_records
from streams.consumer_thread import ChunkConsumerThread, Noted
from streams.errors import TransportError
from streams.reader import LOST_LOG, Fetched, Progress, Reader, asking

POLL_SECONDS = 0.25
ANY_OFFSET = 1 << 62
"""Faust drops a message whose offset it has passed; ours has those of many partitions, and each chunk tells by its epoch."""


class AssignmentListener(Protocol):
    """Who runs the partitions: told of every change, before any chunk of the new assignment is fetched."""

    async def on_revoked(self, partitions: set[TP]) -> None:
        """All work on the partitions must have stopped when this returns."""

    async def on_assigned(self, partitions: set[TP]) -> None:
        """The partitions are held; call `ChunkConsumer.start_from` for each when its position is known."""


class ChunkConsumer(driver.Consumer):
    """Yields one `Chunk` per fetched partition chunk; see the module's text for positions, pausing and commits."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._reader = Reader(cast(ChunkTransport, self.transport).consumer_options)
        self._held: set[TP] = set()
        self._epochs: dict[TP, int] = defaultdict(int)
        self._in_flight: dict[TP, int] = defaultdict(int)
        self._fetched: dict[TP, Progress] = {}
        self._stored: dict[TP, Noted] = {}
        self._told: dict[TP, Noted] = {}
        self._exclusive = asyncio.Lock()
        self._fetchable = asyncio.Event()
        self.turns = 0
        """Times that the fetch loop has come round: Faust's own task may end without a word (faust #175)."""

    def _new_consumer_thread(self) -> ChunkConsumerThread:
        thread = ChunkConsumerThread(self, loop=self.loop, beacon=self.beacon)
        thread.noted = self.noted
        return thread

    async def on_start(self) -> None:
        """Be ready to read before there is anything to be read."""
        await super().on_start()
        await self._reader.start()

    async def on_stop(self) -> None:
        """Read no more."""
        await super().on_stop()
        await self._reader.stop()

    @property
    def beats(self) -> int:
        """Goes on while the consumer's thread does."""
        return cast(ChunkConsumerThread, self._thread).beats

    # -- assignment ----------------------------------------------------------------------------------------------------

    @property
    def _listener(self) -> AssignmentListener:
        return cast(ChunkTransport, self.transport).listener

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Stop the runners first, so that nothing is written for a partition that is about to be another's."""
        self._held.update(revoked)
        await self._listener.on_revoked(set(revoked))
        self._reader.leave(revoked)
        await super().on_partitions_revoked(revoked)
        for tp in revoked:
            self._stored.pop(tp, None)
            self._told.pop(tp, None)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Hold every partition until its runner knows where to start."""
        self._held = set(assigned)
        self._reader.assign(assigned)
        self._in_flight.clear()
        self._fetched.clear()
        await super().on_partitions_assigned(assigned, generation_id)
        await self._listener.on_assigned(set(assigned))

    async def perform_seek(self) -> None:
        """Nothing to do here: every runner seeks for itself (`start_from`)."""

    async def start_from(self, positions: Mapping[TP, int]) -> int:
        """Seek partitions to where their store stands and let them be fetched; returns the epoch of their next chunks.

        Raises `TransportError` where Kafka no longer holds the offset asked for, `LogUnavailable` where it does not answer.
        """
        async with self._exclusive:
            epoch = 1 + max((self._epochs[tp] for tp in positions), default=0)
            positions = await self._reader.check(positions)
            with asking():
                self._reader.seek(positions)
            for tp, offset in positions.items():
                self._epochs[tp] = epoch
                self._in_flight[tp] = 0
                self._fetched[tp] = offset, None
            self._held.difference_update(positions)
        self.resume_partitions(positions)
        return epoch

    # -- flow control --------------------------------------------------------------------------------------------------

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        """Let partitions be fetched again, save those that are still held."""
        super().resume_partitions(set(tps) - self._held)
        self._fetchable.set()

    def at_end(self, tp: TP) -> bool:
        """Whether all of the partition has been handed over: fetched up to its end and no chunk under way."""
        if tp in self._held or self._in_flight[tp]:
            return False
        # As it was when the records were taken out, not as the reader knows by now: under load there is always more.
        fetched, end = self._fetched.get(tp, (None, None))
        return fetched is not None and end is not None and fetched >= end

    def lag_events(self, tp: TP) -> int | None:
        """Records between the consumer's position and the end of the partition; None while unknown."""
        position, end = self._reader.progress(tp)
        return None if position is None or end is None else max(0, end - position)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """Fetch once and yield one message for all that came, its value a list of `Chunk` (see the module's text)."""
        self.turns += 1
        if not self.flow_active:
            await self.wait(self.can_resume_flow.wait())
        generation = self.app.consumer_generation_id
        self._fetchable.clear()
        wanted = set(self._get_active_partitions()) - self._held
        if not wanted:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._fetchable.wait(), POLL_SECONDS)
            return
        async with self._exclusive:
            records, reached = await self._fetch(wanted)
            chunks = [
                Chunk(tp.topic, tp.partition, self._epochs[TP(*tp)], raw_records(fetched))
                for tp, fetched in records.items()
                if fetched
            ]
            for chunk in chunks:
                self._in_flight[TP(chunk.topic, chunk.partition)] += 1
            # Also where nothing came: markers of transactions and compacted batches move a position too.
            self._fetched |= reached
        # After a stop of the flow comes an assignment, and with it a seek of every partition: dropping is safe then.
        if chunks and self.flow_active and self.app.consumer_generation_id == generation:
            tp = TP(chunks[0].topic, chunks[0].partition)
            yield tp, self._message(tp, chunks)

    async def _fetch(self, wanted: set[TP]) -> Fetched:
        try:
            return await self._reader.fetch(wanted, POLL_SECONDS)
        except OffsetOutOfRangeError as error:
            for tp, offset in error.args[0].items():
                if offset == self._fetched.get(TP(tp.topic, tp.partition), (None, None))[0]:
                    raise TransportError(
                        f"{tp.topic}[{tp.partition}]: offset {offset} is next, but Kafka does not hold it (any more). {LOST_LOG}"
                    ) from error
            return {}, {}  # it is from before the runner's seek

    def _message(self, tp: TP, chunks: list[Chunk]) -> ConsumerMessage:
        at = chunks[0].records[-1].timestamp_ms / 1000
        return ConsumerMessage(
            tp.topic, tp.partition, ANY_OFFSET, at, 0, None, None, cast(Any, chunks), None, 0, 0, tp,
            generation_id=self.app.consumer_generation_id,
        )  # fmt: skip

    def delivered(self, chunk: Chunk) -> None:
        """The agent has handed the chunk to its runner: it no longer counts as under way."""
        tp = TP(chunk.topic, chunk.partition)
        if chunk.epoch == self._epochs[tp]:
            self._in_flight[tp] = max(0, self._in_flight[tp] - 1)

    # -- commits -------------------------------------------------------------------------------------------------------

    def stored(self, offsets: Mapping[TP, Noted]) -> None:
        """All that follows from the records before these offsets is stored and said: they may be committed, with their notes."""
        self._stored.update(offsets)

    def noted(self, tps: Iterable[TP]) -> dict[TP, Noted]:
        """Give the offsets that may be committed now, each with the note that belongs to it."""
        return {tp: known for tp in tps if (known := self._stored.get(tp)) is not None}

    async def committed(self, tps: Iterable[TP]) -> dict[TP, Noted]:
        """What the consumer group has committed of these partitions, offsets and notes."""
        with asking():
            return await cast(ChunkConsumerThread, self._thread).committed(tps)

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit in the consumer's thread, which takes no more calls once it stops.

        A rebalance that has begun by then commits as well, and would wait for an answer for ever, while the thread
        waits for the rebalance.
        """
        told = self.noted(offsets)
        committing = asyncio.ensure_future(super()._commit(offsets))
        try:
            while not committing.done() and not self._thread.should_stop:
                await asyncio.wait([committing], timeout=POLL_SECONDS)
            done = committing.done() and committing.result()
            if done:
                self._told |= {tp: known for tp, known in told.items() if tp in self._stored}
            return done
        finally:
            committing.cancel()

    def ack(self, message: Any) -> bool:
        """Faust acknowledges a message even where the agent raised, so its acknowledgements count for nothing here."""
        message.acked = True
        self._unacked_messages.discard(message)
        return True

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return iter([tp for tp in self._stored if topics is None or tp in topics or tp.topic in topics])

    def _new_offset(self, tp: TP) -> int | None:
        for noted in (self._acked, self._acked_index):  # by Faust's streams, in C, past `ack`: it would grow for ever
            noted.pop(tp, None)
        known = self._stored.get(tp)
        return None if known is None else known[0]

    def _should_commit(self, tp: TP, offset: int) -> bool:
        # A new note is worth a commit too: the clock goes on where no record comes.
        return self._stored.get(tp) != self._told.get(tp)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Offsets that are missing (compaction, transaction markers) are no gap in the work."""


class ChunkTransport(driver.Transport):
    """Transport whose consumer is a `ChunkConsumer`.

    `consumer_options` are those of both `AIOKafkaConsumer`s, the group's member and the reader; `listener` is told of assignments.
    """

    Consumer = ChunkConsumer

    def __init__(
        self, url: Any, app: faust.App, consumer_options: dict[str, Any], listener: AssignmentListener
    ) -> None:
        super().__init__(url, app)
        self.consumer_options = consumer_options
        self.listener = listener


class ChunkTopic(faust.Topic):
    """A topic whose messages are chunks: already decoded as far as Faust is concerned."""

    async def decode(self, message: Any, *, propagate: bool = False) -> Any:
        """Wrap the chunk as a Faust event."""
        return self._create_event(None, message.value, None, message=message)
