"""One process's share of the silence: `python -m bench.silence_child MODEL UNTIL_MS PARTITION…`.

The worker's own runners, one for each partition and all at once on one loop, over the real Redis, with the settings of the environment. No
record comes: their clock goes on to `UNTIL_MS`, and all that is to be done is wake-ups. Kafka is left out: what would be published is
counted and counts as acknowledged.
"""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from agents.clock import PartitionClock
from agents.effects import Effects
from agents.guides import GuideBook
from agents.outbox import Outbox
from agents.runner import PartitionRunner
from churnwatch import compose
from churnwatch.offline import FileSource, OfflineObserver
from churnwatch.redis_client import redis_options
from churnwatch.settings import Settings
from churnwatch.settings_load import load_settings
from features.redis_client import connect
from features.redis_store import RedisStore
from features.store import PartitionStore
from models.guide import Guide, decode_guide
from streams.errors import StateError
from streams.feed import Batch
from streams.outgoing import Outgoing

TOPIC: Final = "none"
LOOK_SECONDS: Final = 0.01


@dataclass(slots=True)
class Share:
    """What a process did.

    Attributes:
        wakes: wake-ups handled.
        scorings: cause (silence, snapshot) to scorings.
        messages: topic to messages that would have been published.
        seconds: from the first step to the last.
        cpu_seconds: the process's own processor time meanwhile.
        stages: load, pipeline and commit to seconds; those of several partitions overlap while they wait.
        memory_bytes: the process's memory at its highest.
        grown_bytes: how much of that came since before the first step.
    """

    wakes: int = 0
    scorings: dict[str, int] = field(default_factory=dict)
    messages: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    stages: dict[str, float] = field(default_factory=dict)
    memory_bytes: int = 0
    grown_bytes: int = 0


class Watcher(OfflineObserver):
    """Counts what runners do, step by step."""

    def __init__(self, share: Share) -> None:
        self._share = share

    def stepped(self, runner: PartitionRunner, batch: Batch, effects: Effects, seconds: Mapping[str, float]) -> None:  # noqa: ARG002 - the port's
        self._share.wakes += effects.woken
        for cause, count in effects.scorings.items():
            self._share.scorings[cause] = self._share.scorings.get(cause, 0) + count
        for stage, spent in seconds.items():
            self._share.stages[stage] = self._share.stages.get(stage, 0.0) + spent

    def waiting(self, partition: int, why: StateError) -> None:  # noqa: ARG002 - the port's
        """A step of which Redis has not told the end is not counted, though it may be done: give up."""
        raise why


class Heard:
    """A publisher whose messages are acknowledged at once."""

    def __init__(self, share: Share) -> None:
        self._share = share

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        for message in messages:
            self._share.messages[message.topic] = self._share.messages.get(message.topic, 0) + 1


def runner_of(
    settings: Settings,
    partition: int,
    *,
    store: PartitionStore,
    source: FileSource,
    outbox: Outbox,
    guide: Guide,
    until_ms: int,
    share: Share,
) -> PartitionRunner:
    """Put a partition's runner together as the worker does, but for Kafka; its clock goes to `until_ms` when its source has ended."""
    return PartitionRunner(
        partition,
        [TOPIC],
        store=store,
        source=source,
        outbox=outbox,
        pipeline=compose.pipeline(settings),
        guides=GuideBook(guide),
        clock=PartitionClock(settings.lateness_ms, lambda: until_ms, live=False, until_ms=until_ms),
        observer=Watcher(share),
        config=compose.step_limits(settings, settings.topic_partitions),
        timer=time.perf_counter,
    )


async def finish(runners: Sequence[PartitionRunner]) -> None:
    """Let runners run until none has anything left to do; raises what one of them does."""
    tasks = [asyncio.create_task(runner.run()) for runner in runners]
    try:
        while not all(runner.done() for runner in runners):
            await asyncio.sleep(LOOK_SECONDS)
            for task in tasks:
                if task.done():
                    task.result()
    finally:
        for runner in runners:
            runner.stop()
        await asyncio.gather(*tasks)


def memory_bytes() -> int:
    """Give this process's memory at its highest so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


async def _handle(settings: Settings, guide: Guide, until_ms: int, partitions: Sequence[int]) -> Share:
    share, before_bytes = Share(), memory_bytes()
    source = FileSource()
    source.ended = True
    client = connect(redis_options(settings))
    try:
        stores = [(partition, RedisStore(client, settings.redis_namespace, partition)) for partition in partitions]
        runners = [
            runner_of(
                settings,
                partition,
                store=store,
                source=source,
                outbox=Outbox(Heard(share)),
                guide=guide,
                until_ms=until_ms,
                share=share,
            )
            for partition, store in stores
        ]
        started, cpu = time.perf_counter(), time.process_time()
        await finish(runners)
        share.seconds, share.cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
    finally:
        await client.aclose()
    share.memory_bytes = memory_bytes()
    share.grown_bytes = share.memory_bytes - before_bytes
    return share


def main(model: Path, until_ms: int, partitions: Sequence[int]) -> None:
    """Handle the wake-ups of these partitions up to an instant, and print what that took."""
    gc.set_threshold(100_000, 50, 50)  # as `churnwatch worker` has it
    guide = decode_guide(model.read_bytes())
    print(json.dumps(asdict(asyncio.run(_handle(load_settings(), guide, until_ms, partitions)))))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), [int(partition) for partition in sys.argv[3:]])
