"""The worker less one of its parts, to see where the time goes. `python -m bench.worker_without redis|pipeline EVENTS`.

`redis`: state in memory instead of Redis. `pipeline`: events are decoded, merged, counted as applied, and otherwise let go. All else is the
worker as it is: `run_worker`, whose store or pipeline is another one. It is timed from its first claim of a partition to the
commit that reflects the last event, as the whole worker is.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from redis.asyncio import Redis

from agents.effects import Effects
from agents.meta import decode_meta
from agents.record import Customer
from bench.children import collect_as_the_worker_does
from bench.measures import Run
from churnwatch import compose
from churnwatch import worker as whole
from churnwatch.app import run_worker
from churnwatch.settings_load import load_settings
from features.redis_store import RedisStore
from features.store import Commit, MemoryPartition, MemoryStore
from streams.codec import Arrival, Rejected

FAR_MS: Final = 1 << 60


@dataclass(slots=True)
class Watch:
    """Sees every commit of every partition, and ends the worker after the last event's."""

    events: int
    started: float = 0.0
    seconds: float = 0.0
    cpu: float = 0.0
    taken: dict[int, int] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    scorings: int = 0

    def begin(self) -> None:
        """A partition is about to be claimed."""
        if not self.started:
            self.started, self.cpu = time.perf_counter(), time.process_time()

    def committed(self, partition: int, meta: bytes) -> None:
        """A commit has been stored."""
        self.taken[partition] = sum(decode_meta(meta).offsets.values())
        if not self.seconds and sum(self.taken.values()) >= self.events:
            self.seconds, self.cpu = time.perf_counter() - self.started, time.process_time() - self.cpu
            os.kill(os.getpid(), signal.SIGTERM)


class EmptyPipeline:
    """Takes everything in, and keeps nothing."""

    def step(
        self,
        customers: MutableMapping[str, Customer],  # noqa: ARG002 - as Pipeline.step
        items: Iterable[Arrival | Rejected],
        *_: Any,
        **__: Any,
    ) -> Effects:
        """Count the events as applied."""
        effects = Effects()
        for item in items:
            effects.outcomes[item.record.topic, "applied"] += 1
        return effects


def _watched(store: Any, partition: int, watch: Watch) -> Any:
    """Let the watch see what the store is asked."""
    opened: Callable[[], Any] = store.open
    commits: Callable[[Commit], Any] = store.commit

    async def begin() -> bytes | None:
        watch.begin()
        value: bytes | None = await opened()
        return value

    async def commit(change: Commit) -> None:
        await commits(change)
        watch.committed(partition, change.meta)

    store.open, store.commit = begin, commit
    return store


def _counting(pipeline: Any, watch: Watch) -> Any:
    steps = pipeline.step

    def step(*arguments: Any, **named: Any) -> Effects:
        effects: Effects = steps(*arguments, **named)
        for (_, outcome), count in effects.outcomes.items():
            watch.outcomes[outcome] += count
            watch.outcomes["read"] += count
        watch.scorings += sum(effects.scorings.values())
        return effects

    pipeline.step = step
    return pipeline


def main(without: str, events: int) -> None:
    """Run the worker without this part over so many events, and print the run."""
    settings, watch = load_settings(), Watch(events)
    memory: dict[int, MemoryPartition] = {}
    made = compose.pipeline

    def new_store(client: Redis, namespace: str, partition: int) -> Any:
        if without == "redis":
            return _watched(MemoryStore(memory.setdefault(partition, MemoryPartition())), partition, watch)
        return _watched(RedisStore(client, namespace, partition), partition, watch)

    def new_pipeline(*arguments: Any) -> Any:
        return _counting(EmptyPipeline() if without == "pipeline" else made(*arguments), watch)

    vars(whole)["RedisStore"] = new_store
    vars(compose)["pipeline"] = new_pipeline
    if code := run_worker(settings):
        sys.exit(code)
    customers = sum(len(partition.states) for partition in memory.values())
    timers = sum(len(partition.timers.get(FAR_MS, customers + 1)) for partition in memory.values())
    run = Run(events, watch.seconds, dict(watch.outcomes), customers, timers, watch.scorings, cpu_seconds=watch.cpu)
    print(json.dumps(asdict(run)))


if __name__ == "__main__":
    collect_as_the_worker_does()
    main(sys.argv[1], int(sys.argv[2]))
