"""Contestants over one log: a fresh process, group and namespace for every run, taking turns, every answer checked.

All of them read the same topics on the same broker, run the same pipeline with the same frozen model, and end with the last event. Before each
run Redis is emptied; after it customers and wake-ups are counted in the contestant's store and its messages on the alert topic read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import redis

from bench import product
from bench.children import ROOT, run_module
from bench.fingerprints import alert_ends, said_since
from bench.measures import Run, check
from bench.scenario import Say
from churnwatch.publish import publish_files
from churnwatch.services import Services
from churnwatch.settings import Settings
from churnwatch.topic_layout import create
from streams.errors import TransportError

PARTITIONS: Final = 4
FLUSH_SECONDS_MAX: Final = 120

WORKER: Final = "churnwatch worker"
HANDWRITTEN: Final = "hand-written aiokafka loop"
STOCK: Final = "stock Faust agents"
QUIX: Final = "Quix Streams"
NO_REDIS: Final = "worker without Redis"
NO_PIPELINE: Final = "worker without pipeline"

QUIX_LIBRARIES: Final = ROOT / ".venv" / "bench"
"""Its bounds exclude versions of ours, so it has a folder of its own, which `make bench` fills."""


@dataclass(frozen=True, slots=True)
class Log:
    """A log in topics of its own: the settings that name them, the streams that it has, its events and customers so far."""

    settings: Settings
    streams: tuple[str, ...]
    events: int
    customers: int


def settings_for(services: Services, prefix: str, model: Path) -> Settings:
    """Give the settings of a log's topics: the worker's defaults but for the replay clock, a frozen model, and customers kept for good.

    With the last, every customer of the log must be in the store at the end, whatever the log's length.
    """
    return Settings(
        kafka_bootstrap=services.bootstrap,
        redis_url=services.redis_url,
        topic_prefix=prefix,
        topic_partitions=PARTITIONS,
        clock="replay",
        learning_enabled=False,
        model_file=model,
        expiry_ms="3650d",
        log_level="warning",
    )


def publish(services: Services, settings: Settings, path: Path, events: int) -> None:
    """Publish a file to the topics, which are made first where they are missing; raises TransportError unless all is there."""
    if services.real_kafka:
        asyncio.run(create(settings))
    summary = asyncio.run(publish_files(settings, [path]))
    if summary.dropped or summary.total != events:
        raise TransportError(f"Kafka holds {summary.total - summary.dropped} of {events} events just published")


def _module(name: str, *, streams: bool = False, what: str = "", libraries: Path | None = None) -> Measure:
    def measure(settings: Settings, log: Log, _: Path) -> Run:
        return run_module(name, settings, ",".join(log.streams) if streams else what, log.events, libraries=libraries)

    return measure


Measure = Callable[[Settings, Log, Path], Run]

CONTESTANTS: Final[Mapping[str, Measure]] = {
    WORKER: lambda settings, log, scratch: product.measure(settings, log.events, scratch),
    HANDWRITTEN: _module("bench.handwritten", streams=True),
    STOCK: _module("bench.stock_agents", streams=True),
    QUIX: _module("bench.quix", streams=True, libraries=QUIX_LIBRARIES),
    NO_REDIS: _module("bench.worker_without", what="redis"),
    NO_PIPELINE: _module("bench.worker_without", what="pipeline"),
}


def contestants(names: Sequence[str], say: Say) -> list[str]:
    """Give those of them that can run here; says which cannot."""
    if QUIX in names and not QUIX_LIBRARIES.is_dir():
        say(
            f"{QUIX} is left out: its libraries are not in {QUIX_LIBRARIES.relative_to(ROOT)}; `make bench` puts them there"
        )
        return [name for name in names if name != QUIX]
    return list(names)


def contest(log: Log, names: Sequence[str], rounds: int, scratch: Path, say: Say) -> dict[str, list[Run]]:
    """Let the named contestants take turns over the log; returns the runs of each.

    Raises WrongAnswer where one of them has not done the work.
    """
    runs: dict[str, list[Run]] = {name: [] for name in names}
    for number in range(1, rounds + 1):
        for name in names:
            taken = turn(log, name, f"{number}-{log.events}", scratch)
            runs[name].append(taken)
            cpu = (
                "" if taken.cpu_seconds is None else f", {1e6 * taken.cpu_seconds / taken.events:,.0f} µs CPU an event"
            )
            say(f"round {number} of {rounds}, {name}: {taken.per_second:,.0f} events/s{cpu}")
    return runs


def turn(log: Log, name: str, number: str, scratch: Path) -> Run:
    """One run of one contestant, checked."""
    flush(log.settings.redis_url)
    slug = "".join(filter(str.isalnum, f"{name}{number}".lower()))
    settings = log.settings.model_copy(update={"redis_namespace": slug, "kafka_group_id": slug})
    before = alert_ends(settings)
    taken = CONTESTANTS[name](settings, log, scratch)
    alerts, said = said_since(settings, before)
    customers = 0 if name == NO_PIPELINE else log.customers
    check(name, taken, log.events, customers)
    return replace(taken, alerts=alerts, said=said)


def flush(redis_url: str) -> None:
    """Empty Redis: it is the benchmark's own."""
    # A million keys take seconds, and what is freed later would be in the next one's figures.
    with redis.Redis.from_url(redis_url, socket_timeout=FLUSH_SECONDS_MAX) as client:
        client.flushdb()


def exact(log: Log) -> tuple[str, ...]:
    """Give those whose states, scores and messages must be the same, byte for byte.

    Where the log has one stream there is only one order, and all are held to it. Of several streams the stock agents and Quix Streams see the
    events in the order of fetching.
    """
    return (WORKER, HANDWRITTEN, STOCK, QUIX) if len(log.streams) == 1 else (WORKER, HANDWRITTEN)


def told(log: Log) -> dict[str, Any]:
    """Give a log as the result file tells of it."""
    return {"events": log.events, "customers": log.customers, "streams": list(log.streams), "partitions": PARTITIONS}
