"""A Redis full of customers, in seconds: states made by the real pipeline, copied under other ids, in the worker's own keys.

1. A part of a real shop's log (`bench.retail`) is replayed by the worker's own parts: its customers are the templates.
2. Every customer to be filled in is a copy of a template, in turns. A state holds no id, so a copy is as true as its template.
3. `RedisStore` writes them, so keys, wake-ups and bookkeeping lie where a worker looks for them: it goes on as after a bootstrap.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agents.meta import Meta, encode_meta
from agents.record import decode_customer, encode_customer
from bench import retail, synthetic
from churnwatch import compose
from churnwatch.backtest import Backtest, replay
from churnwatch.redis_client import redis_options
from churnwatch.settings import Settings
from features.redis_client import connect
from features.redis_store import RedisStore
from features.store import Commit
from models.guide import encode_guide
from streams.time import parse_instant
from streams.topics import partition_for

SEED: Final = 6

TEMPLATES: Final = 1_000
EVENTS_EACH: Final = 5
SPAN: Final = 0.6
"""The part of the real log that is replayed: where it stops, customers are in all stages of their lives, and none has expired."""

COMMIT_CUSTOMERS: Final = 10_000
FAR_MS: Final = 1 << 60


@dataclass(frozen=True, slots=True)
class Template:
    """A customer to copy: state and next wake-up, the same state of one whose band was never told, whether an episode is open.

    `lost`: the customer was told to be lost, and will not be told so again.
    """

    state: bytes
    untold: bytes
    wake_ms: int
    open: bool
    lost: bool


@dataclass(frozen=True, slots=True)
class Templates:
    """Customers to copy, all as of `clock_ms`."""

    customers: Sequence[Template]
    clock_ms: int

    @property
    def state_bytes(self) -> float:
        """Mean bytes of a state."""
        return sum(len(template.state) for template in self.customers) / len(self.customers)


@dataclass(frozen=True, slots=True)
class Group:
    """Customers to fill in: `{prefix}-0000000` and so on; `untold`: the next look at each publishes a score."""

    prefix: str
    count: int
    untold: bool = False

    def ids(self) -> Iterator[str]:
        """Give all ids."""
        return (customer_id(self.prefix, number) for number in range(self.count))


def customer_id(prefix: str, number: int) -> str:
    """Give the id of a filled customer.

    >>> customer_id("c", 12)
    'c-0000012'
    """
    return f"{prefix}-{number:07d}"


def learn(scratch: Path) -> Path:
    """Learn a model to be frozen from a log of the same shop; returns its file."""
    path = scratch / "growth-learn.jsonl"
    synthetic.write(path, synthetic.shop(synthetic.LEARN_CUSTOMERS, synthetic.LEARN_DAYS, SEED))
    guide = _replayed(Settings(**synthetic.LEARN_QUESTION), path).guide
    assert guide is not None
    assert guide.ready
    model = scratch / "growth-model"
    model.write_bytes(encode_guide(guide))
    return model


def templates(settings: Settings, scratch: Path, until_ms: int | None = None) -> Templates:
    """Let the pipeline make the customers to copy, out of a real log, with the frozen model that the settings name.

    `until_ms` is when their history ends; None: when it did.
    """
    path = scratch / "growth-templates.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in _history(until_ms)), encoding="utf-8")
    found = _replayed(settings, path, frozen=True)
    states = found.partition.states
    wakes = dict(found.partition.timers.get(FAR_MS, len(states)))
    return Templates([_template(state, wakes[customer]) for customer, state in states.items()], found.last_ms)


def _history(until_ms: int | None) -> list[dict[str, Any]]:
    lines = retail.blown_up(retail.lives(retail.source()), TEMPLATES * EVENTS_EACH, TEMPLATES)
    events: list[dict[str, Any]] = [json.loads(line.text) for line in lines]
    times = [parse_instant(event["occurred_at"]) for event in events]
    cut_ms = times[0] + int(SPAN * (times[-1] - times[0]))
    shift_ms = 0 if until_ms is None else until_ms - cut_ms
    return [
        event | {"occurred_at": at_ms + shift_ms} for event, at_ms in zip(events, times, strict=True) if at_ms <= cut_ms
    ]


def _replayed(settings: Settings, path: Path, *, frozen: bool = False) -> Backtest:
    guide = compose.frozen_guide(settings) if frozen else None
    return asyncio.run(replay(settings, [path], now_ms=time.time_ns() // 1_000_000, frozen=guide))


def _template(state: bytes, wake_ms: int) -> Template:
    customer = decode_customer(state)
    customer.band = ""
    return Template(state, encode_customer(customer), wake_ms, customer.episode.open, customer.episode.lost)


def fill(settings: Settings, made: Templates, groups: Sequence[Group]) -> None:
    """Fill the namespace that the settings name, for topics of which nothing has been taken in."""
    asyncio.run(_fill(settings, made, groups))


async def _fill(settings: Settings, made: Templates, groups: Sequence[Group]) -> None:
    partitions = settings.topic_partitions
    places: list[list[tuple[str, bool]]] = [[] for _ in range(partitions)]
    for group in groups:
        for customer in group.ids():
            places[partition_for(customer.encode(), partitions)].append((customer, group.untold))
    client = connect(redis_options(settings))
    try:
        for partition, customers in enumerate(places):
            store = RedisStore(client, settings.redis_namespace, partition)
            await _fill_partition(store, made, customers)
            await store.close()
    finally:
        await client.aclose()


async def _fill_partition(store: RedisStore, made: Templates, customers: Sequence[tuple[str, bool]]) -> None:
    await store.open()
    commits = opened = 0
    for first in range(0, len(customers), COMMIT_CUSTOMERS):
        chunk = customers[first : first + COMMIT_CUSTOMERS]
        copied = [made.customers[(first + place) % len(made.customers)] for place in range(len(chunk))]
        opened += sum(template.open for template in copied)
        commits += 1
        await store.commit(
            Commit(
                encode_meta(Meta(bootstrap="filling", commits=commits)),
                writes={
                    customer: template.untold if untold else template.state
                    for (customer, untold), template in zip(chunk, copied, strict=True)
                },
                timers={customer: template.wake_ms for (customer, _), template in zip(chunk, copied, strict=True)},
            )
        )
    now_ms = time.time_ns() // 1_000_000
    handed_over = Meta(
        commits=commits + 1,
        clock_ms=made.clock_ms,
        taken_ms=made.clock_ms,
        open_episodes=opened,
        customers=len(customers),
        life=now_ms,
        born=now_ms,
        claim=now_ms,
    )
    await store.commit(Commit(encode_meta(handed_over)))
