"""The doctor's look at the stored state beside the log that it is made from: do they still belong together?

A worker goes on from the offsets in Redis. Where Kafka no longer holds what comes next, or a topic is another one under an old
name, it stops rather than skip anything; here the same is told beforehand, for all partitions and without a worker.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from aiokafka import TopicPartition

from agents.meta import Meta
from churnwatch.finding import Finding
from churnwatch.kafka import Cluster
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
    return list(judge(metas, begins, ends, await topic_ids(settings, topics)))


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
            if not offset or begin is None or end is None:
                continue
            if topic in ids and before and ids[topic] != before:
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
