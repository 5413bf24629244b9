"""The topics: names, direction, and how they must be laid out in Kafka.

The key of everything that concerns a customer is the customer's id, so that one partition sees all of one customer. That holds only
where all input topics have the same number of partitions and every producer uses Kafka's own partitioner.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from streams.errors import ConfigError
from streams.events import STREAMS
from streams.murmur2 import murmur2

DEFAULTS: Final[Mapping[str, str]] = {
    "logins": "customer.logins",
    "orders": "customer.orders",
    "tickets": "customer.tickets",
    "reviews": "customer.reviews",
    "profiles": "customer.profiles",
    "cancellations": "customer.cancellations",
    "outcomes": "churn.outcomes",
    "alerts": "churn.alerts",
    "scores": "churn.scores",
    "examples": "churn.examples",
}
OPTIONAL_STREAMS: Final = frozenset({"profiles", "cancellations", "outcomes"})
"""Input streams that an installation may do without."""

DLQ_SUFFIX: Final = ".dlq"
DLQ_MESSAGE_BYTES_MAX: Final = 16 << 20
"""Dead letters carry what was too large elsewhere."""

NAME_CHARS_MAX: Final = 249 - len(DLQ_SUFFIX)
"""Kafka allows 249 characters, and dead letters need a name too."""

_LEGAL: Final = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """How a topic is to be created: `partitions` None means as many as the input topics have."""

    name: str
    partitions: int | None
    compacted: bool = False
    message_bytes_max: int | None = None


class Topics:
    """The topics' names with the common prefix, by what they are for.

    `names` overrides `DEFAULTS`, key by key. Raises ConfigError for a name that Kafka would refuse, or that two would share.

    >>> topics = Topics(prefix="eu.")
    >>> topics.inputs["orders"], topics.stream_of("eu.customer.orders"), topics.dlq("eu.customer.orders")
    ('eu.customer.orders', 'orders', 'eu.customer.orders.dlq')
    """

    def __init__(self, prefix: str = "", names: Mapping[str, str] | None = None) -> None:
        unknown = (names or {}).keys() - DEFAULTS.keys()
        if unknown:
            raise ConfigError(f"unknown topic setting {', '.join(sorted(unknown))}; there are {', '.join(DEFAULTS)}")
        chosen = {purpose: prefix + name for purpose, name in {**DEFAULTS, **(names or {})}.items()}
        _check(chosen)
        self.inputs: dict[str, str] = {stream: chosen[stream] for stream in STREAMS}
        self.alerts = chosen["alerts"]
        self.scores = chosen["scores"]
        self.examples = chosen["examples"]
        self._streams = {topic: stream for stream, topic in self.inputs.items()}

    def stream_of(self, topic: str) -> str:
        """Return the stream that an input topic carries; raises KeyError for any other topic."""
        return self._streams[topic]

    def dlq(self, topic: str) -> str:
        """Return the dead-letter topic of an input topic, or of the alerts'."""
        return topic + DLQ_SUFFIX

    def with_letters(self) -> list[str]:
        """Return the topics that have dead letters: the inputs, and the alerts, which a receiver may refuse."""
        return [*self.inputs.values(), self.alerts]

    def required(self) -> list[str]:
        """Return the input topics that every installation has."""
        return [topic for stream, topic in self.inputs.items() if stream not in OPTIONAL_STREAMS]

    def specs(self) -> list[TopicSpec]:
        """Return how every topic is to be created."""
        inputs = [TopicSpec(topic, None, compacted=stream == "profiles") for stream, topic in self.inputs.items()]
        letters = [
            TopicSpec(self.dlq(topic), None, message_bytes_max=DLQ_MESSAGE_BYTES_MAX) for topic in self.with_letters()
        ]
        outputs = [
            TopicSpec(self.alerts, None),
            TopicSpec(self.scores, None, compacted=True),
            TopicSpec(self.examples, 1),
        ]
        return [*inputs, *outputs, *letters]


def partition_for(key: bytes, partitions: int) -> int:
    """Return the partition that Kafka's default partitioner (murmur2) puts a key on.

    >>> partition_for(b"customer-1", 12)
    9
    """
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def _check(chosen: Mapping[str, str]) -> None:
    for purpose, name in chosen.items():
        if not _LEGAL.fullmatch(name) or len(name) > NAME_CHARS_MAX:
            raise ConfigError(
                f"the topic of {purpose} cannot be named {name[:NAME_CHARS_MAX]!r}: "
                f"1 to {NAME_CHARS_MAX} letters, digits, dots, underscores and hyphens"
            )
    letters = [chosen[purpose] + DLQ_SUFFIX for purpose in (*STREAMS, "alerts")]
    if len({*chosen.values(), *letters}) < len(chosen) + len(letters):
        raise ConfigError(f"two topics have the same name: give each its own, not ending in {DLQ_SUFFIX}")
