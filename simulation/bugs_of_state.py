# ruff: noqa: ARG001, ARG005, D103, SLF001 - a bug's name says what it does; it reaches where no honest code may
"""Bugs in how state is stored, taken over and begun with."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

import agents.lives
import agents.runner
from agents.customers import Customers
from agents.ingest import Assignments, TopicSource
from agents.lives import note_of
from agents.outbox import Outbox
from agents.runner import PartitionRunner
from features.store import Commit, MemoryStore
from models.store import MemoryLearnerStore
from simulation.bugs import Change, bug
from streams.errors import CommitUnknown, FenceLost
from streams.feed import MergeFeed
from streams.time import DAY_MS

RUNNER: Any = agents.runner


async def _nothing(*_: Any, **__: Any) -> None:
    """Do nothing."""


# -- the store ---------------------------------------------------------------------------------------------------------


@bug("G6")
def the_store_does_not_check_the_fence() -> Change:
    checked, read = MemoryStore.commit, MemoryStore.read

    async def commit(self: Any, commit: Commit) -> None:
        self._expected, self._opened = self._data.meta, True
        await checked(self, commit)

    async def unchecked(self: Any, *args: Any) -> Any:
        self._expected, self._opened = self._data.meta, True
        return await read(self, *args)

    return [(MemoryStore, "commit", commit), (MemoryStore, "read", unchecked)]


@bug("G6")
def the_learners_store_does_not_check_the_fence() -> Change:
    checked = MemoryLearnerStore.commit

    async def commit(self: Any, commit: Any) -> Any:
        self._expected, self._opened = self._data.head, True
        return await checked(self, commit)

    return [(MemoryLearnerStore, "commit", commit)]


@bug("G1")
def state_is_stored_without_the_offsets_of_one_topic() -> Change:
    encode = RUNNER.encode_meta

    def forgetful(meta: Any) -> Any:
        offsets = {topic: offset for topic, offset in meta.offsets.items() if not topic.endswith("orders")}
        return encode(msgspec.structs.replace(meta, offsets=offsets))

    return [(RUNNER, "encode_meta", forgetful)]


@bug("G1")
def offsets_are_stored_without_the_state_now_and_then() -> Change:
    whole = RUNNER.Commit

    def partial(**parts: Any) -> Any:
        writes = parts.get("writes", {})
        return whole(**(parts | {"writes": dict(list(writes.items())[:1])}))

    return [(RUNNER, "Commit", partial)]


@bug("G10")
def timers_of_a_busy_step_are_forgotten() -> Change:
    whole = RUNNER.Commit

    def forgetful(**parts: Any) -> Any:
        timers = parts.get("timers", {})
        return whole(**(parts | {"timers": timers if len(timers) < 3 else {}}))

    return [(RUNNER, "Commit", forgetful)]


@bug("G10")
def wake_ups_of_those_not_at_hand_are_left_out() -> Change:
    fetch = Customers.fetch

    async def blind(self: Any, ids: Any, until_ms: int, wakes_max: int) -> list[tuple[str, int]]:
        there = set(self)
        return [due for due in await fetch(self, ids, until_ms, wakes_max) if due[0] in there]

    return [(Customers, "fetch", blind)]


# -- the commit protocol -----------------------------------------------------------------------------------------------


@bug("G1")
def offsets_go_to_the_group_before_the_state_is_stored() -> Change:
    commit = PartitionRunner._commit

    async def early(self: Any, effects: Any) -> None:
        self._source.stored(dict(self.meta.offsets), note_of(self.meta))
        await asyncio.sleep(0.6)
        await commit(self, effects)

    return [(PartitionRunner, "_commit", early)]


@bug("G1")
def offsets_go_to_the_group_before_all_is_said() -> Change:
    add = Outbox.add

    def eager(self: Any, messages: Any, acknowledged: Any = None) -> None:
        if acknowledged is not None:
            acknowledged()
        add(self, messages, None)

    return [(Outbox, "add", eager)]


@bug("G1")
def a_lost_reply_is_taken_for_a_commit() -> Change:
    return _believing(CommitUnknown)


@bug("G6")
def a_refused_fence_is_taken_for_a_commit() -> Change:
    return _believing(FenceLost)


def _believing(error: type[Exception]) -> Change:
    apply = PartitionRunner._apply

    async def believing(self: Any, commit: Commit) -> None:
        try:
            await apply(self, commit)
        except error:
            await self._store.open()

    return [(PartitionRunner, "_apply", believing)]


@bug("G1")
def the_cache_is_not_cleared_when_a_partition_is_opened() -> Change:
    return [(Customers, "clear", lambda self: None)]


@bug("G1")
def the_feed_is_not_cleared_when_a_partition_is_opened() -> Change:
    return [(MergeFeed, "clear", lambda self: None)]


@bug("G1")
def what_was_fetched_before_a_seek_is_taken_in() -> Change:
    def deliver(self: Any, chunk: Any) -> None:
        slot = self._slot(chunk.topic, chunk.partition)
        if slot in self.runners:
            self.runners[slot].push(chunk.topic, self._decode(chunk.topic, chunk.records))
        self._consumer().delivered(chunk)

    return [(Assignments, "deliver", deliver)]


@bug("G1")
def the_seek_goes_one_record_too_far() -> Change:
    start = TopicSource.start_from

    async def beyond(self: Any, offsets: Mapping[str, int]) -> None:
        await start(self, {topic: offset + (offset > 0) for topic, offset in offsets.items()})

    return [(TopicSource, "start_from", beyond)]


@bug("G1")
def the_feed_is_cleared_long_before_the_seek() -> Change:
    opened = PartitionRunner.open

    async def early(self: Any) -> bool:
        self.feed.clear()
        clear, self.feed.clear = self.feed.clear, lambda: None
        try:
            return await opened(self)
        finally:
            self.feed.clear = clear

    return [(PartitionRunner, "open", early)]


@bug("G1")
def what_a_failed_step_had_moved_is_stored_at_the_end() -> Change:
    run = PartitionRunner.run

    async def untidy(self: Any) -> None:
        await run(self)
        await self._settle()

    return [(PartitionRunner, "run", untidy)]


@bug("G21")
def a_lost_state_is_not_noticed() -> Change:
    def blind(stored: Any, known: Any, seen: Any, now_ms: int) -> Any:
        return agents.lives.revive(stored, None, (0, 0), now_ms)

    return [(RUNNER, "revive", blind)]


@bug("G21")
def what_was_said_is_said_again() -> Change:
    return [(RUNNER, "withhold", lambda meta, effects: False)]


@bug("G21")
def more_is_withheld_than_was_said() -> Change:
    heard_of = agents.lives.heard_of

    def gullible(committed: Any) -> Any:
        known = heard_of(committed)
        return known if known is None else msgspec.structs.replace(known, clock_ms=known.clock_ms + 10 * DAY_MS)

    return [(RUNNER, "heard_of", gullible)]


@bug("G21")
def a_state_built_again_goes_on_in_its_old_life() -> Change:
    def immortal(stored: Any, known: Any, seen: Any, now_ms: int) -> Any:
        meta, lost = agents.lives.revive(stored, known, seen, now_ms)
        if lost and known is not None:
            meta.life = known.life
        return meta, lost

    return [(RUNNER, "revive", immortal)]


@bug("G7")
def a_paused_topic_is_not_resumed() -> Change:
    return [(PartitionRunner, "_resume_drained", lambda self: None)]


@bug("G6")
def runners_go_on_after_their_partitions_were_revoked() -> Change:
    return [(Assignments, "stop", _nothing)]
