"""One partition's runner: takes records in, lets the pure pipeline work on them, stores the outcome, says it.

A step, in the order that makes it safe to die anywhere:

1. Take a batch from the merge feed, in event-time order, and find out how far the partition's clock may go.
2. Read what is missing: customers of the batch, wake-ups due by the clock, the customers woken (one or two round trips).
3. Run the pipeline: state and effects, nothing outside touched.
4. ONE transaction: customers, wake-ups, outbox, offsets. Compare-and-set on the meta value (the fence).
5. Tell the transport what may be committed to the group, count the events, hand the messages to the outbox's task.

| dies | what happens |
| --- | --- |
| before 4 | nothing has happened: the successor takes the same records again |
| within 4 | the transaction is applied or not; the successor reads which |
| after 4 | the successor goes on from the stored offsets and publishes the stored outbox again, same ids, same bytes |

A refused fence means another writer has been here: the runner drops its cache and opens the partition anew. Lost state services
are waited for: nothing is skipped.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import islice

from agents.clock import PartitionClock
from agents.effects import Effects
from agents.guides import NOTHING_YET_MS, GuideBook
from agents.limits import StepLimits
from agents.meta import Meta, decode_meta, encode_meta
from agents.observer import Observer
from agents.outbox import Outbox, decode_outgoing, encode_outgoing
from agents.pipeline import Pipeline
from agents.record import Customer, decode_customer, encode_customer
from agents.source import Source
from features.store import Commit, PartitionStore
from models.labels import ExampleBatch, encode_batch
from streams.codec import Arrival, Rejected
from streams.errors import CommitUnknown, FenceLost, StoreUnavailable
from streams.feed import NO_TIME_MS, Batch, MergeFeed
from streams.outgoing import Outgoing

log = logging.getLogger("churnwatch.runner")

RETRY_SECONDS_MIN = 0.1
RETRY_SECONDS_MAX = 5.0
SETTLE_SECONDS = 0.02
SETTLE_LOOKS = 250


class PartitionRunner:
    """Owns one partition's state while this worker owns the partition. One task runs it; nothing in it is shared."""

    def __init__(
        self,
        partition: int,
        topics: Sequence[str],
        *,
        store: PartitionStore,
        source: Source,
        outbox: Outbox,
        pipeline: Pipeline,
        guides: GuideBook,
        clock: PartitionClock,
        observer: Observer,
        config: StepLimits,
        timer: Callable[[], float],
    ) -> None:
        self.partition = partition
        self.feed = MergeFeed(topics, config.buffer_bytes_max)
        self.meta = Meta()
        self._topics = tuple(topics)
        self._paused: set[str] = set()
        self._store = store
        self._source = source
        self._outbox = outbox
        self._pipeline = pipeline
        self._guides = guides
        self._clock = clock
        self._observer = observer
        self._config = config
        self._timer = timer
        self._cache: dict[str, Customer] = {}
        self._wanted = asyncio.Event()
        self._stopping = False

    # -- from the outside ----------------------------------------------------------------------------------------------

    def push(self, topic: str, items: Sequence[Arrival | Rejected]) -> None:
        """Records fetched and decoded, in offset order."""
        self.feed.push(topic, items)
        if self.feed.full(topic) and topic not in self._paused:
            self._paused.add(topic)
            self._source.pause(topic)
        self._wanted.set()

    def wake(self) -> None:
        """Something that the runner may have waited for has changed."""
        self._wanted.set()

    @property
    def outbox_pending(self) -> int:
        """Messages stored but not yet acknowledged by Kafka."""
        return self._outbox.pending

    def done(self) -> bool:
        """Whether nothing is left to do: all taken in, clock at the end, everything said."""
        ended = self._ended()
        return (
            not len(self.feed)
            and len(ended) == len(self._topics)
            and not self._outbox.pending
            and self._clock.closed(self.meta)
        )

    # -- life ----------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Open the partition and step until `stop`; raises only what waiting would not mend."""
        publishing = asyncio.create_task(self._outbox.run())
        delay, action = RETRY_SECONDS_MIN, self.open
        try:
            while not (self._stopping or publishing.done()):
                self._wanted.clear()
                try:
                    worked = await action()
                    delay, action = RETRY_SECONDS_MIN, self.step
                except FenceLost:
                    self._observer.fenced(self.partition)
                    worked, action = True, self.open
                except (StoreUnavailable, CommitUnknown) as error:
                    self._observer.waiting(self.partition, str(error))
                    await self._pause(delay)
                    worked, delay, action = True, min(delay * 2, RETRY_SECONDS_MAX), self.open
                if not worked:
                    await self._pause(self._config.idle_seconds)
            if publishing.done():
                publishing.result()  # it ends by itself only where no retry would mend it
            await self._settle()
        finally:
            publishing.cancel()
            await self._store.close()

    async def _settle(self) -> None:
        """A clean end: wait a little for acknowledgements, so that the successor need not say it all again."""
        for _ in range(SETTLE_LOOKS):
            if not self._outbox.pending:
                break
            await asyncio.sleep(SETTLE_SECONDS)
        if self._outbox.settled:
            with suppress(FenceLost, StoreUnavailable, CommitUnknown):
                await self._commit(Batch([], {}), Effects())

    def stop(self) -> None:
        """Ask `run` to end after the step under way."""
        self._stopping = True
        self._wanted.set()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wanted.wait(), seconds)

    async def open(self) -> bool:
        """Claim the partition: read meta and outbox, move the fence, start the source from the stored offsets."""
        value = await self._store.open()
        self.meta = Meta() if value is None else decode_meta(value)
        self._cache.clear()
        self.feed.clear()
        self._paused.clear()
        self._outbox.clear()
        self.meta.check_handed_over()
        left = [decode_outgoing(entry) for entry in await self._store.outbox()]
        self.meta.commits += 1
        await self._store.commit(Commit(meta=encode_meta(self.meta)))
        self._outbox.add(left)
        await self._source.start_from({topic: self.meta.offsets.get(topic, 0) for topic in self._topics})
        return True

    # -- a step --------------------------------------------------------------------------------------------------------

    async def step(self) -> bool:
        """Do one step; returns whether there was anything to do."""
        if self._outbox.pending >= self._config.outbox_max:
            return False
        limit_ms = self._guides.limit_ms()
        ended = self._ended()
        batch = self.feed.take(self._config.events_max, self._config.bytes_max, limit_ms, ended)
        self._resume_drained()
        meta = self.meta
        known_ms = max(meta.clock_ms, meta.taken_ms - self._clock.lateness_ms)
        meta.take(batch.taken_ms, batch.next_offsets)
        target_ms = self._clock.target_ms(meta, self.feed, ended)
        # Until the learner has spoken it waits to hear where the log begins: a partition without customers may say so.
        if limit_ms is not None and not (limit_ms == NOTHING_YET_MS and meta.taken_ms == NO_TIME_MS):
            target_ms = max(meta.clock_ms, min(target_ms, limit_ms - 1))

        started = self._timer()
        due = await self._read(batch, target_ms)
        self._observer.answered()
        reached_ms = target_ms
        if len(due) >= self._config.wakes_max:
            # There may be more, some at the very instant of the last: those up to it fire now, the clock stops short of it.
            target_ms, reached_ms = due[-1][1], due[-1][1] - 1
        loaded = self._timer()
        effects = self._pipeline.step(
            self._cache,
            batch.items,
            [customer for customer, _ in due],
            known_ms,
            target_ms,
            self._guides,
            self._clock.now_ms(),
        )
        meta.clock_ms = max(meta.clock_ms, reached_ms)
        mark = self._mark(effects)
        worked = bool(batch.items or due or mark)
        if not worked and not self._outbox.settled:
            return False
        if mark is not None:
            effects.outgoing.append(mark)
        computed = self._timer()
        await self._commit(batch, effects)
        seconds = {"load": loaded - started, "pipeline": computed - loaded, "commit": self._timer() - computed}
        self._source.stored(batch.next_offsets)
        self._observer.stepped(self, batch, effects, seconds)
        self._outbox.add(effects.outgoing, lambda: self._observer.published(self, effects))
        self._bound_cache()
        return worked

    async def _read(self, batch: Batch, until_ms: int) -> list[tuple[str, int]]:
        """Bring the batch's customers and those with a wake-up due into the cache; returns the wake-ups."""
        wanted = {item.event.customer_id for item in batch.items if type(item) is Arrival} - self._cache.keys()
        values, due = await self._store.read(list(wanted), until_ms, self._config.wakes_max)
        self._remember(wanted, values)
        woken = [customer for customer, _ in due if customer not in self._cache]
        if woken:
            self._remember(woken, await self._store.load(woken))
        return due

    def _remember(self, customers: Iterable[str], values: Iterable[bytes | None]) -> None:
        for customer, value in zip(customers, values, strict=True):
            if value is not None:
                self._cache[customer] = decode_customer(value)

    def _mark(self, effects: Effects) -> Outgoing | None:
        """The step's example batch: its examples and counts, and how far the learner may rely on having them all."""
        meta = self.meta
        mark_ms = self._config.mark_ms(meta.clock_ms)
        # A partition whose clock will run on to a given end has examples to send on its way: it is not idle.
        idle = not self._clock.live and self._clock.until_ms is None
        idle = idle and not len(self.feed) and not self.feed.waiting_for(self._ended())
        stats, inputs = effects.stats.take(), effects.inputs.take()
        if not (effects.examples or stats or inputs or mark_ms > meta.mark_ms or idle != meta.idle):
            return None
        meta.mark_ms = max(meta.mark_ms, mark_ms)
        meta.idle = idle
        meta.seq += 1
        batch = ExampleBatch(
            self.partition, self._config.partitions, meta.seq, meta.mark_ms, idle, effects.examples, stats, inputs
        )
        return Outgoing(self._config.examples_topic, None, encode_batch(batch), partition=0)

    async def _commit(self, batch: Batch, effects: Effects) -> None:
        meta = self.meta
        meta.offsets.update(batch.next_offsets)
        meta.open_episodes += effects.episodes_opened
        meta.customers += effects.customers_added
        meta.commits += 1
        cache = self._cache
        trim = self._outbox.settled
        await self._store.commit(
            Commit(
                meta=encode_meta(meta),
                writes={customer: encode_customer(cache[customer]) for customer in effects.touched},
                deletes=list(effects.deleted),
                timers={customer: cache[customer].wake_ms for customer in effects.touched}
                | dict.fromkeys(effects.deleted),
                append=list(map(encode_outgoing, effects.outgoing)),
                trim=trim,
            )
        )
        self._outbox.trimmed(trim)

    def _ended(self) -> frozenset[str]:
        return frozenset(topic for topic in self._topics if self._source.at_end(topic))

    def _resume_drained(self) -> None:
        for topic in [topic for topic in self._paused if self.feed.drained(topic)]:
            self._paused.discard(topic)
            self._source.resume(topic)

    def _bound_cache(self) -> None:
        """Drop the customers that have been in the cache for longest; they are in the store."""
        excess = len(self._cache) - self._config.cache_max
        if excess > 0:
            for customer in list(islice(self._cache, excess)):
                del self._cache[customer]
