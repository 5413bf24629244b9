# ruff: noqa: ARG001, ARG005, D103, SLF001 - a bug's name says what it does; it reaches where no honest code may
"""Bugs in what is taken in, said and learnt."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

import agents.learn
import agents.pipeline
import agents.runner
import alerts.episode
import features.state
import streams.codec
from agents.clock import PartitionClock
from agents.guides import GuideBook
from agents.limits import StepLimits
from agents.outbox import Outbox
from agents.pipeline import Pipeline
from agents.runner import PartitionRunner
from alerts.episode import Episode
from features.store import Commit, MemoryStore
from models.learner import Learner
from models.learner_state import LearnerState
from simulation.bugs import Change, bug
from streams.feed import MergeFeed

RUNNER: Any = agents.runner
PIPELINE: Any = agents.pipeline
LEARN: Any = agents.learn
STATE: Any = features.state


# -- the outbox --------------------------------------------------------------------------------------------------------


@bug("G11")
def the_outbox_is_not_read_when_a_partition_is_opened() -> Change:
    opened = PartitionRunner.open

    async def forgetful(self: Any) -> bool:
        await opened(self)
        self._outbox.clear()
        return True

    return [(PartitionRunner, "open", forgetful)]


@bug("G11")
def the_outbox_is_trimmed_by_one_too_many() -> Change:
    commit = MemoryStore.commit

    async def greedy(self: Any, asked: Commit) -> None:
        await commit(self, replace(asked, trim=asked.trim + (asked.trim > 0)))

    return [(MemoryStore, "commit", greedy)]


@bug("G11")
def the_outbox_is_trimmed_before_the_acknowledgement() -> Change:
    async def hasty(self: Any) -> None:
        while self._waiting:
            messages, acknowledged = self._waiting.popleft()
            self._pending -= len(messages)
            self.settled += len(messages)
            if messages:
                await self._publisher.publish(messages)
            if acknowledged is not None:
                acknowledged()

    return [(Outbox, "flush", hasty)]


@bug("G11")
def messages_go_out_before_they_are_stored() -> Change:
    commit = PartitionRunner._commit

    async def hasty(self: Any, effects: Any) -> None:
        if effects.alerts:
            await self._outbox._publisher.publish(effects.outgoing)
        await commit(self, effects)

    return [(PartitionRunner, "_commit", hasty)]


@bug("G11")
def the_outbox_is_published_backwards() -> Change:
    flush = Outbox.add

    def backwards(self: Any, messages: Sequence[Any], acknowledged: Any = None) -> None:
        flush(self, list(reversed(messages)), acknowledged)

    return [(Outbox, "add", backwards)]


# -- events ------------------------------------------------------------------------------------------------------------


@bug("G5")
def a_topic_that_is_slow_is_not_waited_for() -> Change:
    return [(MergeFeed, "waiting_for", lambda self, ended: [])]


@bug("G2")
def an_event_that_comes_again_counts_again() -> Change:
    class Forgetful:
        forget_before = staticmethod(STATE.seen.forget_before)

        @staticmethod
        def remember(seen: bytes, event_id: str, day: int) -> bytes:
            return remember(seen, event_id, day) or seen

    remember = STATE.seen.remember
    return [(STATE, "seen", Forgetful)]


@bug("G3")
def late_events_vanish_without_a_word() -> Change:
    reject = Pipeline._reject

    def silent(self: Any, rejected: Any, *args: Any) -> None:
        if rejected.reason != "late":
            reject(self, rejected, *args)

    return [(Pipeline, "_reject", silent)]


@bug("G4")
def a_bad_event_stops_the_partition() -> Change:
    def strict(record: Any, error: Exception) -> Any:
        raise error

    return [(streams.codec, "_invalid", strict)]


@bug("G4")
def a_dead_letter_loses_its_key() -> Change:
    letter = PIPELINE.dead_letter
    return [
        (PIPELINE, "dead_letter", lambda *args: msgspec.structs.replace(letter(*args), key=None)),
    ]


@bug("G4")
def a_bad_event_is_counted_and_not_kept() -> Change:
    reject = Pipeline._reject

    def careless(self: Any, rejected: Any, outcome: str, effects: Any, now_ms: int) -> None:
        reject(self, rejected, outcome, effects, now_ms)
        if rejected.reason == "future":
            effects.outgoing.pop()

    return [(Pipeline, "_reject", careless)]


# -- alerts ------------------------------------------------------------------------------------------------------------


@bug("G11")
def the_alerts_id_comes_from_the_clock() -> Change:
    name = alerts.episode.alert_id

    def timely(customer_id: str, life_day: int, number: int, seq: int) -> str:
        return name(customer_id, life_day, number, seq + int(asyncio.get_running_loop().time() * 1000))

    return [(alerts.episode, "alert_id", timely)]


@bug("G12")
def the_episode_is_not_stored() -> Change:
    encode = RUNNER.encode_customer
    return [
        (
            RUNNER,
            "encode_customer",
            lambda customer: encode(msgspec.structs.replace(customer, episode=Episode())),
        )
    ]


# -- learning ----------------------------------------------------------------------------------------------------------


@bug("G15")
def the_learner_takes_repetitions_for_news() -> Change:
    take = LearnerState.take

    def credulous(self: Any, batch: Any) -> Any:
        source = self.sources.get(batch.source)
        if source is not None and batch.seq <= source.seq:
            source.seq = batch.seq - 1
        return take(self, batch)

    return [(LearnerState, "take", credulous)]


@bug("G15")
def the_learner_does_not_wait_for_the_slowest() -> Change:
    def hasty(self: Any) -> int | None:
        return max((source.mark_ms for source in self._state.sources.values()), default=None)

    return [(Learner, "frontier_ms", hasty)]


@bug("G15")
def the_learners_offset_goes_one_too_far() -> Change:
    commit = LEARN.LearnerCommit

    def beyond(state: bytes, next_offset: int, *rest: Any, **named: Any) -> Any:
        return commit(state, next_offset + 1, *rest, **named)

    return [(LEARN, "LearnerCommit", beyond)]


@bug("G15")
def marks_are_promised_too_early() -> Change:
    mark = StepLimits.mark_ms
    return [(StepLimits, "mark_ms", lambda self, clock_ms: mark(self, clock_ms) + self.mark_every_ms)]


@bug("G15")
def partitions_do_not_wait_for_the_learner() -> Change:
    return [(GuideBook, "limit_ms", lambda self: None)]


@bug("G15")
def a_partition_is_idle_before_its_end() -> Change:
    return [(PartitionClock, "idle", lambda self, feed, ended: True)]
