"""`run_deliver`: one process that takes alerts from Kafka to a webhook, until SIGTERM, and ends with an exit code.

It stands beside the workers and shares nothing with them but the topic. Several of the same CHURNWATCH_WEBHOOK_NAME share the partitions
out among them; each further receiver has processes with another name. What may happen, and what then:

| what | then |
| --- | --- |
| the receiver is away, or answers 5xx | alerts wait in Kafka; each partition tries its first one, later and later |
| it is killed | its successor begins at the committed offsets: what was in flight is posted again, with the same id |
| the receiver took an alert, but its answer is lost | the same |
| Kafka goes away | what is in hand is delivered, then it waits |
| partitions go to another process | attempts under way are finished first |
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from agents.publish import KafkaPublisher, on_the_wire
from churnwatch.alert_list import Filter
from churnwatch.deliver_courier import Courier, oldest_seconds
from churnwatch.deliver_metrics import DeliverMetrics
from churnwatch.deliver_receiver import QUIET_SECONDS, Receiver
from churnwatch.delivery import Delivery, Terms
from churnwatch.kafka import client_options, describe, open_producer, unseen
from churnwatch.logs import set_up_logging
from churnwatch.settings import Settings
from churnwatch.webhook_client import WebhookClient
from churnwatch.webhook_retry import Backoff
from streams.deadletter import Undelivered, dead_letter
from streams.errors import ConfigError, TransportError
from streams.reader import Consumer
from streams.topics import DLQ_MESSAGE_BYTES_MAX

log = logging.getLogger("churnwatch.deliver")

RETRY_SECONDS: Final = 2.0
GRACE_SECONDS: Final = 5.0
LEAVE_SECONDS: Final = 10.0


def run_deliver(settings: Settings) -> int:
    """Deliver until SIGTERM or SIGINT (exit code 0).

    Raises ConfigError or TransportError, worded for people, where it cannot begin or go on.
    """
    set_up_logging(settings)
    return asyncio.run(_run(settings))


def now_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000


def terms(settings: Settings) -> Terms:
    """Return what the settings say about which alerts are delivered, and how."""
    return Terms(
        wanted=Filter(
            bands=_words(settings.webhook_bands),
            segments=_words(settings.webhook_segments),
            kinds=_words(settings.webhook_kinds),
            owners=_words(settings.webhook_owners),
        ),
        form=settings.webhook_format,
        backoff=Backoff(settings.webhook_backoff_ms, settings.webhook_backoff_max_ms),
        give_up_seconds=settings.webhook_give_up_ms / 1000,
        connections_max=settings.webhook_connections_max,
    )


def group_id(settings: Settings) -> str:
    """Return the consumer group: each receiver has one, which remembers what it has been given."""
    return f"{settings.kafka_group_id}-{settings.webhook_name}"


async def _run(settings: Settings) -> int:
    told = asyncio.create_task(_told_to_stop(), name="told to stop")
    working = asyncio.create_task(_work(settings), name="delivering")
    await asyncio.wait([told, working], return_when=asyncio.FIRST_COMPLETED)
    if not working.done():
        log.info("Stopping: attempts under way are finished")
        working.cancel()
        await asyncio.wait([working])
    told.cancel()
    if not working.cancelled():
        working.result()
    log.info("Stopped")
    return 0


async def _told_to_stop() -> None:
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    await stop.wait()


async def _work(settings: Settings) -> None:
    async with AsyncExitStack() as opened:
        client = WebhookClient(settings, now_ms)
        opened.push_async_callback(client.close)
        topic = await _topic(settings)
        receiver = Receiver(client.address, time.monotonic, settings.webhook_backoff_ms / 1000)
        metrics = DeliverMetrics()
        letters = await opened.enter_async_context(_dead_letters(settings))
        delivery = Delivery(client, receiver, letters.bury, terms(settings), metrics, time.monotonic, random.random)
        grace_seconds = settings.webhook_timeout_ms / 1000 + GRACE_SECONDS
        courier = Courier(_consumer(settings, grace_seconds), delivery.settle, settings.webhook_start, grace_seconds)
        await opened.enter_async_context(_served(settings, courier, receiver, metrics))
        await opened.enter_async_context(courier.subscribed(topic, LEAVE_SECONDS))
        signing = "signed" if settings.webhook_secret else "not signed, for there is no CHURNWATCH_WEBHOOK_SECRET"
        log.info("Delivering %s to %s as %s, %s", topic, client.address, settings.webhook_format, signing)
        await courier.run()


async def _topic(settings: Settings) -> str:
    """Wait for Kafka, and return the alerts' topic; raises TransportError where it or its dead letters' is missing."""
    topics = settings.topics()
    while True:
        try:
            cluster = await describe(settings)
            break
        except TransportError as error:
            log.warning("Waiting for Kafka: %s", error)
        await asyncio.sleep(RETRY_SECONDS)
    wanted = [topics.alerts, topics.dlq(topics.alerts)]
    missing = [topic for topic in wanted if topic not in cluster.partitions]
    if missing and not cluster.embedded:
        raise TransportError(
            f"topics are missing: {', '.join(missing)}; create them with `churnwatch topics create`{unseen(settings)}"
        )
    return topics.alerts


def _consumer(settings: Settings, grace_seconds: float) -> Consumer:
    rebalance_ms = int(1000 * (grace_seconds + GRACE_SECONDS))
    return Consumer(
        **client_options(settings) | {"request_timeout_ms": rebalance_ms + 40_000},
        group_id=group_id(settings),
        enable_auto_commit=False,
        # Only where the committed place is gone with old alerts: then as many as are left.
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        session_timeout_ms=settings.kafka_session_ms,
        heartbeat_interval_ms=settings.kafka_session_ms // 4,
        rebalance_timeout_ms=rebalance_ms,
        # While the receiver is away nothing is fetched, for as long as that lasts.
        max_poll_interval_ms=86_400_000,
        metadata_max_age_ms=10_000,
    )


class _Letters:
    """The way to the dead letters; one that Kafka does not take for now is tried again."""

    def __init__(self, publisher: KafkaPublisher) -> None:
        self._publisher = publisher

    async def bury(self, undelivered: Undelivered) -> None:
        """Return when Kafka holds it."""
        await self._publisher.publish([dead_letter(undelivered, now_ms())])


@asynccontextmanager
async def _dead_letters(settings: Settings) -> AsyncIterator[_Letters]:
    said = time.monotonic() - QUIET_SECONDS

    def waiting(why: str) -> None:
        nonlocal said
        if time.monotonic() - said >= QUIET_SECONDS:
            said = time.monotonic()
            log.warning("Dead letters wait: %s", why)

    options = {"max_request_size": DLQ_MESSAGE_BYTES_MAX - 1024, "value_serializer": on_the_wire}
    async with open_producer(settings, **options) as producer:
        yield _Letters(KafkaPublisher(producer, waiting, lambda _: None))


@asynccontextmanager
async def _served(
    settings: Settings, courier: Courier, receiver: Receiver, metrics: DeliverMetrics
) -> AsyncIterator[None]:
    """Serve /metrics and /healthz for as long as the block lasts."""

    async def show_metrics(_: web.Request) -> web.Response:
        text = metrics.render(
            up=receiver.up,
            waiting=courier.waiting(),
            oldest_seconds=oldest_seconds(courier.lanes, now_ms()),
            partitions=len(courier.lanes),
        )
        return web.Response(body=text, headers={"content-type": CONTENT_TYPE_PLAIN_0_0_4})

    async def show_health(_: web.Request) -> web.Response:
        idle_ms = int(1000 * (time.monotonic() - courier.turned))
        good = idle_ms < settings.stalled_ms
        told = {"ok": good, "idle_ms": idle_ms, "receiver_up": receiver.up, "partitions": len(courier.lanes)}
        return web.Response(text=json.dumps(told), content_type="application/json", status=200 if good else 503)

    served = web.Application()
    served.add_routes([web.get("/metrics", show_metrics), web.get("/healthz", show_health)])
    runner = web.AppRunner(served, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, settings.web_host, settings.webhook_port).start()
        except OSError as error:
            where = f"{settings.web_host}:{settings.webhook_port}"
            advice = "set CHURNWATCH_WEBHOOK_PORT or CHURNWATCH_WEB_HOST"
            raise ConfigError(f"/metrics cannot be served at {where}: {error.strerror}; {advice}") from error
        yield
    finally:
        await runner.cleanup()


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip() for word in text.split(",") if word.strip())
