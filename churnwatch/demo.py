"""The demo: eighteen months of a real shop, through the whole system, in a few minutes, on this machine alone.

1. A Kafka and a Redis of its own (`churnwatch.services` says which).
2. The example log is published to Kafka, every line checked and every event acknowledged.
3. A worker process replays it in event time, as `churnwatch worker` would; its /metrics tell how far it is, a consumer of the
   alerts' topic hears what it says.
4. When the worker's clock has reached the end of the log, what it said is summed up, and the console is served on it
   (`demo_console`) until somebody at the terminal has seen enough.

Whatever happens, everything that was started is stopped again.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from urllib.error import URLError
from urllib.request import urlopen

from churnwatch.child import free_port
from churnwatch.demo_console import listening, serve_console
from churnwatch.demo_report import Heard, report
from churnwatch.kafka import open_consumer
from churnwatch.publish import Progress, PublishSummary, publish_files
from churnwatch.scrape import Scrape
from churnwatch.services import Services, start_services
from churnwatch.settings import Settings
from churnwatch.terminal import Update, note, progress, say
from churnwatch.topic_layout import create
from streams.errors import TransportError
from streams.time import DAY_MS, iso

EXAMPLE_LOG: Final = Path(__file__).resolve().parent.parent / "data" / "cdnow.jsonl.gz"
PARTITIONS: Final = 4
LOOK_SECONDS: Final = 0.5
STOP_SECONDS: Final = 40


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What the demo runs on, which log it replays, and for how long the console is served at the end (None: until Ctrl-C)."""

    services: Literal["auto", "real", "embedded"] = "auto"
    log: Path = EXAMPLE_LOG
    serve_seconds: float | None = 0.0


def run_demo(settings: Settings, options: DemoOptions) -> int:
    """Run the demo; returns the exit code."""
    say("Churnwatch demo: 18 months of orders of a music shop (CDNOW), replayed as if they happened now.\n")
    with start_services(options.services, say=note) as services:
        say(f"1. Services    {services.description}")
        if services.why_embedded:
            say(f"               ({services.why_embedded})")
        demo = settings.model_copy(update=_overrides(services))
        return asyncio.run(_run(demo, services, options))


def _overrides(services: Services) -> dict[str, object]:
    return {
        "kafka_bootstrap": services.bootstrap,
        "redis_url": services.redis_url,
        "topic_partitions": PARTITIONS,
        "clock": "replay",
    }


async def _run(settings: Settings, services: Services, options: DemoOptions) -> int:
    if services.real_kafka:
        await create(settings)
    published = await _publish(settings, options.log)
    if published.dropped or published.last_ms is None or published.first_ms is None:
        raise TransportError(f"Kafka has dropped {published.dropped} of the events just published: use --services real")
    total = sum(published.events.values())
    say(
        f"2. Published   {total:,} events from {iso(published.first_ms)[:10]} to {iso(published.last_ms)[:10]} in {published.seconds:.1f} s"
    )
    first = free_port()
    ports = first, free_port(first + 1)
    if options.serve_seconds == 0:
        return await _replay(settings, services, published, ports, None)
    async with listening(settings, ports) as (own, board):
        return await _replay(
            settings, services, published, ports, lambda: serve_console(own, board, options.serve_seconds)
        )


async def _replay(
    settings: Settings,
    services: Services,
    published: PublishSummary,
    ports: tuple[int, int],
    show: Callable[[], Awaitable[None]] | None,
) -> int:
    """Replay what was published, say what came of it, and `show` it while the workers still run; returns the exit code."""
    assert published.last_ms is not None
    total, heard = sum(published.events.values()), Heard()
    started = time.monotonic()
    with _worker(settings, services, published.last_ms, "learner", ports[0]) as learner:
        with _worker(settings, services, published.last_ms, "partitions", ports[1]) as worker:
            hearing = asyncio.create_task(_listen(settings, heard))
            try:
                scrape = await _watch(worker, learner, published, heard)
            finally:
                hearing.cancel()
            seconds = time.monotonic() - started
            say(f"3. Replayed    in {seconds:.0f} s ({total / seconds:,.0f} events/s)\n")
            report(scrape, heard, total)
            if show is not None:
                await show()
            code = await asyncio.to_thread(_stop, worker.process)
        code = code or await asyncio.to_thread(_stop, learner.process)
    say(f"\nBoth workers stopped with exit code {code}." if show is None else "\nEverything is stopped again.")
    return 0 if code == 0 else 1


async def _publish(settings: Settings, log: Path) -> PublishSummary:
    with progress("Publishing") as update:

        def moved(at: Progress) -> None:
            update(at.events, f"{at.stage} {at.events:,} events ({at.per_second:,.0f}/s)")

        return await publish_files(settings, [log], moved)


