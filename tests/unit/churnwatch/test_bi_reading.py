"""Whoever was erased and came back keeps what was told since, whichever topic is read first."""

from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace
from typing import Any, Final

import pytest
from aiokafka import TopicPartition

from bi.catalog import BY_NAME
from bi.messages import KINDS
from churnwatch.bi_chunk import Loader, hashed
from churnwatch.bi_database import Change
from churnwatch.bi_metrics import BiMetrics
from churnwatch.bi_reading import Reading
from churnwatch.settings import Settings
from streams.codec import Limits

ORDER: Final = b'{"event_id": "e%d", "customer_id": "ann", "occurred_at": 1704067200000, "order_id": "o", "amount": 5}'
EVENT_ID: Final = BY_NAME["fact_order"].names.index("event_id")
ORDERS, SCORES = TopicPartition("customer.orders", 0), TopicPartition("churn.scores", 0)
ERASED_MS: Final = 1_000


class Broker:
    """A partition of orders and one of scores, as aiokafka reads them; orders come first where both are asked for."""

    def __init__(self) -> None:
        self.logs: dict[TopicPartition, list[Any]] = {ORDERS: [], SCORES: []}
        self.at: dict[TopicPartition, int] = defaultdict(int)

    def write(self, tp: TopicPartition, timestamp: int, value: bytes | None) -> None:
        place = {"topic": tp.topic, "partition": 0, "offset": len(self.logs[tp]), "timestamp": timestamp}
        self.logs[tp].append(SimpleNamespace(**place, key=b"ann", value=value, headers=()))

    def order(self, timestamp: int) -> None:
        self.write(ORDERS, timestamp, ORDER % timestamp)

    async def getmany(self, *tps: TopicPartition, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Any]]:
        for tp in tps:
            if found := self.logs[tp][self.at[tp] :][:max_records]:
                self.at[tp] += len(found)
                return {tp: found}
        return {}

    async def end_offsets(self, tps: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {tp: len(self.logs[tp]) for tp in tps}

    async def position(self, tp: TopicPartition) -> int:
        return self.at[tp]

    def highwater(self, tp: TopicPartition) -> int:
        return len(self.logs[tp])


class Base:
    """Orders of one customer, and when she was erased: what `Database.apply` does with them."""

    def __init__(self) -> None:
        self.orders: set[str] = set()
        self.gone: dict[str, Any] = {}

    async def erased(self, hashes: list[str]) -> dict[str, Any]:
        return {known: self.gone[known] for known in hashes if known in self.gone}

    async def apply(self, change: Change) -> None:
        if change.gone:
            assert change.gone == {hashed("ann"): "ann"}
            self.orders.clear()
            self.gone |= change.erased
        self.orders |= {str(row[EVENT_ID]) for row in change.rows.of("fact_order")}


def reading(broker: Broker, base: Any, partitions: list[TopicPartition]) -> tuple[Reading, BiMetrics]:
    settings, metrics = Settings(bi_chunk_max=100), BiMetrics()
    topics = settings.topics()
    kinds = {(topics.inputs | {"alerts": topics.alerts, "scores": topics.scores})[kind]: kind for kind in KINDS}
    loader = Loader(base, kinds, Limits(), {}, metrics)
    consumer: Any = broker
    return Reading(settings, consumer, consumer, partitions, loader, base, metrics), metrics


@pytest.mark.parametrize("partitions", [[ORDERS, SCORES], [SCORES, ORDERS]], ids=["orders first", "scores first"])
async def test_what_was_told_since_an_erasure_stays(partitions: list[TopicPartition]) -> None:
    broker, base = Broker(), Base()
    told, metrics = reading(broker, base, partitions)
    broker.order(ERASED_MS - 1)
    broker.order(ERASED_MS)
    while not await told.loaded_up_to(await told.ends()):
        await told.turn()
    assert base.orders == {"e999", "e1000"}
    broker.write(SCORES, ERASED_MS, None)
    broker.order(ERASED_MS)  # on its way when she was erased
    broker.order(ERASED_MS + 1)
    while not await told.loaded_up_to(await told.ends()):
        await told.turn()
    assert base.orders == {"e1001"}
    assert metrics.lag == 0


async def test_what_is_held_is_not_loaded_yet() -> None:
    broker, base = Broker(), Base()
    told, metrics = reading(broker, base, [ORDERS, SCORES])
    broker.order(2)
    broker.write(SCORES, 1, None)
    await told.turn()
    assert (base.orders, metrics.lag, await told.loaded_up_to({ORDERS: 1})) == (set(), 2, False)
    await told.turn()
    await told.turn()
    assert (base.orders, metrics.lag, await told.loaded_up_to(await told.ends())) == ({"e2"}, 0, True)


async def test_without_a_topic_of_scores_nothing_is_waited_for() -> None:
    broker, base = Broker(), Base()
    told, _ = reading(broker, base, [ORDERS])
    broker.order(1)
    await told.turn()
    assert base.orders == {"e1"}
