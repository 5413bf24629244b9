"""What a spell of silence costs: customers one by one, from their last event through a year in which nothing comes.

Each has a partition to himself, so what the runner counts is his; the runner is the worker's, and so is the store in Redis. A copy under another
id would be looked at just as often, so a sample tells of a million.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from statistics import fmean
from typing import Final

from agents.outbox import Outbox
from bench.silence_child import TOPIC, Heard, Share, runner_of
from bench.silence_states import END_MS
from churnwatch.offline import FileSource
from churnwatch.redis_client import redis_options
from churnwatch.settings import Settings
from features.redis_client import Client, connect
from features.redis_store import RedisStore
from models.guide import Guide
from streams.codec import Arrival, Limits, RawRecord, decode
from streams.files import read_events
from streams.time import DAY_MS

YEAR_MS: Final = 365 * DAY_MS


@dataclass(frozen=True, slots=True)
class Spells:
    """Scorings and wake-ups of each customer's spell."""

    scorings: Sequence[int]
    wakes: Sequence[int]

    @property
    def told(self) -> Mapping[str, float]:
        """The figures in short."""
        return {
            "customers": len(self.scorings),
            "scorings_max": max(self.scorings),
            "scorings_mean": round(fmean(self.scorings), 2),
            "wake_ups_max": max(self.wakes),
            "wake_ups_mean": round(fmean(self.wakes), 2),
        }


async def spells(settings: Settings, guide: Guide, log: Path, customers: int) -> Spells:
    """Let that many customers of the log live through it, and be silent for a year after their own last event."""
    whose = attrgetter("event.customer_id")
    lives = {customer: list(items) for customer, items in groupby(sorted(arrivals(log), key=whose), whose)}
    client = connect(redis_options(settings))
    try:
        chosen = sorted(lives)[:customers]
        shares = [await _spell(settings, guide, client, place, lives[one]) for place, one in enumerate(chosen)]
    finally:
        await client.aclose()
    return Spells([sum(share.scorings.values()) for share in shares], [share.wakes for share in shares])


def arrivals(log: Path) -> Iterator[Arrival]:
    """Give the events of a log, as a worker would have decoded them."""
    limits = Limits()
    for line, stream, raw in read_events(log):
        item = decode(RawRecord(TOPIC, 0, line - 1, 0, None, raw), stream, limits, END_MS, keyed=False)
        if isinstance(item, Arrival):
            yield item


async def _spell(settings: Settings, guide: Guide, client: Client, place: int, life: Sequence[Arrival]) -> Share:
    """Count what is done for one customer in the year after the last event."""
    share, source = Share(), FileSource()
    outbox, store = Outbox(Heard(share)), RedisStore(client, settings.redis_namespace, place)
    runner = runner_of(
        settings,
        place,
        store=store,
        source=source,
        outbox=outbox,
        guide=guide,
        until_ms=life[-1].event.occurred_at + YEAR_MS,
        share=share,
    )
    try:
        await runner.open()
        runner.push(TOPIC, life)
        while await runner.step():
            await outbox.flush()
        share.scorings.clear()
        share.wakes = 0
        source.ended = True
        while not runner.done():
            await runner.step()
            await outbox.flush()
    finally:
        await store.close()
    return share
