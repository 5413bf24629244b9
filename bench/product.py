"""`churnwatch worker` as it is, timed from outside by the offsets in its store.

The clock starts when the worker claims its first partition, before anything is fetched, and stops when the offsets in Redis reflect
every event. So fetching, decoding, the pipeline, the transactions and the messages sent meanwhile are in; starting Python is not.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.request import urlopen

import redis

from agents.meta import Meta, decode_meta
from bench.children import BEGIN_SECONDS_MAX, cpu_seconds, in_store, seconds_max, stop, worker
from bench.measures import Run, WrongAnswer
from churnwatch.child import free_port
from churnwatch.scrape import Scrape
from churnwatch.settings import Settings

LOOK_SECONDS: Final = 0.01
STILL_SECONDS: Final = 0.5
OUTCOMES: Final = ("read", "applied", "duplicate", "late", "dead_lettered")
STAGES: Final = ("decode", "load", "pipeline", "commit", "publish")


def measure(settings: Settings, events: int, scratch: Path) -> Run:
    """Let a fresh worker take in `events` events that are in its topics; `settings` name a fresh namespace and group."""
    settings = settings.model_copy(update={"web_port": free_port()})
    client = redis.Redis.from_url(settings.redis_url)
    try:
        with worker(settings, scratch / f"{settings.redis_namespace}.log") as process:

            def metas() -> list[Meta]:
                return _metas(client, settings)

            _until(lambda: bool(metas()), process, BEGIN_SECONDS_MAX)
            started, cpu_before = time.perf_counter(), cpu_seconds(process)
            _until(lambda: sum(sum(meta.offsets.values()) for meta in metas()) >= events, process, seconds_max(events))
            seconds, cpu_after = time.perf_counter() - started, cpu_seconds(process)
            _until(
                lambda: _scrape(settings).sum("churnwatch_events_total", outcome="read") >= events,
                process,
                seconds_max(events),
            )
            _until(still(metas), process, seconds_max(events))
            scrape = _scrape(settings)
            stop(process)
    finally:
        client.close()
    return Run(
        events,
        seconds,
        {outcome: int(scrape.sum("churnwatch_events_total", outcome=outcome)) for outcome in OUTCOMES},
        scorings=int(scrape.sum("churnwatch_scorings_total")),
        costs={stage: scrape.sum("churnwatch_stage_seconds_sum", stage=stage) for stage in STAGES},
        cpu_seconds=None if cpu_before is None or cpu_after is None else cpu_after - cpu_before,
        **in_store(settings),
    )


def still(metas: Callable[[], list[Meta]]) -> Callable[[], bool]:
    """Whether nothing has changed for a moment: the wake-ups that the last events made due have fired, what was said is acknowledged."""
    seen, since = metas(), time.monotonic()

    def still() -> bool:
        nonlocal seen, since
        now = metas()
        if now != seen:
            seen, since = now, time.monotonic()
        return time.monotonic() - since > STILL_SECONDS

    return still


def _metas(client: redis.Redis, settings: Settings) -> list[Meta]:
    keys = [f"{settings.redis_namespace}:{{{partition}}}:meta" for partition in range(settings.topic_partitions)]
    return [decode_meta(value) for value in client.mget(keys) if isinstance(value, bytes)]


def _scrape(settings: Settings) -> Scrape:
    with urlopen(f"http://127.0.0.1:{settings.web_port}/metrics", timeout=10) as answer:
        return Scrape(answer.read().decode())


def _until(condition: Callable[[], bool], process: subprocess.Popen[bytes], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if process.poll() is not None:
            raise WrongAnswer(f"the worker ended with exit code {process.returncode} before it had taken in the log")
        if time.monotonic() > deadline:
            raise WrongAnswer(f"the worker has not taken in the log within {seconds:.0f} s")
        time.sleep(LOOK_SECONDS)
