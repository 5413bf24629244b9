"""What stands in for the world where there is neither Kafka nor Redis.

A runner needs a source that files feed, and nobody to wait for; a backtest has no runner, and keeps its customers itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from typing_extensions import override

from agents.announce import Herald
from agents.effects import Effects
from agents.lives import Committed
from agents.record import Customer, decode_customer, encode_customer
from agents.runner import PartitionRunner
from alerts.bands import Band
from alerts.episode import Basis
from models.guide import Guide
from streams.codec import Arrival, Rejected
from streams.errors import StateError


class FileSource:
    """All records come by `push`; the log ends when the files do."""

    def __init__(self) -> None:
        self.ended = False

    def at_end(self, topic: str) -> bool:  # noqa: ARG002 - the port's
        return self.ended

    async def committed(self) -> Mapping[str, Committed]:
        """There is no consumer group."""
        return {}

    async def start_from(self, offsets: Mapping[str, int]) -> None:
        """There is one place to start from."""

    def pause(self, topic: str) -> None:
        """Nothing comes unasked."""

    def resume(self, topic: str) -> None:
        """Nothing comes unasked."""

    def stored(self, offsets: Mapping[str, int], note: str = "") -> None:
        """Nothing is committed."""


class OfflineObserver:
    """What cannot happen in memory."""

    def published(self, runner: PartitionRunner, effects: Effects) -> None:
        """Nothing waits for an acknowledgement."""

    def answered(self) -> None:
        """Memory always answers."""

    def waiting(self, partition: int, why: StateError) -> None:
        """Memory always answers."""

    def fenced(self, partition: int) -> None:
        """There is no other writer."""


class AlertHerald(Herald):
    """Tells of alerts alone: the score topic has no readers here, and a message of it costs as much as a third of a look."""

    @override
    def publish_score(
        self,
        customer_id: str,
        customer: Customer,
        band: Band,
        segment: str,
        basis: Basis,
        guide: Guide,
        effects: Effects,
    ) -> None:
        """Note the new band."""
        customer.band = band


class Population(dict[str, Customer]):
    """Customer ids to states; more than `kept_max` are kept in their stored form until they are wanted again."""

    def __init__(self, kept_max: int) -> None:
        super().__init__()
        self._kept_max = kept_max
        self._written: dict[str, bytes] = {}

    def fetch(self, items: list[Arrival | Rejected], due: list[tuple[str, int]]) -> None:
        """Bring back whom a step may want."""
        written = self._written
        if written:
            wanted = {item.event.customer_id for item in items if type(item) is Arrival}
            wanted.update(customer_id for customer_id, _ in due)
            for customer_id in wanted & written.keys():
                self[customer_id] = decode_customer(written.pop(customer_id))

    def trim(self) -> None:
        """Write down those that have been here for longest, down to the bound."""
        for customer_id in list(islice(self, max(len(self) - self._kept_max, 0))):
            self._written[customer_id] = encode_customer(self.pop(customer_id))

    def leave(self) -> Iterator[tuple[str, Customer]]:
        """Give everybody, and let them go."""
        while self._written:
            customer_id, value = self._written.popitem()
            yield customer_id, decode_customer(value)
        while self:
            yield self.popitem()
