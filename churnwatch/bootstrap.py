"""`bootstrap`: the state that workers would have, had they been there when the files' events happened.

1. check    the files, every line (`bootstrap_files`)
2. search   in the topics, for the records that workers are to begin with (`bootstrap_places`)
3. claim    the namespace; it must hold no state, unless it is to be replaced (`bootstrap_state`)
4. replay   the files in memory (`bootstrap_history`)
5. write    customers and wake-ups to their partitions, the learner, and the customers' latest bands to the topic of scores
6. release  the partitions to the workers

Up to 2 nothing has changed. From 3 to 6 workers wait, whatever becomes of this process.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

from agents.meta import Meta
from churnwatch import compose
from churnwatch.app import input_layout
from churnwatch.bootstrap_files import KEPT_MS, Checked, Files, check
from churnwatch.bootstrap_history import History, replay
from churnwatch.bootstrap_places import Places, Search, gaps
from churnwatch.bootstrap_state import FAR_MS, Filled, Writer, look, store_learner
from churnwatch.kafka import Cluster, describe, open_producer
from churnwatch.learner_access import open_learner_store
from churnwatch.redis_client import open_redis
from churnwatch.settings import Settings
from churnwatch.topic_reader import offsets
from features.redis_store import RedisStore
from models.store import LearnerStore
from streams.errors import InputFileError, StateError, TransportError
from streams.outgoing import Outgoing
from streams.time import iso
from streams.topics import partition_for

SCORES_AT_ONCE: Final = 1_000

Progress = Callable[[float, str, float | None], None]
"""Told how much is done, in words, and of how much, if known."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to bootstrap.

    Attributes:
        until_ms: the files count before it, the topics from it on; None: an event in both is known by its id.
        replace: delete the state that is there.
        skip_bad: leave bad lines out and count them, instead of refusing the file.
        allow_gap: go on although Kafka may have deleted events that the files do not have.
    """

    until_ms: int | None = None
    replace: bool = False
    skip_bad: bool = False
    allow_gap: bool = False


@dataclass(slots=True)
class Summary:
    """What was done.

    Attributes:
        only_released: an earlier bootstrap had written everything; this one has handed it over, and read no file.
        partitions: input partitions.
        checked: what the files hold.
        history: what became of it.
        customers, open_episodes: as handed over.
        places: where the workers begin.
        gaps: topics of which events may be missing (`allow_gap`).
        seconds: how long it took.
    """

    only_released: bool
    partitions: int
    checked: Checked = field(default_factory=Checked)
    history: History = field(default_factory=History)
    customers: int = 0
    open_episodes: int = 0
    places: Places = field(default_factory=dict)
    gaps: Sequence[str] = ()
    seconds: float = 0.0


async def bootstrap(settings: Settings, paths: Sequence[Path], options: Options, progress: Progress) -> Summary:
    """Fill the namespace from the files, and hand it over to the workers.

    Raises:
        InputFileError: a bad line, or no event at all; nothing has changed.
        TransportError: Kafka or Redis does not answer, topics are missing, or events are; up to the claim nothing has changed.
        StateError: the namespace holds state, or another program writes to it.
    """
    started = time.monotonic()
    files = Files(settings, paths, options.until_ms, time.time_ns() // 1_000_000)
    cluster = await describe(settings)
    topics, partitions = input_layout(settings, cluster)
    _check_outputs(settings, cluster)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(open_redis(settings))
        stores = [RedisStore(client, settings.redis_namespace, partition) for partition in range(partitions)]
        learner = open_learner_store(client, settings)
        stack.push_async_callback(learner.close)
        for store in stores:
            stack.push_async_callback(store.close)
        writer = Writer(stores)
        found = await look(stores, learner)
        if found == "state" and not options.replace:
            raise StateError(
                f"namespace {settings.redis_namespace} already holds state: choose another CHURNWATCH_REDIS_NAMESPACE, "
                "or --replace to delete what is there (what its workers have learnt goes with it)"
            )
        if found == "full" and not options.replace:
            await writer.release()
            return Summary(only_released=True, partitions=partitions, seconds=time.monotonic() - started)
        summary = Summary(only_released=False, partitions=partitions)
        summary.checked = await _checked(files, options, progress)
        await _search(files, cluster, topics, options, summary, progress)
        await writer.claim()
        blank = compose.learner(settings) if settings.learning_enabled else None
        await store_learner(learner, blank, [], await _end_of_examples(settings, cluster))
        await writer.clear()
        summary.history = await _replayed(files, summary, progress)
        await _write(settings, cluster, writer, learner, summary, progress)
        await writer.release()
    summary.seconds = time.monotonic() - started
    return summary


def _check_outputs(settings: Settings, cluster: Cluster) -> None:
    topics = settings.topics()
    missing = [topic for topic in (topics.alerts, topics.scores) if topic not in cluster.partitions]
    if missing and not cluster.embedded:
        raise TransportError(f"topics are missing: {', '.join(missing)}; create them with `churnwatch topics create`")


async def _checked(files: Files, options: Options, progress: Progress) -> Checked:
    found = Checked()
    for found in check(files, skip_bad=options.skip_bad):
        progress(found.lines, f"checking {found.lines:,} lines", None)
        await asyncio.sleep(0)
    if found.last_ms is None:
        before = "" if options.until_ms is None else f" from before {iso(options.until_ms)}"
        raise InputFileError(files.paths[0], None, f"no event{before} to begin with; give files of the past")
    return found


async def _search(
    files: Files, cluster: Cluster, topics: Sequence[str], options: Options, summary: Summary, progress: Progress
) -> None:
    last_ms = summary.checked.last_ms or 0
    from_ms = last_ms - KEPT_MS if options.until_ms is None else options.until_ms
    search = Search(files.settings, from_ms, files.now_ms)
    summary.places = await search.run(
        cluster, topics, lambda read: progress(0, f"looking through the topics: {read:,} records", None)
    )
    files_end_ms = last_ms if options.until_ms is None else options.until_ms
    summary.gaps = gaps(summary.places, files_end_ms, files.settings.topics().inputs["profiles"])
    if summary.gaps and not options.allow_gap:
        raise TransportError(
            f"the files end at {iso(files_end_ms)}, and Kafka has deleted the beginning of {', '.join(summary.gaps)}: "
            "what happened in between may be missing. Give files that reach further, or --allow-gap"
        )


async def _replayed(files: Files, summary: Summary, progress: Progress) -> History:
    began_seconds = time.monotonic()

    def moved(history: History) -> None:
        read, at_ms = history.events["read"], history.meta.clock_ms
        rate = read / max(time.monotonic() - began_seconds, 1e-9)
        at = iso(at_ms)[:10] if at_ms > 0 else "the beginning"
        progress(
            read,
            f"replaying {read:,} events ({rate:,.0f}/s), at {at}, {history.examples:,} examples",
            summary.checked.events,
        )

    return await replay(files, summary.partitions, progress=moved)


async def _write(
    settings: Settings, cluster: Cluster, writer: Writer, learner: LearnerStore, summary: Summary, progress: Progress
) -> None:
    history = summary.history
    metas = []
    for partition, customers in enumerate(_dealt(history, summary.partitions)):
        progress(partition, f"writing partition {partition}", summary.partitions)
        held, opened = await writer.fill(partition, customers)
        metas.append(handed_over(history, _offsets(summary.places, partition), held, opened))
        summary.customers += held
        summary.open_episodes += opened
    await _publish(settings, list(history.scores.values()))
    next_offset = await _end_of_examples(settings, cluster)
    await store_learner(learner, history.learner, list(history.guides), next_offset)
    await writer.seal(metas)


async def _end_of_examples(settings: Settings, cluster: Cluster) -> int:
    """Where the learner goes on: what the topic holds before is of another life, which it must not learn from."""
    _, ends = await offsets(settings, cluster, [settings.topics().examples])
    return max((end for tp, end in ends.items() if tp.partition == 0), default=0)


def _dealt(history: History, partitions: int) -> list[list[Filled]]:
    """Deal the customers out as Kafka's partitioner does."""
    dealt: dict[int, list[Filled]] = defaultdict(list)
    states = history.partition.states
    due_ms = dict(history.partition.timers.get(FAR_MS, len(states) + 1))
    for customer, value in states.items():
        dealt[partition_for(customer.encode(), partitions)].append((customer, value, due_ms[customer]))
    return [dealt[partition] for partition in range(partitions)]


def handed_over(history: History, offsets_next: Mapping[str, int], customers: int, open_episodes: int) -> Meta:
    """Return the bookkeeping that one partition goes on with."""
    whole = history.meta
    return Meta(
        offsets=dict(offsets_next),
        clock_ms=whole.clock_ms,
        taken_ms=whole.taken_ms,
        mark_ms=whole.mark_ms,
        seq=whole.seq,
        open_episodes=open_episodes,
        customers=customers,
        heard_ms=dict(history.heard_ms),
        life=whole.life,
        claim=whole.claim,
        born=whole.born,
    )


def _offsets(places: Places, partition: int) -> dict[str, int]:
    return {tp.topic: place.offset for tp, place in places.items() if tp.partition == partition}


async def _publish(settings: Settings, messages: Sequence[Outgoing]) -> None:
    """Write the customers' latest bands: whoever reads the topic must not have to wait until each changes."""
    waiting = iter(messages)
    async with open_producer(settings) as producer:
        while batch := list(islice(waiting, SCORES_AT_ONCE)):
            await asyncio.gather(
                *[await producer.send(message.topic, message.value, key=message.key) for message in batch]
            )