@dataclass(frozen=True, slots=True)
class _Worker:
    """A worker process and its web port."""

    process: subprocess.Popen[bytes]
    port: int


@contextmanager
def _worker(settings: Settings, services: Services, until_ms: int, role: str, port: int) -> Iterator[_Worker]:
    """Run a worker process that replays up to `until_ms`: the partitions' or the learner, a core each."""
    environment = os.environ | {
        "CHURNWATCH_KAFKA_BOOTSTRAP": services.bootstrap,
        "CHURNWATCH_REDIS_URL": services.redis_url,
        "CHURNWATCH_CLOCK": "replay",
        "CHURNWATCH_REPLAY_UNTIL": iso(until_ms),
        "CHURNWATCH_WORKER_ROLE": role,
        "CHURNWATCH_WEB_PORT": str(port),
        "CHURNWATCH_LOG_LEVEL": "warning" if settings.log_level == "info" else settings.log_level,
    }
    # In a session of its own: a Ctrl-C on the terminal is for the demo, which stops the worker itself.
    command = [sys.executable, "-m", "churnwatch.cli", "worker", "--with-parent"]
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield _Worker(process, port)
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> int:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


async def _listen(settings: Settings, heard: Heard) -> None:
    """Hear every alert as it is published: the in-process broker keeps only the latest."""
    async with open_consumer(settings, metadata_max_age_ms=1_000) as consumer:
        consumer.subscribe([settings.topics().alerts])
        while True:
            chunks = await consumer.getmany(timeout_ms=250, max_records=2_000)
            for records in chunks.values():
                for record in records:
                    heard.take(record.value or b"")


async def _watch(worker: _Worker, learner: _Worker, published: PublishSummary, heard: Heard) -> Scrape:
    """Show how far the worker is until it has said everything and the learner has heard it; returns the worker's last metrics."""
    assert published.first_ms is not None
    assert published.last_ms is not None
    span_days = (published.last_ms - published.first_ms) / DAY_MS
    started = time.monotonic()
    with progress("Replaying") as update:
        while worker.process.poll() is None and learner.process.poll() is None:
            await asyncio.sleep(LOOK_SECONDS)
            scrape = await asyncio.to_thread(_scrape, worker.port)
            learnt = await asyncio.to_thread(_scrape, learner.port)
            if scrape is None or learnt is None:
                continue
            _show(update, scrape, published.first_ms, span_days, time.monotonic() - started)
            if _complete(scrape, learnt, published.last_ms, heard):
                return scrape
    raise TransportError(
        f"the worker ended with exit code {worker.process.poll() or learner.process.poll()} before the log was replayed; its last lines say why"
    )


def _scrape(port: int) -> Scrape | None:
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            return Scrape(answer.read().decode())
    except (URLError, OSError):
        return None


def _show(update: Update, scrape: Scrape, first_ms: int, span_days: float, seconds: float) -> None:
    read = scrape.sum("churnwatch_events_total", outcome="read")
    clock_ms = 1000 * min(scrape.values("churnwatch_watermark_timestamp_seconds"), default=0.0)
    auc = next(iter(scrape.values("churnwatch_model_quality", metric="auc", window="all")), float("nan"))
    quality = f"AUC {auc:.3f}" if auc == auc else "AUC not known yet"  # noqa: PLR0124 - NaN is unequal to itself
    said = (
        f"{iso(int(max(clock_ms, first_ms)))[:10]}  {read:,.0f} events ({read / seconds:,.0f}/s)  "
        f"{scrape.sum('churnwatch_customers'):,.0f} customers  {scrape.sum('churnwatch_model_examples'):,.0f} outcomes learnt  "
        f"{quality}  {scrape.sum('churnwatch_alerts_total'):,.0f} alerts"
    )
    update(max(0.0, (clock_ms - first_ms) / DAY_MS), said, span_days)


def _complete(scrape: Scrape, learnt: Scrape, until_ms: int, heard: Heard) -> bool:
    """Every partition's clock at the end, every message acknowledged, every label learnt, every alert heard."""
    clocks = scrape.values("churnwatch_watermark_timestamp_seconds")
    return (
        len(clocks) == PARTITIONS
        and min(clocks) * 1000 >= until_ms
        and not scrape.sum("churnwatch_outbox_pending")
        and not learnt.sum("churnwatch_learner_lag_batches")
        and learnt.sum("churnwatch_model_version") == scrape.sum("churnwatch_model_version")
        and len(heard.ids) >= scrape.sum("churnwatch_alerts_total")
    )
