"""What a worker must be allowed to do in Kafka, and whether it is.

Asked once, at the worker's start: otherwise a right that is missing shows only when it is first needed, hours later perhaps (the first
alert), or not at all (a group that cannot be joined is waited for without a word).
"""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from churnwatch.faust_app import group_id
from churnwatch.kafka import Cluster, librdkafka_options
from churnwatch.kafka_refusals import ACCESS_LISTS
from churnwatch.settings import Settings
from streams.errors import ConfigError

SHOWN_MAX: Final = 6


def rights(settings: Settings) -> dict[str, set[str]]:
    """Return what a worker does with each of its topics: `read`, `write` (either includes `describe`)."""
    topics = settings.topics()
    own: dict[str, set[str]] = {}
    if settings.worker_role != "learner":
        own |= {topic: {"read"} for topic in topics.inputs.values()}
        own |= {topics.dlq(topic): {"write"} for topic in topics.inputs.values()}
        own |= {topics.alerts: {"write"}, topics.scores: {"write"}, topics.examples: {"write"}}
    if settings.learning_enabled and settings.worker_role != "partitions":
        own.setdefault(topics.examples, set()).add("read")
    return own


async def check_rights(settings: Settings, cluster: Cluster) -> None:
    """Return where the worker may do all that it must with the topics that there are, or where the brokers do not tell.

    Raises:
        ConfigError: something is missing; names what.
    """
    if cluster.embedded:
        return
    wanted = {topic: needs for topic, needs in rights(settings).items() if topic in cluster.partitions}
    missing = await asyncio.to_thread(_missing, settings, wanted)
    if missing:
        told = ", ".join(missing[:SHOWN_MAX]) + (f" and {len(missing) - SHOWN_MAX} more" if missing[SHOWN_MAX:] else "")
        raise ConfigError(f"Kafka at {settings.kafka_bootstrap} does not let us {told}; {ACCESS_LISTS}")


def _missing(settings: Settings, wanted: Mapping[str, set[str]]) -> list[str]:
    seconds = settings.kafka_timeout_ms / 1000
    client = AdminClient(librdkafka_options(settings))
    options: dict[str, Any] = {"include_authorized_operations": True, "request_timeout": seconds}
    topics = client.describe_topics(TopicCollection(list(wanted)), **options)
    groups = client.describe_consumer_groups([group_id(settings)], **options)
    found = [f"{need} {topic}" for topic, needs in wanted.items() for need in _lacking(topics[topic], needs, seconds)]
    return [
        *found,
        *(f"{need} the group {name}" for name, told in groups.items() for need in _lacking(told, {"read"}, seconds)),
    ]


def _lacking(answer: Any, needs: set[str], seconds: float) -> Iterator[str]:
    """Yield the needs that are not among the operations allowed; none where the brokers tell of none (before 2.3)."""
    try:
        allowed = answer.result(seconds).authorized_operations
    except KafkaException as error:
        denied = {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED}
        if error.args[0].code() in denied:
            yield from sorted(needs)
        return
    except TimeoutError:
        return
    names = {operation.name.lower() for operation in allowed or ()}
    if names:
        yield from sorted(needs - names)
