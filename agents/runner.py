"""One partition's runner: takes records in, lets the pure pipeline work on them, stores the outcome, says it.

A step, in the order that makes it safe to die anywhere:

1. Take a batch from the merge feed, in event-time order, and find out how far the partition's clock may go.
2. Read what is missing: customers of the batch, wake-ups due by the clock, the customers woken (one or two round trips).
3. Run the pipeline: state and effects, nothing outside touched.
4. ONE transaction: customers, wake-ups, outbox, offsets. Compare-and-set on the meta value (the fence).
5. Count the events, hand the messages to the outbox's task; once they are acknowledged the offsets may be committed to the group.

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
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from agents.boldly import boldly
from agents.clock import PartitionClock
from agents.customers import Customers
from agents.effects import Effects
from agents.guides import NOTHING_YET_MS, GuideBook
from agents.limits import StepLimits
from agents.lives import NOTHING_LOST, check_topics, committable, heard_of, note_of, revive, withhold
from agents.marks import marks
from agents.meta import Meta, decode_meta, encode_meta
from agents.observer import Observer
from agents.outbox import Outbox, decode_outgoing, encode_outgoing
from agents.pipeline import Pipeline
from agents.record import encode_customer
from agents.rests import RETRY_SECONDS_MAX, RETRY_SECONDS_MIN, Rests
from agents.source import Source
from agents.turns import Turns
from agents.unless import unless
from features.store import Commit, PartitionStore
from streams.codec import Arrival, Rejected
from streams.errors import CommitUnknown, FenceLost, StoreUnavailable
from streams.feed import NO_TIME_MS, MergeFeed

log = logging.getLogger("churnwatch.runner")

AGAIN = "It is built again from Kafka, as far back as that goes; what was said before is not said again"


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
        turns: Turns | None = None,
        topic_ids: Mapping[str, str] | None = None,
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
        self._turns = turns or Turns()
        self._topic_ids = {} if topic_ids is None else topic_ids
        self._customers = Customers(store, config.cache_max)
        self._applied, self._since, self._look_s = (0, 0), 0.0, 0.0
        self._wanted, self._ending = asyncio.Event(), asyncio.Event()

    # -- from the outside ----------------------------------------------------------------------------------------------

    def push(self, topic: str, items: Sequence[Arrival | Rejected]) -> None:
        """Records fetched and decoded, in offset order."""
        if not len(self.feed):
            self._since = self._timer()
        self.feed.push(topic, items)
        if self.feed.full(topic) and topic not in self._paused:
            self._paused.add(topic)
            self._source.pause(topic)
        self._wanted.set()

    def wake(self) -> None:
        """Something that the runner may have waited for has changed."""
        self._look_s = 0.0
        self._wanted.set()

    @property
    def outbox(self) -> Outbox:
        """What is stored and not yet acknowledged by Kafka."""
        return self._outbox

    def done(self) -> bool:
        """Whether nothing is left to do: all taken in, clock at the end, everything said."""
        taken_in = not len(self.feed) and len(self._ended()) == len(self._topics)
        return taken_in and not self._outbox.pending and self._clock.closed(self.meta)

    # -- life ----------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Open the partition and step until `stop`; raises only what waiting would not mend."""
        publishing = asyncio.create_task(self._outbox.run(), name=f"outbox-{self.partition}")
        delay, action, rests = RETRY_SECONDS_MIN, self._open, Rests()
        try:
            while not (self._ending.is_set() or publishing.done()):
                self._wanted.clear()
                try:
                    worked = await action()
                    delay, action = RETRY_SECONDS_MIN, self._open if worked is None else self.step
                except FenceLost:
                    self._observer.fenced(self.partition)
                    with suppress(TimeoutError):  # and no new record cuts it short
                        await asyncio.wait_for(self._ending.wait(), rests.after_loss(self._timer()))
                    worked, action = True, self._open
                except (StoreUnavailable, CommitUnknown) as error:
                    self._observer.waiting(self.partition, error)
                    await self._pause(delay)
                    worked, delay, action = True, min(delay * 2, RETRY_SECONDS_MAX), self._open
                if not worked:
                    await self._pause(self._config.idle_seconds)
            if publishing.done():
                publishing.result()  # it ends by itself only where no retry would mend it
            if action == self.step:  # a step that failed has moved what would be stored
                await self._settle()
        finally:
            publishing.cancel()
            await self._store.close()

    async def _settle(self) -> None:
        """A clean end: what is acknowledged by then the successor need not say again."""
        await self._outbox.settle()
        if self._outbox.settled:
            with suppress(FenceLost, StoreUnavailable, CommitUnknown):
                await self._commit(Effects())

    def stop(self) -> None:
        """Ask `run` to end after the step under way."""
        self._ending.set()
        self._wanted.set()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # `wait_for` would make a task and hear of its end a turn later
                await self._wanted.wait()

    async def _open(self) -> bool | None:
        # A rebalance waits for the runners, and Kafka may let them wait until it is over: then there is None.
        return await unless(self._ending, self.open())

    async def open(self) -> bool:
        """Claim the partition: read meta and outbox, move the fence, start the source from the stored offsets."""
        value = await self._store.open()
        stored = None if value is None else decode_meta(value)
        self._customers.clear()
        self._outbox.clear()
        if stored is not None:
            stored.check_handed_over()
        known = heard_of(await self._source.committed())
        self.meta, lost = revive(stored, known, self._applied, self._clock.now_ms())
        if lost != NOTHING_LOST:
            log.warning("The state of partition %d was lost: %s. %s", self.partition, lost, AGAIN)
        self.meta.claim = max(self.meta.claim + 1, self._clock.now_ms())
        check_topics(self.meta, self._topic_ids)
        left = [decode_outgoing(entry) for entry in await self._store.outbox()]
        await self._apply(Commit(meta=b""))
        # Only now, for until the source seeks, records of before keep coming.
        self.feed.clear()
        self._paused.clear()
        await self._source.start_from({topic: self.meta.offsets.get(topic, 0) for topic in self._topics})
        self._outbox.add(left, self._acknowledged(Effects()))
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
        if not batch.items and self._clock.live and self._timer() < self._look_s:
            return False  # the wall clock alone may have something to do, and is looked at now and then
        meta = self.meta
        known_ms = self._clock.known_ms(meta)
        meta.take(batch.heard_ms, self._clock.now_ms())
        hold_ms = self._clock.hold_ms(meta, self.feed, ended)
        target_ms = self._clock.target_ms(meta, self.feed, ended, hold_ms)
        # Until the learner has spoken it waits to hear where the log begins: a partition without customers may say so.
        if limit_ms is not None and not (limit_ms == NOTHING_YET_MS and meta.taken_ms == NO_TIME_MS):
            target_ms = max(meta.clock_ms, min(target_ms, limit_ms - 1))

        started = self._timer()
        queued = started - self._since
        self._since = started if batch.items else self._since
        mentioned = {item.event.customer_id for item in batch.items if type(item) is Arrival}
        due = await self._customers.fetch(mentioned, target_ms, self._config.wakes_max)
        self._observer.answered()
        reached_ms = target_ms
        self._look_s = (loaded := self._timer()) + self._config.idle_seconds
        if len(due) >= self._config.wakes_max:
            # There may be more, some at the very instant of the last: those up to it fire now, the clock stops short of it.
            target_ms, reached_ms = due[-1][1], due[-1][1] - 1
            self._look_s = 0.0
        woken = [customer for customer, _ in due]
        if batch.items or due:
            await self._turns.take()
        begun = self._timer()
        queued += begun - loaded
        times = known_ms, target_ms, self._guides, self._clock.now_ms(), hold_ms
        work = partial(self._pipeline.step, self._customers, batch.items, woken, *times)
        effects = await boldly(work, self._customers, mentioned.union(woken))
        meta.clock_ms = max(meta.clock_ms, reached_ms)
        meta.offsets.update(batch.next_offsets)
        behind = meta.said is not None
        if behind and not withhold(meta, effects):
            log.info("The state of partition %d is built again", self.partition)
        told = marks(self.partition, meta, effects, self._config, idle=self._clock.idle(self.feed, self._ended()))
        worked = bool(batch.items or due or told or behind != (meta.said is not None))
        if not worked and not self._outbox.settled:
            return False
        effects.outgoing.extend(told)
        computed = self._timer()
        await self._commit(effects)
        seconds = {"load": loaded - started, "pipeline": computed - begun, "commit": self._timer() - computed}
        self._observer.stepped(self, batch, effects, seconds | ({"queue": queued} if batch.items else {}))
        self._outbox.add(effects.outgoing, self._acknowledged(effects))
        self._customers.trim()
        return worked

    async def _commit(self, effects: Effects) -> None:
        meta, customers = self.meta, self._customers
        meta.open_episodes += effects.episodes_opened
        meta.customers += effects.customers_added
        trim = self._outbox.settled
        await self._apply(
            Commit(
                meta=b"",
                writes={customer: encode_customer(customers[customer]) for customer in effects.touched},
                deletes=list(effects.deleted),
                timers={customer: customers[customer].wake_ms for customer in effects.touched}
                | dict.fromkeys(effects.deleted),
                append=list(map(encode_outgoing, effects.outgoing)),
                trim=trim,
            )
        )
        self._outbox.trimmed(trim)

    async def _apply(self, commit: Commit) -> None:
        """Store a change together with the meta value as it is now."""
        self.meta.commits += 1
        await self._store.commit(replace(commit, meta=encode_meta(self.meta)))
        self._applied = self.meta.life, self.meta.commits

    def _acknowledged(self, effects: Effects) -> Callable[[], None]:
        """What to do once all that follows from the state as it is now is stored and acknowledged."""
        # Of every topic, for what follows from silence comes without any record.
        committed, note = committable(self.meta), note_of(self.meta)

        def acknowledged() -> None:
            self._source.stored(committed, note)
            if effects.outgoing:
                self._observer.published(self, effects)

        return acknowledged

    def _ended(self) -> frozenset[str]:
        return frozenset(topic for topic in self._topics if self._source.at_end(topic))

    def _resume_drained(self) -> None:
        for topic in [topic for topic in self._paused if self.feed.drained(topic)]:
            self._paused.discard(topic)
            self._source.resume(topic)
