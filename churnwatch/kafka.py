"""Kafka clients, made from the settings: addresses, TLS and SASL in one place; failures say which setting to look at.

Commands use aiokafka; `publish` uses librdkafka (confluent-kafka), whose producer takes in three times as many events
a second. Both are given the same settings here.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError

from churnwatch.kafka_refusals import ACCESS_LISTS, refusal
from churnwatch.settings import Settings
from streams.errors import ChurnwatchError, ConfigError, TransportError
from streams.reader import Consumer

CLIENT_ID = "churnwatch"


def ssl_context(settings: Settings) -> ssl.SSLContext | None:
    """Make the TLS context the brokers ask for; None where the protocol has no TLS.

    Raises ConfigError where a certificate file cannot be used.
    """
    if not settings.kafka_security_protocol.endswith("SSL"):
        return None
    try:
        context = ssl.create_default_context(cafile=settings.kafka_ssl_cafile)
        if settings.kafka_ssl_certfile and settings.kafka_ssl_keyfile:
            context.load_cert_chain(settings.kafka_ssl_certfile, settings.kafka_ssl_keyfile)
    except (OSError, ssl.SSLError) as error:
        message = f"CHURNWATCH_KAFKA_SSL_CAFILE, _CERTFILE or _KEYFILE cannot be used: {error}; name readable PEM files"
        raise ConfigError(message) from error
    return context


def client_options(settings: Settings) -> dict[str, Any]:
    """Give what every aiokafka client is made with."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap,
        "client_id": CLIENT_ID,
        "request_timeout_ms": settings.kafka_timeout_ms,
        "security_protocol": settings.kafka_security_protocol,
        "ssl_context": ssl_context(settings),
    }
    if settings.kafka_sasl_username and settings.kafka_sasl_password:
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        options["sasl_plain_username"] = settings.kafka_sasl_username
        options["sasl_plain_password"] = settings.kafka_sasl_password.get_secret_value()
    return options


def librdkafka_options(settings: Settings) -> dict[str, str | int | float | bool]:
    """Give what a confluent-kafka client is made with: the same access, in librdkafka's words."""
    options: dict[str, str | int | float | bool] = {
        "bootstrap.servers": settings.kafka_bootstrap,
        "client.id": CLIENT_ID,
        "security.protocol": settings.kafka_security_protocol,
        "log_level": 0,
    }
    files = {
        "ssl.ca.location": settings.kafka_ssl_cafile,
        "ssl.certificate.location": settings.kafka_ssl_certfile,
        "ssl.key.location": settings.kafka_ssl_keyfile,
    }
    options |= {name: str(path) for name, path in files.items() if path is not None}
    if settings.kafka_sasl_username and settings.kafka_sasl_password:
        options["sasl.mechanism"] = settings.kafka_sasl_mechanism
        options["sasl.username"] = settings.kafka_sasl_username
        options["sasl.password"] = settings.kafka_sasl_password.get_secret_value()
    return options


def unreachable(settings: Settings, why: object) -> TransportError:
    """Word the failure to work with the brokers: where was looked, what came back, what to look at."""
    reason = str(why) or type(why).__name__
    advice = "is CHURNWATCH_KAFKA_BOOTSTRAP right, are the brokers up? (`churnwatch doctor` looks closer)"
    # "TopicAuthorizationFailedError", "Broker: Topic authorization failed": each client has its own words.
    if "authorization" in reason.lower():
        advice = ACCESS_LISTS
    return TransportError(f"cannot work with Kafka at {settings.kafka_bootstrap}: {reason}; {advice}")


def unseen(settings: Settings) -> str:
    """Say why a topic that is missing may be there all the same; "" where the brokers know no users."""
    if settings.kafka_security_protocol == "PLAINTEXT":
        return ""
    return f" (or it is there, and hidden: {ACCESS_LISTS})"


async def _not_let_in(settings: Settings, failure: TransportError) -> ChurnwatchError:
    """Give what is to be raised where no connection was had: the failure, or a ConfigError that says what keeps us out."""
    why = await refusal(client_options(settings))
    if why is None:
        return failure
    return ConfigError(f"cannot work with Kafka at {settings.kafka_bootstrap}: {why}")


@asynccontextmanager
async def open_consumer(settings: Settings, **options: Any) -> AsyncIterator[AIOKafkaConsumer]:
    """Start a consumer outside any group (nothing is committed, nobody rebalances), and stop it again."""
    defaults = {"group_id": None, "enable_auto_commit": False, "auto_offset_reset": "earliest"}
    client = Consumer(**client_options(settings) | defaults | options)
    async with _running(settings, client, client.stop):
        yield client


@asynccontextmanager
async def open_producer(settings: Settings, **options: Any) -> AsyncIterator[AIOKafkaProducer]:
    """Start an idempotent producer, and flush and stop it again."""
    client = AIOKafkaProducer(**client_options(settings) | {"enable_idempotence": True, "acks": "all"} | options)
    async with _running(settings, client, client.stop):
        yield client


@asynccontextmanager
async def open_admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    """Start an admin client, and close it again."""
    client = AIOKafkaAdminClient(**client_options(settings))
    async with _running(settings, client, client.close):
        yield client


@asynccontextmanager
async def _running(settings: Settings, client: Any, stop: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    try:
        try:
            async with answering(settings):
                await client.start()
        except KafkaConnectionError as error:
            raise await _not_let_in(settings, unreachable(settings, "no connection")) from error
        except TransportError as error:
            raise await _not_let_in(settings, error) from error
        yield
    except KafkaConnectionError as error:
        raise unreachable(settings, "no connection") from error
    except KafkaError as error:
        raise unreachable(settings, error) from error
    finally:
        await stop()


@asynccontextmanager
async def answering(settings: Settings) -> AsyncIterator[None]:
    """Bound how long the brokers may take for what stands in the block.

    A broker that is reached may still advertise an address that is not, and then the client would wait for ever.
    """
    try:
        async with asyncio.timeout(settings.kafka_timeout_ms / 1000):
            yield
    except TimeoutError as error:
        why = f"no answer within {settings.kafka_timeout_ms / 1000:g} s (CHURNWATCH_KAFKA_TIMEOUT)"
        raise unreachable(settings, why) from error


@dataclass(frozen=True, slots=True)
class Cluster:
    """What the brokers say of themselves: partitions by topic, number of brokers, whether it is the in-process one."""

    partitions: Mapping[str, int]
    brokers: int
    embedded: bool

    def count(self, topic: str) -> int:
        """Give a topic's number of partitions; raises TransportError where there is no such topic."""
        if topic not in self.partitions:
            raise TransportError(f"topic {topic} does not exist; run `churnwatch topics create`")
        return self.partitions[topic]


async def describe(settings: Settings) -> Cluster:
    """Ask for all topics (asking for one by name would create it where the brokers do that) and the brokers."""
    async with open_admin(settings) as admin, answering(settings):
        topics = await admin.describe_topics()
        cluster = await admin.describe_cluster()
    return Cluster(
        partitions={topic["topic"]: len(topic["partitions"]) for topic in topics},
        brokers=len(cluster["brokers"]),
        embedded=str(cluster["cluster_id"]).startswith("mockCluster"),
    )
