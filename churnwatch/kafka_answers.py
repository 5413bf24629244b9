"""Does Kafka answer for what a worker needs of it? Asked with clients of its own, before a worker that stands still blames itself."""

from __future__ import annotations

from collections.abc import Sequence

from aiokafka import TopicPartition
from aiokafka.errors import for_code

from churnwatch.faust_app import group_id
from churnwatch.kafka import answering, open_admin, open_consumer, unreachable
from churnwatch.settings import Settings


async def ask_kafka(settings: Settings, topics: Sequence[str], partitions: int, *, embedded: bool) -> None:
    """Ask every partition's leader for its end, and the group's coordinator for the group.

    The in-process broker (`embedded`) cannot be asked about groups. Raises TransportError where one does not answer.
    """
    wanted = [TopicPartition(topic, partition) for topic in topics for partition in range(partitions)]
    async with open_consumer(settings) as consumer, answering(settings):
        await consumer.end_offsets(wanted)
    if embedded:
        return
    async with open_admin(settings) as admin, answering(settings):
        for response in await admin.describe_consumer_groups([group_id(settings)]):
            for code in {group[0] for group in response.groups}:
                if code:
                    raise unreachable(settings, f"the group's coordinator says {for_code(code).__name__}")
