"""The doctor's look at the stored state beside the log that it is made from: do they still belong together?

A worker goes on from the offsets in Redis. Where Kafka no longer holds what comes next, or a topic is another one under an old
name, it stops rather than skip anything; here the same is told beforehand, for all partitions and without a worker.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from aiokafka import TopicPartition
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from agents.meta import Meta
from churnwatch.finding import Finding
from churnwatch.kafka import Cluster, librdkafka_options
from churnwatch.lives import topic_ids
from churnwatch.settings import Settings
from churnwatch.topic_reader import offsets

AFRESH: Final = (
    "restore the topic from a copy, or start afresh: another CHURNWATCH_REDIS_NAMESPACE, and `churnwatch bootstrap` for what "
    "files still hold"
)


async def look_at_log(settings: Settings, cluster: Cluster, metas: Sequence[Meta | None]) -> list[Finding]:
    """Ask Kafka what it holds and judge whether the partitions' states can go on from there."""
    topics = [topic for topic in settings.topics().inputs.values() if topic in cluster.partitions]
    begins, ends = await offsets(settings, cluster, topics)
    found = list(judge(metas, begins, ends, await topic_ids(settings, topics)))
    # An embedded broker knows of no groups; without a right to ask there is no answer either.
    members = None if cluster.embedded else await asyncio.to_thread(_members, settings)
    return found if members is None else [*found, judge_workers(members, waiting(metas, begins, ends))]


def _members(settings: Settings) -> int | None:
    """How many take part in the workers' consumer group."""
    seconds, group = settings.kafka_timeout_ms / 1000, settings.kafka_group_id
    admin = AdminClient(librdkafka_options(settings))
    try:
        return len(admin.describe_consumer_groups([group], request_timeout=seconds)[group].result(seconds).members)
    except (KafkaException, TimeoutError):
        return None


def waiting(
    metas: Sequence[Meta | None], begins: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
) -> int:
    """Return the records of the input topics that no state reflects yet. Pure."""
    count = 0
    for tp, end in ends.items():
        meta = metas[tp.partition] if tp.partition < len(metas) else None
        taken = 0 if meta is None else meta.offsets.get(tp.topic, 0)
        count += max(0, end - max(taken, begins.get(tp, 0)))
    return count


def judge_workers(members: int, records: int) -> Finding:
    """Judge whether somebody works off what waits. Pure."""
    if members:
        return Finding("workers", "ok", f"{members} in the consumer group; {records:,} records are to be taken in")
    if records:
        found = f"none is in the consumer group, and {records:,} records wait"
        return Finding(
            "workers", "warn", found, "start one: `churnwatch worker`; if one should run, look at its last lines"
        )
    return Finding(
        "workers", "warn", "none is in the consumer group", "nobody hears a silence: start `churnwatch worker`"
    )


def judge(
    metas: Sequence[Meta | None],
    begins: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
    ids: Mapping[str, str],
) -> Iterator[Finding]:
    """Say of each topic whether every partition's state can go on. Pure.

    Args:
        metas: the partitions' bookkeeping, None where there is no state.
        begins: the oldest offset that Kafka holds.
        ends: the next to be written.
        ids: Kafka's own ids of the topics.
    """
    wrong: dict[str, str] = {}
    for partition, meta in enumerate(metas):
        for topic, offset in {} if meta is None else meta.offsets.items():
            begin, end = begins.get(TopicPartition(topic, partition)), ends.get(TopicPartition(topic, partition))
            before = "" if meta is None else meta.topic_ids.get(topic, "")
            if not offset:
                continue
            if begin is None or end is None:
                wrong[topic] = f"the topic is gone, and the state reflects {offset} records of partition {partition}"
            elif topic in ids and before and ids[topic] != before:
                wrong[topic] = "it was created anew; the state is of the topic that had this name before"
            elif not begin <= offset <= end:
                wrong[topic] = (
                    f"partition {partition}: the state goes on at offset {offset}, Kafka holds {begin} to {end}"
                )
    for topic, found in sorted(wrong.items()):
        yield Finding(f"log {topic}", "fail", found, AFRESH)
    rebuilt = sum(meta is not None and meta.said is not None for meta in metas)
    if rebuilt:
        found = f"Redis had lost {rebuilt} of {len(metas)} partitions; they are being built again from Kafka"
        yield Finding("log", "warn", found, "wait: what was said before is not said again")
    elif not wrong:
        yield Finding("log", "ok", "Kafka holds all that the state has yet to take in")
