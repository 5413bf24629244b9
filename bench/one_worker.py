"""Scenario `one_worker`: how many events a second one worker takes in, against plain Faust agents on the same machine in the same run.

1. A log is made up and published; a tenth of its customers are a second log, of the same shape, for the slower rival.
2. A model is learnt once and frozen, so that all contestants score alike and none waits for labels.
3. The contestants take turns, each time in a fresh process with a fresh group and namespace; the median of the rounds counts.
4. The pipeline alone, without Kafka and Redis, over the smaller log, shows what is left to be had by a faster transport.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench import product, synthetic
from bench.children import run_module
from bench.measures import Run, check
from churnwatch.backtest import replay
from churnwatch.publish import publish_files
from churnwatch.services import Services
from churnwatch.settings import Settings
from churnwatch.topic_layout import create
from models.guide import encode_guide
from streams.errors import TransportError

PARTITIONS: Final = 4
ROUNDS: Final = 3
CUSTOMERS: Final = 5_000
SHARE: Final = 10
"""The rival's log has one in so many of the customers."""

DAYS: Final = 10
SEED: Final = 11

LEARN_CUSTOMERS: Final = 200
LEARN_DAYS: Final = 45
LEARN_QUESTION: Final[dict[str, Any]] = {
    "horizon_ms": "14d",
    "active_ms": "28d",
    "min_labels": 100,
    "model_interval_ms": "7d",
}

WORKER: Final = "churnwatch worker"
STOCK: Final = "stock Faust agents"
OFFLINE: Final = "pipeline alone"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Log:
    """A log in a file and in topics of its own: the settings that name them, events, and customers."""

    path: Path
    settings: Settings
    events: int
    customers: int


def run(services: Services, scratch: Path, say: Say) -> dict[str, list[Run]]:
    """Run the scenario; returns the runs of every contestant.

    Raises WrongAnswer where one of them has not done the work.
    """
    model = scratch / "model"
    say("learning a model to be frozen")
    model.write_bytes(_learnt(scratch))
    whole = _publish(_log(services, scratch, model, "whole", CUSTOMERS))
    part = _publish(_log(services, scratch, model, "part", CUSTOMERS // SHARE))
    say(f"published {whole.events:,} events of {whole.customers:,} customers, and a tenth of that for the stock agents")
    runs: dict[str, list[Run]] = {WORKER: [], STOCK: [], OFFLINE: []}
    for number in range(ROUNDS):
        fresh = {"redis_namespace": f"worker{number}", "kafka_group_id": f"worker{number}"}
        taken = product.measure(whole.settings.model_copy(update=fresh), whole.events, scratch)
        _note(WORKER, taken, whole, runs, say)
        fresh = {"redis_namespace": f"stock{number}", "kafka_group_id": f"stock{number}"}
        settings = part.settings.model_copy(update=fresh)
        _note(STOCK, run_module("bench.stock_agents", settings, str(part.events)), part, runs, say)
        _note(OFFLINE, run_module("bench.offline", part.settings, str(part.path)), part, runs, say)
    return runs


def _note(name: str, taken: Run, log: Log, runs: dict[str, list[Run]], say: Say) -> None:
    check(name, taken, log.events, log.customers)
    runs[name].append(taken)
    say(f"run {len(runs[name])} of {name}: {taken.per_second:,.0f} events/s")


def _learnt(scratch: Path) -> bytes:
    """Learn from another log of the same shop, with a question that is answered within it."""
    path = synthetic.write(scratch / "learn.jsonl", synthetic.shop(LEARN_CUSTOMERS, LEARN_DAYS, SEED + 1))
    settings = Settings(**LEARN_QUESTION)
    learnt = asyncio.run(replay(settings, [path], now_ms=time.time_ns() // 1_000_000))
    assert learnt.guide is not None
    assert learnt.guide.ready
    return encode_guide(learnt.guide)


def _log(services: Services, scratch: Path, model: Path, name: str, customers: int) -> Log:
    events = synthetic.shop(customers, DAYS, SEED)
    settings = Settings(
        kafka_bootstrap=services.bootstrap,
        redis_url=services.redis_url,
        topic_prefix=f"{name}.",
        topic_partitions=PARTITIONS,
        clock="replay",
        learning_enabled=False,
        model_file=model,
        log_level="warning",
    )
    path = synthetic.write(scratch / f"{name}.jsonl", events)
    if services.real_kafka:
        asyncio.run(create(settings))
    return Log(path, settings, len(events), synthetic.customers_of(events))


def _publish(log: Log) -> Log:
    summary = asyncio.run(publish_files(log.settings, [log.path]))
    if summary.dropped or summary.total != log.events:
        raise TransportError(f"Kafka holds {summary.total - summary.dropped} of {log.events} events just published")
    return log
