"""What Kafka had been told of a partition's alerts when Redis was wiped: those, and only those, must not be said again.

A worker commits once a second what is stored and acknowledged (`agents.lives`). Where a rebalance, a broker or an outage came in between,
it may have told nothing for longer; so Kafka is asked what it knows rather than how long ago it was said.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException
from confluent_kafka.admin import AdminClient

from agents.lives import Committed, heard_of
from agents.meta import Said
from churnwatch.settings import Settings
from streams.time import parse_instant

ANSWER_SECONDS_MAX: Final = 3.0


class Wipe(NamedTuple):
    """Redis was wiped: when (epoch milliseconds), whether nothing had been attacked for a while, and what Kafka knew by partition.

    `known` is None where Kafka gave no answer.
    """

    at_ms: int
    calm: bool
    known: Mapping[int, Said | None] | None

    def covers(self, partition: int, alert: Mapping[str, Any]) -> bool:
        """Whether Kafka knew that this alert had been said."""
        said = None if self.known is None else self.known.get(partition)
        if said is None:
            return False
        trigger = alert["trigger"]
        if trigger["topic"] is not None:
            return int(trigger["offset"]) < said.offsets.get(trigger["topic"], 0)
        return parse_instant(alert["raised_at"]) <= said.clock_ms


def told(settings: Settings) -> dict[int, Said | None] | None:
    """What the workers' group has committed, by partition; None where Kafka does not answer."""
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap, "log_level": 0})
    group = ConsumerGroupTopicPartitions(settings.kafka_group_id)
    try:
        asked = admin.list_consumer_group_offsets([group], request_timeout=ANSWER_SECONDS_MAX)
        places = asked[settings.kafka_group_id].result(ANSWER_SECONDS_MAX).topic_partitions
    except (KafkaException, TimeoutError):
        return None
    by_partition: dict[int, dict[str, Committed]] = defaultdict(dict)
    for place in places:
        by_partition[place.partition][place.topic] = Committed(place.offset, place.metadata or "")
    return {partition: heard_of(known) for partition, known in by_partition.items()}
