"""Whether the topics are laid out as they must be, and making those that are missing.

A customer's events of all kinds must meet on one partition, so all input topics need the same number of partitions.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from aiokafka.admin import NewTopic
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    for_code,
)

from churnwatch.kafka import Cluster, answering, describe, open_admin
from churnwatch.kafka_refusals import ACCESS_LISTS
from churnwatch.settings import Settings
from streams.errors import TransportError
from streams.topics import Topics, TopicSpec

SETTLE_SECONDS: Final = 0.1
DENIED: Final = (TopicAuthorizationFailedError, ClusterAuthorizationFailedError)

Status = Literal["ok", "missing", "optional", "wrong"]


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic as found: its partitions (None where it does not exist), how many there should be, and what to do."""

    name: str
    partitions: int | None
    wanted: int | None
    status: Status
    advice: str = ""


def common_count(counts: Iterable[int]) -> int | None:
    """Give the number of partitions that all topics have; None where they differ, or where there is no topic.

    >>> common_count([4, 4]), common_count([4, 6]), common_count([])
    (4, None, None)
    """
    distinct = set(counts)
    return distinct.pop() if len(distinct) == 1 else None


def layout(topics: Topics, cluster: Cluster) -> list[TopicState]:
    """Compare the topics that there are with those that there must be. Pure."""
    inputs = {topic: cluster.partitions[topic] for topic in topics.inputs.values() if topic in cluster.partitions}
    common = common_count(inputs.values())
    return [_state(spec, topics, cluster, inputs, common) for spec in topics.specs()]


def _state(spec: TopicSpec, topics: Topics, cluster: Cluster, inputs: dict[str, int], common: int | None) -> TopicState:
    name, found = spec.name, cluster.partitions.get(spec.name)
    if found is None:
        if cluster.embedded:
            return TopicState(name, None, None, "ok", "the in-process broker makes it when it is first used")
        optional = name in topics.inputs.values() and name not in topics.required()
        wanted = spec.partitions or common
        return TopicState(name, None, wanted, "optional" if optional else "missing", "run `churnwatch topics create`")
    if name in inputs and common is None:
        others = ", ".join(f"{topic}: {count}" for topic, count in inputs.items())
        return TopicState(name, found, None, "wrong", f"input topics need equal numbers of partitions ({others})")
    if spec.partitions is not None and found != spec.partitions and not cluster.embedded:
        return TopicState(
            name, found, spec.partitions, "wrong", f"it needs {spec.partitions}: delete it, create it anew"
        )
    return TopicState(name, found, found, "ok")


async def create(settings: Settings) -> list[str]:
    """Create the topics that are missing and give their names; new ones take after the input topics that exist.

    Raises:
        TransportError: existing input topics differ in their partitions, or the brokers refuse.
    """
    topics, cluster = settings.topics(), await describe(settings)
    if cluster.embedded:
        raise TransportError(
            "librdkafka's in-process broker cannot create topics; nothing is to be done: it makes each one, "
            "with 4 partitions, when it is first used"
        )
    wrong = [state for state in layout(topics, cluster) if state.status == "wrong"]
    if wrong:
        raise TransportError(f"{wrong[0].name} has {wrong[0].partitions} partitions: {wrong[0].advice}")
    known = [cluster.partitions[topic] for topic in topics.inputs.values() if topic in cluster.partitions]
    partitions = known[0] if known else settings.topic_partitions
    missing = [spec for spec in topics.specs() if spec.name not in cluster.partitions]
    await _create(settings, missing, partitions)
    await known_to_brokers(settings, [spec.name for spec in missing])
    return [spec.name for spec in missing]


async def _create(settings: Settings, specs: Sequence[TopicSpec], partitions: int) -> None:
    if not specs:
        return
    wanted = [
        NewTopic(
            name=spec.name,
            num_partitions=spec.partitions or partitions,
            replication_factor=settings.topic_replication,
            topic_configs=_configs(spec),
        )
        for spec in specs
    ]
    async with open_admin(settings) as admin, answering(settings):
        response = await admin.create_topics(wanted)
    for name, code, *message in response.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            said = message[0] if message and message[0] else error.__name__
            advice = (
                ACCESS_LISTS if error in DENIED else "look at CHURNWATCH_TOPIC_REPLICATION and CHURNWATCH_TOPIC_PREFIX"
            )
            raise TransportError(f"topic {name} was not created: {said}; {advice}")


async def known_to_brokers(settings: Settings, names: Iterable[str]) -> None:
    """Return when the brokers tell of the topics: the controller, which makes them, is some milliseconds ahead.

    Raises:
        TransportError: they do not within CHURNWATCH_KAFKA_TIMEOUT.
    """
    async with answering(settings):
        missing = set(names)
        while missing := missing - (await describe(settings)).partitions.keys():  # noqa: ASYNC110 - it is in other processes
            await asyncio.sleep(SETTLE_SECONDS)


def _configs(spec: TopicSpec) -> dict[str, str]:
    configs = {"cleanup.policy": "compact"} if spec.compacted else {}
    if spec.message_bytes_max is not None:
        configs["max.message.bytes"] = str(spec.message_bytes_max)
    return configs
