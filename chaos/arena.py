"""A Kafka and a Redis of our own behind proxies, and one installation after the other in them."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import redis
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from chaos.installation import Installation
from chaos.logs import PARTITIONS, ChaosLog
from chaos.proxy import Proxy
from chaos.servers import KafkaServer, RedisServer
from churnwatch.child import LOOPBACK
from churnwatch.kafka_jars import kafka_home
from churnwatch.settings import Settings
from churnwatch.terminal import note
from churnwatch.topic_layout import create

SESSION_SECONDS: Final = 3.0
DRAIN_SECONDS: Final = 15.0
DELETE_SECONDS_MAX: Final = 20.0

STEPS: Final[dict[str, Any]] = {
    # Small steps, so that there is a middle to be attacked in; the outbox waits early.
    "chunk_events_max": 12,
    "wakes_per_step_max": 12,
    "outbox_max": 200,
    "value_bytes_max": 1 << 16,
    "chunk_bytes_max": 1 << 16,
    "buffer_bytes_max": 1 << 18,
    "kafka_session_ms": f"{SESSION_SECONDS:g}s",
    "redis_timeout_ms": "1s",
    "drain_ms": f"{DRAIN_SECONDS:g}s",
}


class Arena:
    """Both servers and the proxies before them: `kafka`, `redis`, `kafka_proxy`, `redis_proxy`."""

    def __init__(self, kafka: KafkaServer, redis_server: RedisServer, kafka_proxy: Proxy, redis_proxy: Proxy) -> None:
        self.kafka = kafka
        self.redis = redis_server
        self.kafka_proxy = kafka_proxy
        self.redis_proxy = redis_proxy
        self._number = 0

    def calm(self) -> None:
        """Let everything through, and have both servers up, whatever has gone before."""
        for proxy in (self.kafka_proxy, self.redis_proxy):
            proxy.switch("pass")
        self.redis.start()
        self.kafka.start()

    def wipe(self) -> None:
        """Take everything out of Redis."""
        with contextlib.closing(redis.Redis.from_url(self.redis.url)) as client:
            client.flushall()

    @contextlib.contextmanager
    def installation(self, log: ChaosLog, scratch: Path, **changed: Any) -> Iterator[Installation]:
        """Make topics of their own, publish the log, give the installation; in the end remove all that it left.

        The installation's own settings lead past the proxies; its workers go through them.
        """
        self._number += 1
        place: dict[str, Any] = {
            "kafka_bootstrap": self.kafka.bootstrap,
            "kafka_timeout_ms": "30s",
            "kafka_group_id": f"workers-{self._number}",
            "redis_url": self.redis.url,
            "redis_namespace": f"chaos-{self._number}",
            "topic_prefix": f"chaos{self._number}.",
            "topic_partitions": PARTITIONS,
        }
        settings = Settings(**place | log.settings | changed)
        scratch.mkdir(parents=True, exist_ok=True)
        detour = {
            "KAFKA_BOOTSTRAP": f"{LOOPBACK}:{self.kafka_proxy.port}",
            "REDIS_URL": f"redis://{LOOPBACK}:{self.redis_proxy.port}/0",
        }
        lab = Installation(settings, scratch, detour=detour)
        asyncio.run(create(settings))
        log.publish(settings)
        try:
            yield lab
        finally:
            for worker in lab.workers:
                worker.kill()
            self._clear(settings)

    def _clear(self, settings: Settings) -> None:
        self.wipe()
        admin = AdminClient({"bootstrap.servers": self.kafka.bootstrap, "log_level": 0})
        with contextlib.suppress(KafkaException):  # where the round has left no broker, the next one says so
            names = [name for name in admin.list_topics(timeout=10).topics if name.startswith(settings.topic_prefix)]
            for deleted in admin.delete_topics(names, operation_timeout=DELETE_SECONDS_MAX).values():
                deleted.result(DELETE_SECONDS_MAX)


@contextlib.contextmanager
def arena(folder: Path) -> Iterator[Arena]:
    """Start both servers with data in `folder`; raises ServiceError where one of them cannot be had."""
    home = kafka_home(note)
    with ExitStack() as stack:
        kafka_proxy, redis_proxy = stack.enter_context(Proxy(0).running()), stack.enter_context(Proxy(0).running())
        redis_server = RedisServer(folder / "redis")
        stack.callback(redis_server.kill)
        redis_server.start()
        redis_proxy.target = redis_server.port
        kafka = KafkaServer(home, folder / "kafka", kafka_proxy.port)
        stack.callback(kafka.kill)
        kafka_proxy.target = kafka.workers_port
        yield Arena(kafka, redis_server, kafka_proxy, redis_proxy)


def now_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000
