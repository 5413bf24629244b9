"""The console's workers: their `/metrics`, and the latest of the dead-letter topics."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

import aiohttp
from aiokafka import TopicPartition

from churnwatch.dead_letters import Choice, DeadLetter, read_letter
from churnwatch.kafka import answering, describe, open_consumer
from churnwatch.scrape import Scrape
from churnwatch.settings import Settings
from churnwatch.topic_reader import partitions_of
from console.working import Letter, Operations, Worker

FRESH_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 3.0
METRICS_BYTES_MAX: Final = 4 << 20
LETTERS_MAX: Final = 30
VALUE_CHARS_MAX: Final = 300
STAGES: Final = ("decode", "load", "pipeline", "commit", "publish")


class Scraping:
    """Asks the workers that `CHURNWATCH_CONSOLE_WORKERS` names, and Kafka for dead letters, at most every few seconds."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._addresses = [text.strip().rstrip("/") for text in settings.console_workers.split(",") if text.strip()]
        self._seen: tuple[float, Operations] | None = None
        self._turn = asyncio.Lock()

    async def look(self) -> Operations:
        """Return how things stand, some seconds ago at most."""
        async with self._turn:
            known, now = self._seen, time.monotonic()
            if known is not None and now - known[0] < FRESH_SECONDS:
                return known[1]
            timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
            async with aiohttp.ClientSession(timeout=timeout) as client:
                asked = await asyncio.gather(*(_ask(client, address) for address in self._addresses))
            workers = [worker for worker, _ in asked]
            letters: Counter[str] = Counter()
            for _, counts in asked:
                letters.update(counts)
            found = Operations(workers, _rate(known, workers, now), letters, await _last(self._settings))
            self._seen = (now, found)
            return found


def _rate(known: tuple[float, Operations] | None, workers: Sequence[Worker], now: float) -> float | None:
    if known is None:
        return None
    before = {worker.address: worker.events for worker in known[1].workers}
    # One that was started anew counts from 0.
    taken = sum(max(worker.events - before.get(worker.address, 0.0), 0.0) for worker in workers)
    return taken / (now - known[0])


async def _ask(client: aiohttp.ClientSession, address: str) -> tuple[Worker, Counter[str]]:
    try:
        async with client.get(f"{address}/metrics", allow_redirects=False) as answer:
            answer.raise_for_status()
            text = (await answer.content.read(METRICS_BYTES_MAX)).decode()
        return await asyncio.to_thread(_worker, address, text)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        return Worker(address, trouble=str(error) or type(error).__name__), Counter()


def _worker(address: str, text: str) -> tuple[Worker, Counter[str]]:
    told = Scrape(text)
    events = told.sum("churnwatch_events_total", outcome="read")
    seconds = {stage: told.sum("churnwatch_stage_seconds_sum", stage=stage) for stage in STAGES}
    slow = {stage: told.quantile("churnwatch_stage_seconds", 0.95, stage=stage) for stage in STAGES}
    half, most = (told.quantile("churnwatch_event_to_alert_seconds", share) for share in (0.5, 0.95))
    worker = Worker(
        address=address,
        version=told.label("churnwatch_build_info", "version"),
        healthy=told.sum("churnwatch_healthy") > 0,
        ready=told.sum("churnwatch_ready") > 0,
        partitions=int(told.sum("churnwatch_partitions_assigned")),
        customers=int(told.sum("churnwatch_customers")),
        events=events,
        lag_events=told.sum("churnwatch_lag_events"),
        lag_seconds=max(told.values("churnwatch_lag_seconds"), default=0.0),
        outbox=told.sum("churnwatch_outbox_pending"),
        memory_bytes=told.sum("churnwatch_process_resident_memory_bytes"),
        stages={stage: 1e6 * spent / events for stage, spent in seconds.items()} if events else {},
        slow={stage: seconds for stage, seconds in slow.items() if seconds is not None},
        alert_seconds=None if half is None or most is None else (half, most),
        silent=sorted(told.having("churnwatch_source_silent", "topic", 1.0)),
    )
    return worker, Counter(
        {reason: int(n) for reason, n in told.by("churnwatch_dead_letters_total", "reason").items() if n}
    )


async def _last(settings: Settings) -> list[Letter]:
    """The latest dead letters, newest first."""
    origins = Choice().topics(settings)
    wanted = partitions_of(await describe(settings), list(origins))
    if not wanted:
        return []
    found: list[tuple[int, DeadLetter]] = []
    async with open_consumer(settings) as consumer:
        consumer.assign(wanted)
        async with answering(settings):
            first, ends = await consumer.beginning_offsets(wanted), await consumer.end_offsets(wanted)
        waiting: set[TopicPartition] = set()
        for tp in wanted:
            start = max(first[tp], ends[tp] - LETTERS_MAX)
            consumer.seek(tp, start)
            if start < ends[tp]:
                waiting.add(tp)
        async with answering(settings):
            while waiting:
                for tp, records in (await consumer.getmany(*waiting, timeout_ms=250)).items():
                    found += [(r.timestamp, read_letter(r.key, r.value, r.headers, origins[tp.topic])) for r in records]
                waiting = {tp for tp in waiting if await consumer.position(tp) < ends[tp]}
    newest = sorted(found, key=lambda entry: -entry[0])[:LETTERS_MAX]
    return [_shown(letter) for _, letter in newest]


def _shown(letter: DeadLetter) -> Letter:
    value = "" if letter.value is None else letter.value[: 4 * VALUE_CHARS_MAX].decode(errors="replace")
    return Letter(letter.topic, letter.reason, letter.message, letter.failed_at, value[:VALUE_CHARS_MAX])
