"""The learner's shell: example batches in from Kafka, guides out through the learner's store.

1. Batches are taken in as they come, in offset order (`Learner.absorb` drops what it has seen).
2. Whatever has become certain is learnt, and guides are cut (`Learner.advance`).
3. ONE transaction stores the learner's state, the offset that it reflects and the new guides; compare-and-set, like a partition's.
4. Workers follow: this one at once, the others by reading the head of the store (`agents.follow`).

The example topic has one partition, so there is one learner; a second one (a zombie) is refused by the compare-and-set.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from agents.follow import Follower
from agents.observer import LearnerObserver
from agents.rests import RETRY_SECONDS_MAX, RETRY_SECONDS_MIN, Rests
from agents.source import Source
from models.labels import decode_batch
from models.learner import Learner
from models.store import Head, LearnerCommit, LearnerStore
from streams.codec import RawRecord
from streams.errors import CommitUnknown, Corrupt, FenceLost, NewerSchema, StoreUnavailable

log = logging.getLogger("churnwatch.learner")


@dataclass(frozen=True, slots=True)
class LearnerConfig:
    """Bounds of a turn: batches taken in, batches held before fetching pauses, and seconds between looks when idle."""

    topic: str
    batches_max: int = 500
    held_max: int = 5_000
    idle_seconds: float = 0.5


class LearnerRunner:
    """Owns the learner while this worker holds the example topic's partition.

    `new` makes one that has seen nothing; `lives` gives the life in which every input partition's state began, and raises
    `StoreUnavailable` while one has not; `now_ms` is the wall clock.
    """

    def __init__(
        self,
        *,
        new: Callable[[], Learner],
        lives: Callable[[], Awaitable[Mapping[int, int]]],
        store: LearnerStore,
        source: Source,
        follower: Follower,
        observer: LearnerObserver,
        config: LearnerConfig,
        now_ms: Callable[[], int],
    ) -> None:
        self.learner = new()
        self._new = new
        self._lives = lives
        self._store = store
        self._source = source
        self._follower = follower
        self._observer = observer
        self._config = config
        self._now_ms = now_ms
        self._head = Head()
        self._claim = 0
        self._held: deque[RawRecord] = deque()
        self._paused = False
        self._wanted = asyncio.Event()
        self._stopping = False

    def push(self, topic: str, items: Sequence[RawRecord]) -> None:
        """Messages of the example topic, in offset order."""
        self._held.extend(items)
        if len(self._held) >= self._config.held_max and not self._paused:
            self._paused = True
            self._source.pause(topic)
        self._wanted.set()

    @property
    def held(self) -> int:
        """Messages taken in and not yet worked on."""
        return len(self._held)

    def wake(self) -> None:
        """Nothing but messages and time moves the learner."""

    def stop(self) -> None:
        """Ask `run` to end after the turn under way."""
        self._stopping = True
        self._wanted.set()

    async def run(self) -> None:
        """Open the store and learn until `stop`; raises only what waiting would not mend."""
        delay, action = RETRY_SECONDS_MIN, self.open
        rests, clock_s = Rests(), asyncio.get_running_loop().time
        while not self._stopping:
            self._wanted.clear()
            try:
                worked = await action()
                delay, action = RETRY_SECONDS_MIN, self.turn
            except FenceLost:
                await asyncio.sleep(rests.after_loss(clock_s()))
                worked, action = True, self.open
            except (StoreUnavailable, CommitUnknown) as error:
                self._observer.learner_waiting(error)
                await self._pause(delay)
                worked, delay, action = True, min(delay * 2, RETRY_SECONDS_MAX), self.open
            if not worked:
                await self._pause(self._config.idle_seconds)
        await self._store.close()

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._wanted.wait(), seconds)
        except TimeoutError:
            return

    async def open(self) -> bool:
        """Claim the store, and go on from what it holds."""
        state, head = await self._store.open()
        if state is None and head.commits:
            log.warning(
                "The learner's state is gone, its models go as well: all is learnt anew from %s", self._config.topic
            )
            await self._store.wipe()
            state, head = await self._store.open()
        self._head, self._claim = head, max(head.claim + 1, self._now_ms())
        self.learner = self._new()
        if state is None:
            self.learner.expect(await self._lives())
        else:
            self.learner.restore(state)
        self._held.clear()
        self._paused = False
        await self._source.start_from({self._config.topic: head.next_offset})
        await self._follower.refresh()
        return True

    async def turn(self) -> bool:
        """Take in what there is, learn what has become certain, store it; returns whether there was anything."""
        records = [self._held.popleft() for _ in range(min(len(self._held), self._config.batches_max))]
        if not records:
            await self._look()
            return False
        if self._paused and len(self._held) * 2 <= self._config.held_max:
            self._paused = False
            self._source.resume(self._config.topic)
        for record in records:
            self._absorb(record)
        guides = self.learner.advance()
        next_offset = records[-1].offset + 1
        learner = self.learner
        self._head = await self._store.commit(
            LearnerCommit(
                learner.to_bytes(), next_offset, learner.learnt_until_ms, guides, learner.life, claim=self._claim
            )
        )
        self._source.stored({self._config.topic: next_offset})
        self._follower.take_up(self._head, guides)
        self._observer.learnt(self.learner, len(self._held))
        return True

    async def _look(self) -> None:
        """With nothing to learn no commit would notice a store that has come back older than it was, and others wait for what it held."""
        if (await self._store.head()).commits < self._head.commits:
            raise FenceLost("the learner's store has lost its latest commits")
        self._observer.answered()

    def _absorb(self, record: RawRecord) -> None:
        try:
            self.learner.absorb(decode_batch(record.value or b""))
        except NewerSchema:
            raise
        except Corrupt as error:
            # Only workers write to this topic; whoever else does must not be able to stop the learning.
            log.error(
                "%s[%d] offset %d is not an example batch and is passed over: %s",
                record.topic,
                record.partition,
                record.offset,
                error,
            )
