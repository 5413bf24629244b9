"""Rival (c): Quix Streams around the same pipeline, event by event. `python -m bench.quix STREAMS EVENTS` with its libraries on the path.

A streaming dataframe over the topics (concatenated where there are several), one stateful function that runs the pipeline on one event,
the customer's state in Quix's own store (RocksDB) as the same bytes, alerts produced to the alert topic. Customers are also kept decoded in
memory, as the other contestants keep them, so the store is read once for each and written for every event.

Quix has no timers by key, so the wake-ups of silent customers are in a queue in memory, and the function, when it is given any customer's
event, handles those that have become due, too; it writes their states through the same transaction of the store.

What it is spared: changelog topics (with them every write goes to Kafka too, and without them a lost machine loses its state), wake-ups that
outlive the process, the stored outbox, and its last checkpoint, which is not timed. The clock starts with the first event in the
function, and stops after the last.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from functools import reduce
from pathlib import Path
from typing import Any, Final

from quixstreams import Application, message_context
from quixstreams.models.serializers import Serializer
from rocksdict import AccessType, Rdict

from agents.guides import GuideBook
from agents.record import Customer, decode_customer, encode_customer
from bench.children import collect_as_the_worker_does
from bench.fingerprints import fingerprint
from bench.measures import Run
from churnwatch import compose
from churnwatch.settings import Settings
from churnwatch.settings_load import load_settings
from features.timers import TimerQueue
from streams.codec import Arrival, Limits, RawRecord, decode
from streams.feed import NO_TIME_MS
from streams.outgoing import Outgoing

STATE: Final = "customer"
SUFFIX: Final = b'|"customer"'
"""What Quix puts behind the message's key: the state's name as JSON."""

WAKES_MAX: Final = 2_000
FAR_MS: Final = 1 << 60


class Payload(Serializer):  # type: ignore[misc]  # its library is not there when types are checked
    """Makes Kafka's value of a message."""

    def __call__(self, value: Outgoing, ctx: object) -> bytes | None:  # noqa: ARG002 - as Serializer's
        """Give the payload."""
        return value.value


class Rival:
    """The function that is given one event at a time, and what it keeps."""

    def __init__(self, settings: Settings, streams: list[str], events: int, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self._limits = Limits(settings.value_bytes_max, settings.future_tolerance_ms)
        self._pipeline = compose.pipeline(settings)
        self._guides = GuideBook(compose.frozen_guide(settings) or compose.first_guide())
        self._customers: dict[str, Customer] = {}
        self._timers: dict[int, TimerQueue] = {}
        self._taken_ms: dict[int, int] = {}
        self._outcomes: Counter[str] = Counter()
        self._scorings = 0
        self._events = self._left = events
        self._started = self._seconds = self._cpu = 0.0
        self.app = Application(
            settings.kafka_bootstrap,
            consumer_group=settings.kafka_group_id,
            auto_offset_reset="earliest",
            state_dir=folder,
            use_changelog_topics=False,
            auto_create_topics=False,
            loglevel="WARNING",
        )
        names = settings.topics()
        self._alerts = names.alerts
        frames = [self.app.dataframe(self._topic(names.inputs[stream])) for stream in streams]
        whole = reduce(lambda one, other: one.concat(other), frames)
        said = whole.apply(self._take_in, stateful=True, metadata=True, expand=True)
        alerts = self.app.topic(self._alerts, key_serializer="bytes", value_serializer=Payload())
        said.to_topic(alerts, key=lambda out: out.key)

    def _topic(self, name: str) -> Any:
        return self.app.topic(name, key_deserializer="bytes", value_deserializer="bytes")

    def _take_in(self, value: bytes, key: bytes, timestamp: int, _: Any, state: Any) -> list[Outgoing]:
        """Decode, read, step, write; gives the alerts."""
        if not self._started:
            self._started, self._cpu = time.perf_counter(), time.process_time()
        context = message_context()
        now_ms = time.time_ns() // 1_000_000
        record = RawRecord(context.topic, context.partition, context.offset, timestamp, key, value)
        item = decode(record, self._settings.topics().stream_of(context.topic), self._limits, now_ms)
        if not isinstance(item, Arrival):
            raise TypeError(f"the log holds good events only: {item}")
        customer = item.event.customer_id
        if customer not in self._customers and (stored := state.get_bytes(STATE)) is not None:
            self._customers[customer] = decode_customer(stored)
        timers = self._timers.setdefault(record.partition, TimerQueue())
        known_ms = self._taken_ms.get(record.partition, NO_TIME_MS)
        until_ms = self._taken_ms[record.partition] = max(known_ms, item.event.occurred_at - self._settings.lateness_ms)
        due = [woken for woken, _ in timers.get(until_ms, WAKES_MAX)]
        effects = self._pipeline.step(
            self._customers, [item], due, known_ms, until_ms, self._guides, now_ms, careful=False
        )
        for touched in effects.touched:
            kept = self._customers[touched]
            # Every key has a state of its own, and nothing in public leads from one to another's.
            own = state if touched == customer else state._transaction.as_state(prefix=touched.encode())  # noqa: SLF001
            own.set_bytes(STATE, encode_customer(kept))
            timers.update(touched, kept.wake_ms)
        for (_, outcome), count in effects.outcomes.items():
            self._outcomes[outcome] += count
            self._outcomes["read"] += count
        self._scorings += sum(effects.scorings.values())
        self._left -= 1
        if not self._left:
            self._seconds, self._cpu = time.perf_counter() - self._started, time.process_time() - self._cpu
            self.app.stop()
        return [out for out in effects.outgoing if out.topic == self._alerts]

    def run(self) -> Run:
        """Take in all events; the customers are counted in the store's files."""
        self.app.run()
        customers, states = _stored(self._folder)
        timers = sum(len(queue.get(FAR_MS, customers + 1)) for queue in self._timers.values())
        return Run(
            self._events,
            self._seconds,
            dict(self._outcomes),
            customers,
            timers,
            self._scorings,
            cpu_seconds=self._cpu,
            states=states,
        )


def _stored(folder: Path) -> tuple[int, str]:
    """Count the customers in RocksDB, and give the fingerprint of their states."""
    found: list[tuple[bytes, bytes]] = []
    for path in folder.rglob("CURRENT"):
        store = Rdict(str(path.parent), access_type=AccessType.read_only())
        found += [(key.removesuffix(SUFFIX), value) for key, value in store.items() if key.endswith(SUFFIX)]
        store.close()
    return len(found), fingerprint(found)


def main(streams: list[str], events: int) -> None:
    """Run the rival over `events` events, and print the run."""
    with tempfile.TemporaryDirectory(prefix="churnwatch-bench-") as folder:
        run = Rival(load_settings(), streams, events, Path(folder)).run()
    print(json.dumps(asdict(run)), flush=True)


if __name__ == "__main__":
    collect_as_the_worker_does()
    main(sys.argv[1].split(","), int(sys.argv[2]))
