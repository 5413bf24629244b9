"""`churnwatch bi`: the star schema filled from Kafka, until told to stop or up to the present end; and made without being filled."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from churnwatch.bi_database import Database
from churnwatch.bi_errors import place
from churnwatch.bi_metrics import BiMetrics
from churnwatch.bi_sink import Sink
from churnwatch.logs import set_up_logging
from churnwatch.settings import Settings
from churnwatch.terminal import progress
from streams.errors import ConfigError

log = logging.getLogger("churnwatch.bi")


def run_load(settings: Settings) -> int:
    """Fill the schema until SIGTERM or SIGINT (exit code 0).

    Raises ConfigError, StateError or TransportError, worded for people, where it cannot begin or go on.
    """
    set_up_logging(settings)
    where(settings)
    asyncio.run(_follow(settings))
    return 0


def load_once(settings: Settings) -> tuple[int, int]:
    """Fill the schema up to what is the end now; return how many messages were loaded, and how many of them passed over."""
    set_up_logging(settings)
    where(settings)
    with progress("Loading") as update:
        metrics = BiMetrics()
        sink = Sink(settings, metrics, lambda done: update(done, f"{done:,.0f} messages", done + metrics.lag))
        asyncio.run(sink.run(once=True))
    return sink.loaded, sink.passed_over


def make_schema(settings: Settings) -> bool:
    """Make the schema where there is none; return whether it was made."""
    where(settings)
    return asyncio.run(_make(settings))


def where(settings: Settings) -> str:
    """Return where the schema stands, without user and password; raises ConfigError where no place is set, or none that is one."""
    if settings.bi_url is None:
        raise ConfigError(
            "CHURNWATCH_BI_URL is not set: name a PostgreSQL, such as postgresql://user:password@host:5432/database"
        )
    return f"schema {settings.bi_schema} at {place(settings.bi_url.get_secret_value())}"


async def _make(settings: Settings) -> bool:
    async with Database.opened(settings) as database:
        if not await database.there():  # a sink that fills it need not end for us to see that it is there
            await database.fence()
        return await database.make()


async def _follow(settings: Settings) -> None:
    metrics = BiMetrics()
    sink = Sink(settings, metrics)
    async with _served(settings, sink, metrics):
        log.info("Filling %s", where(settings))
        told = asyncio.create_task(_told_to_stop(), name="told to stop")
        working = asyncio.create_task(sink.run(), name="loading")
        try:
            await asyncio.wait([told, working], return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
        finally:
            for task in (told, working):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
    log.info("Stopped: %d messages loaded, %d of them passed over", sink.loaded, sink.passed_over)


async def _told_to_stop() -> None:
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    await stop.wait()


@asynccontextmanager
async def _served(settings: Settings, sink: Sink, metrics: BiMetrics) -> AsyncIterator[None]:
    """Serve /metrics and /healthz for as long as the block lasts."""

    async def show_metrics(_: web.Request) -> web.Response:
        text = metrics.render(now_ms=time.time_ns() // 1_000_000, now_seconds=time.monotonic())
        return web.Response(body=text, headers={"content-type": CONTENT_TYPE_PLAIN_0_0_4})

    async def show_health(_: web.Request) -> web.Response:
        idle_ms = int(1000 * (time.monotonic() - sink.turned))
        good = idle_ms < settings.stalled_ms
        told = {"ok": good, "idle_ms": idle_ms, "database_up": metrics.up, "lag_messages": metrics.lag}
        return web.Response(text=json.dumps(told), content_type="application/json", status=200 if good else 503)

    served = web.Application()
    served.add_routes([web.get("/metrics", show_metrics), web.get("/healthz", show_health)])
    runner = web.AppRunner(served, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, settings.web_host, settings.bi_port).start()
        except OSError as error:
            at = f"{settings.web_host}:{settings.bi_port}"
            advice = "set CHURNWATCH_BI_PORT or CHURNWATCH_WEB_HOST"
            raise ConfigError(f"/metrics cannot be served at {at}: {error.strerror}; {advice}") from error
        yield
    finally:
        await runner.cleanup()
