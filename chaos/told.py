"""What Kafka had been told of a partition's alerts when Redis was wiped: those, and only those, must not be said again.

A worker commits once a second what is stored and acknowledged (`agents.lives`). Where a rebalance, a broker or an outage came in between,
it may have told nothing for longer; so Kafka is asked what it knows rather than how long ago it was said.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from aiokafka import OffsetAndMetadata, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from agents.lives import Committed, heard_of
from agents.meta import Said
from agents.outbox import decode_outgoing
from churnwatch.settings import Settings
from streams.time import parse_instant

ANSWER_SECONDS_MAX: Final = 3.0


class Wipe(NamedTuple):
    """Redis was wiped: when (epoch milliseconds), whether nothing had been attacked for a while, and what Kafka knew by partition.

    `known` is None where Kafka gave no answer. `on_their_way` are the alerts that still lay in an outbox: after an outage all that lies
    there is sent again, and may come after the wipe.
    """

    at_ms: int
    calm: bool
    known: Mapping[int, Said | None] | None
    on_their_way: frozenset[str] = frozenset()

    def covers(self, partition: int, alert: Mapping[str, Any]) -> bool:
        """Whether Kafka knew that this alert had been said, and nobody was about to send it again."""
        if alert["alert_id"] in self.on_their_way:
            return False
        said = None if self.known is None else self.known.get(partition)
        if said is None:
            return False
        trigger = alert["trigger"]
        if trigger["topic"] is not None:
            return int(trigger["offset"]) < said.offsets.get(trigger["topic"], 0)
        return parse_instant(alert["raised_at"]) <= said.clock_ms


def on_their_way(outbox: Iterable[bytes], topic: str) -> frozenset[str]:
    """The ids of the alerts, for that topic, in stored outboxes."""
    messages = map(decode_outgoing, outbox)
    return frozenset(json.loads(message.value or b"")["alert_id"] for message in messages if message.topic == topic)


def told(settings: Settings) -> dict[int, Said | None] | None:
    """What the workers' group has committed, by partition; None where Kafka does not answer."""
    try:
        places = asyncio.run(asyncio.wait_for(_committed(settings), ANSWER_SECONDS_MAX))
    except (KafkaError, TimeoutError):
        return None
    by_partition: dict[int, dict[str, Committed]] = defaultdict(dict)
    for place, (offset, note) in places.items():
        by_partition[place.partition][place.topic] = Committed(offset, note or "")
    return {partition: heard_of(known) for partition, known in by_partition.items()}


async def _committed(settings: Settings) -> dict[TopicPartition, OffsetAndMetadata]:
    # Not by librdkafka, whose binding reads on beyond the end of a note.
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    try:
        await admin.start()
        found: dict[TopicPartition, OffsetAndMetadata] = await admin.list_consumer_group_offsets(
            settings.kafka_group_id
        )
        return found
    finally:
        await admin.close()
