"""The live path of one worker without Kafka and Redis: what the offline replay is measured against. `python -m bench.backtest_live FILE`.

What a worker does for an event by itself, by the worker's own parts:

1. `decode_chunk` of raw records with their keys, a fetch of a topic at a time, all topics of one partition.
2. `PartitionRunner`: merge feed, pipeline with a frozen model, every changed customer encoded, every message encoded for the outbox.
3. The transaction goes into memory, where Redis would be asked; messages are taken as acknowledged, where Kafka would be.
4. `WorkerObserver` counts each step into the worker's metrics.

Left out is what Kafka and Redis cost on the worker's side, too: fetching and checking batches, building and sending commands and
messages, the event loop that waits for them. Reading the file is left out as well: the records are there before the clock starts. One
partition makes the largest steps, so the worker's own bookkeeping is at its cheapest here.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry

from agents.clock import PartitionClock
from agents.effects import Effects
from agents.guides import GuideBook
from agents.metrics import Metrics
from agents.observe import WorkerObserver
from agents.outbox import Outbox
from agents.runner import PartitionRunner
from bench.fingerprints import fingerprint
from bench.measures import Run
from churnwatch import compose
from churnwatch.offline import FileSource
from churnwatch.settings import Settings
from churnwatch.settings_load import load_settings
from features.store import MemoryPartition, MemoryStore
from models.guide import Guide
from streams.codec import Limits, RawRecord, decode_chunk
from streams.events import STREAMS
from streams.feed import Batch
from streams.files import read_events
from streams.outgoing import Outgoing
from streams.time import parse_instant

FETCH: Final = 2_000
"""Records of a topic in a fetch: a worker's largest step."""

FAR_MS: Final = 1 << 60


class _Records(FileSource):
    """The records of one partition's topics, as they would lie in Kafka."""

    def __init__(self, settings: Settings, path: Path) -> None:
        super().__init__()
        topics = settings.topics().inputs
        self.streams = {topics[name]: name for name in STREAMS}
        self.records: dict[str, list[RawRecord]] = {topic: [] for topic in self.streams}
        self.last_ms = 0
        self._next = dict.fromkeys(self.records, 0)
        for _, stream, raw in read_events(path):
            fields = json.loads(raw)
            at_ms = parse_instant(fields["occurred_at"])
            self.last_ms = max(self.last_ms, at_ms)
            log = self.records[topics[stream]]
            log.append(RawRecord(topics[stream], 0, len(log), at_ms, fields["customer_id"].encode(), raw))

    def at_end(self, topic: str) -> bool:
        return self._next[topic] >= len(self.records[topic])

    def fetch(self, topic: str) -> list[RawRecord]:
        """Give the next records of a topic."""
        first = self._next[topic]
        self._next[topic] = min(first + FETCH, len(self.records[topic]))
        return self.records[topic][first : self._next[topic]]


class _Broker:
    """Takes what is published, and holds it until somebody looks."""

    def __init__(self) -> None:
        self.messages: list[Outgoing] = []

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        self.messages.extend(messages)


class _Counting(WorkerObserver):
    """The worker's observer, which also adds up what a run is judged by."""

    outcomes: Counter[str]
    scorings: Counter[str]

    def stepped(self, runner: PartitionRunner, batch: Batch, effects: Effects, seconds: Mapping[str, float]) -> None:
        super().stepped(runner, batch, effects, seconds)
        for (_, outcome), count in effects.outcomes.items():
            self.outcomes[outcome] += count
        self.scorings.update(effects.scorings)


def run(settings: Settings, guide: Guide, path: Path) -> Run:
    """Take a file's events in as a worker would; returns the run, with the processor time of taking them in alone."""
    source, broker, partition = _Records(settings, path), _Broker(), MemoryPartition()
    build = defaultdict(str, dict.fromkeys(("version", "python", "faust", "river"), "bench"))
    observer = _Counting(
        Metrics(CollectorRegistry(), list(source.records), build), lambda: int(time.time() * 1000), lambda: 0
    )
    observer.outcomes, observer.scorings = Counter(), Counter()
    outbox = Outbox(broker)
    clock = PartitionClock(settings.lateness_ms, lambda: int(time.time() * 1000), live=False, until_ms=source.last_ms)
    runner = PartitionRunner(
        0,
        list(source.records),
        store=MemoryStore(partition),
        source=source,
        outbox=outbox,
        pipeline=compose.pipeline(settings),
        guides=GuideBook(guide, compose.epoch_ms(settings)),
        clock=clock,
        observer=observer,
        config=compose.step_limits(settings, 1),
        timer=time.perf_counter,
    )
    began, cpu = time.perf_counter(), time.process_time()
    asyncio.run(_take_in(settings, runner, source, outbox))
    cpu, seconds = time.process_time() - cpu, time.perf_counter() - began
    events = sum(map(len, source.records.values()))
    alerts = [message for message in broker.messages if message.topic == settings.topics().alerts]
    return Run(
        events,
        seconds,
        {"read": sum(observer.outcomes.values()), **observer.outcomes},
        len(partition.states),
        len(partition.timers.get(FAR_MS, len(partition.states) + 1)),
        sum(observer.scorings.values()),
        cpu_seconds=cpu,
        states=fingerprint((name.encode(), value) for name, value in partition.states.items()),
        alerts=len(alerts),
    )


async def _take_in(settings: Settings, runner: PartitionRunner, source: _Records, outbox: Outbox) -> None:
    limits, now_ms = Limits(settings.value_bytes_max, settings.future_tolerance_ms), int(time.time() * 1000)
    await runner.open()
    while not runner.done():
        for topic in runner.feed.waiting_for(frozenset(filter(source.at_end, source.records))):
            runner.push(topic, decode_chunk(source.fetch(topic), source.streams[topic], limits, now_ms))
        await runner.step()
        await outbox.flush()


def main(path: Path) -> None:
    """Print the run, with the settings of the environment, which name a frozen model."""
    settings = load_settings()
    guide = compose.frozen_guide(settings)
    assert guide is not None
    print(json.dumps(asdict(run(settings, guide, path))))


if __name__ == "__main__":
    gc.set_threshold(100_000, 50, 50)  # as `churnwatch.cli.main` has it
    main(Path(sys.argv[1]))
