"""A Kafka and a Redis for as long as they are needed: real ones, embedded ones, or the best that this machine has."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Literal

from churnwatch.child import ServiceError
from churnwatch.embedded import EmbeddedKafka, EmbeddedRedis
from churnwatch.kafka_jars import kafka_home
from churnwatch.servers import RealKafka, RealRedis

Kind = Literal["auto", "real", "embedded"]
KINDS: tuple[Kind, ...] = ("auto", "real", "embedded")


@dataclass(frozen=True, slots=True)
class Services:
    """Where the running Kafka and Redis are, and what they are.

    `why_embedded` says in a sentence why a real one is missing; it is empty where both are real.
    """

    bootstrap: str
    redis_url: str
    kafka_name: str
    redis_name: str
    real_kafka: bool
    real_redis: bool
    why_embedded: str = ""

    @property
    def description(self) -> str:
        """One line that says what is used."""
        return f"Kafka: {self.kafka_name} at {self.bootstrap}; Redis: {self.redis_name} at {self.redis_url}"


@contextmanager
def start_services(
    kind: Kind = "auto",
    *,
    prefer_real_kafka: bool = False,
    kafka_port: int | None = None,
    redis_port: int | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[Services]:
    """Start a Kafka and a Redis on loopback and stop them at the end of the block, however it ends.

    `kind`: "real" means Apache Kafka and redis-server, or ServiceError where they cannot be had; "embedded" needs nothing
    installed; "auto" is the machine's redis-server where there is one, and librdkafka's in-process broker, or with
    `prefer_real_kafka` Apache Kafka where Java and Maven are at hand. `say` hears of anything that takes long. The ports are
    first choices for real servers; by default any free one is taken.
    """
    with ExitStack() as stack:
        kafka, no_kafka = _start_kafka(kind, prefer_real=prefer_real_kafka, port=kafka_port, say=say)
        stack.callback(kafka.stop)
        redis, no_redis = _start_redis(kind, redis_port)
        stack.callback(redis.stop)
        yield Services(
            bootstrap=kafka.bootstrap,
            redis_url=redis.url,
            kafka_name=kafka.name,
            redis_name=redis.name,
            real_kafka=isinstance(kafka, RealKafka),
            real_redis=isinstance(redis, RealRedis),
            why_embedded="; ".join(reason for reason in (no_kafka, no_redis) if reason),
        )


def _start_kafka(
    kind: Kind, *, prefer_real: bool, port: int | None, say: Callable[[str], None]
) -> tuple[RealKafka | EmbeddedKafka, str]:
    """Start the Kafka that `kind` asks for; the text says why it is not a real one."""
    why = ""
    if kind == "real" or (kind == "auto" and prefer_real):
        try:
            return RealKafka(kafka_home(say, ask_again=kind == "real"), port), ""
        except ServiceError as error:
            if kind == "real":
                raise
            why = str(error)
    return EmbeddedKafka(), why


def _start_redis(kind: Kind, port: int | None) -> tuple[RealRedis | EmbeddedRedis, str]:
    """Start the Redis that `kind` asks for; the text says why it is not a real one."""
    why = ""
    if kind != "embedded":
        try:
            return RealRedis(port), ""
        except ServiceError as error:
            if kind == "real":
                raise
            why = str(error)
    return EmbeddedRedis(), why
