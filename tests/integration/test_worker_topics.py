"""What lies in the topics beside events: gaps of compaction and of transactions, tombstones; and topics that do not fit together."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import OFFSET_END, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourceType

from agents.record import decode_customer
from chaos.installation import PARTITIONS, Installation, installation
from chaos.topics import read
from chaos.workers import WorkerProcess
from churnwatch.services import Services
from churnwatch.topic_layout import known_to_brokers
from streams.time import DAY_MS, parse_instant

START_MS = parse_instant("2024-05-01T12:00:00Z")
CUSTOMERS = [f"c{number}" for number in range(24)]
END_MS = START_MS + 40 * DAY_MS
HOUR_MS = DAY_MS // 24
ERASED = ("c3", "c5")
LAST = [f"last-{number}" for number in range(24)]
NODE_ID = "1"

_numbers = count(1)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("real_kafka")]


@pytest.fixture
def lab(services: Services, topic_prefix: str, namespace: str, tmp_path: Path) -> Iterator[Installation]:
    with installation(
        services,
        topic_prefix,
        namespace,
        tmp_path,
        clock="replay",
        replay_until_ms=END_MS,
        learning_enabled=False,
    ) as made:
        yield made


def stop(lab: Installation) -> None:
    assert {worker.terminate() for worker in lab.workers if worker.running} == {0}


def order(customer: str, day: float, name: str) -> bytes:
    at_ms = START_MS + int(day * DAY_MS)
    event_id = f"{customer}-{name}"
    fields = {"event_id": event_id, "customer_id": customer, "occurred_at": at_ms, "order_id": event_id, "amount": 10}
    return json.dumps(fields).encode()


def producer(lab: Installation, **options: str) -> Producer:
    base = {"bootstrap.servers": lab.settings.kafka_bootstrap, "partitioner": "murmur2_random", "log_level": 0}
    return Producer(base | options)


def begun(lab: Installation, values: dict[str, bytes]) -> Producer:
    """Write orders by customer in a transaction that is still open."""
    writer = producer(lab, **{"transactional.id": f"{lab.settings.topic_prefix}{next(_numbers)}"})
    writer.init_transactions(20)
    writer.begin_transaction()
    for customer, value in values.items():
        writer.produce(lab.settings.topics().inputs["orders"], value, customer)
    assert writer.flush(20) == 0
    return writer


def orders_of(lab: Installation) -> Counter[str]:
    held = lab.held().customers
    return Counter({customer: decode_customer(value).activity.orders for customer, value in held.items()})


def test_transactions_count_when_they_are_committed(lab: Installation) -> None:
    ghosts = [f"ghost-{number}" for number in range(24)]
    begun(lab, {customer: order(customer, 0, "a") for customer in CUSTOMERS}).commit_transaction(20)
    begun(lab, {ghost: order(ghost, 0.5, "b") for ghost in ghosts}).abort_transaction(20)
    begun(lab, {customer: order(customer, 1, "c") for customer in CUSTOMERS[::2]}).commit_transaction(20)
    begun(lab, {customer: order(customer, 2, "d") for customer in CUSTOMERS}).abort_transaction(20)
    slow = begun(lab, {customer: order(customer, 3, "e") for customer in CUSTOMERS})
    worker = lab.start()
    lab.until(END_MS)  # what is still open holds nobody up
    expected = Counter(CUSTOMERS) + Counter(CUSTOMERS[::2])
    assert orders_of(lab) == expected
    assert worker.get("/readyz") == (200, '{"ok": true, "reasons": []}')
    slow.commit_transaction(20)
    expected += Counter(CUSTOMERS)
    lab.wait_for(lambda: orders_of(lab) == expected)
    lab.wait_for(lambda: worker.events() == {lab.settings.topics().inputs["orders"]: Counter(read=60, applied=60)})
    lab.wait_for(lambda: lag_of(worker) == 0)
    stop(lab)

    # A successor goes on from stored offsets that lie before the last markers.
    begun(lab, {customer: order(customer, 41, "f") for customer in CUSTOMERS}).commit_transaction(20)
    lab.start(REPLAY_UNTIL=str(END_MS + DAY_MS))
    lab.until(END_MS + DAY_MS)
    assert orders_of(lab) == expected + Counter(CUSTOMERS)
    stop(lab)


def lag_of(worker: WorkerProcess) -> float:
    return sum(value for (name, _), value in worker.metrics().items() if name == "churnwatch_lag_events")


def test_a_compacted_topic_with_tombstones(lab: Installation, services: Services) -> None:
    topic = lab.settings.topics().inputs["profiles"]
    admin = AdminClient({"bootstrap.servers": services.bootstrap, "log_level": 0})
    alter(admin, ResourceType.BROKER, NODE_ID, {"log.cleaner.backoff.ms": "100"})
    eager = {"segment.ms": "1000", "min.cleanable.dirty.ratio": "0.001", "max.compaction.lag.ms": "100"}
    alter(admin, ResourceType.TOPIC, topic, eager)
    # Far apart in Kafka's own time, so that each plan is in a segment of its own.
    for hour, plan in enumerate(("bronze", "silver", "gold")):
        write(lab, "profiles", {customer: profile(customer, plan) for customer in CUSTOMERS}, hour)
    write(lab, "profiles", dict.fromkeys(ERASED), 24)
    begun(lab, {customer: order(customer, 1.5, "a") for customer in CUSTOMERS}).commit_transaction(20)
    write(lab, "profiles", {customer: profile(customer, "gold") for customer in LAST}, 48)
    # And a topic of which Kafka has deleted the beginning.
    write(lab, "logins", {customer: login(customer, "old") for customer in CUSTOMERS})
    delete_all(admin, lab.settings.topics().inputs["logins"])
    write(lab, "logins", {customer: login(customer, "new") for customer in CUSTOMERS})
    kept = len(CUSTOMERS) + len(LAST)
    lab.wait_for(lambda: len(read(lab.settings, topic)) == kept)
    worker = lab.start()
    lab.until(END_MS)
    held = {customer: decode_customer(value) for customer, value in lab.held().customers.items()}
    plans = {customer: state.attributes and state.attributes.plan for customer, state in held.items()}
    assert plans == dict.fromkeys([*CUSTOMERS, *LAST], "gold") | dict.fromkeys(ERASED)
    assert orders_of(lab) == Counter(CUSTOMERS)
    assert worker.events()[topic] == Counter(read=kept, applied=kept)
    assert worker.events()[lab.settings.topics().inputs["logins"]] == Counter(read=24, applied=24)
    stop(lab)


def profile(customer: str, plan: str) -> bytes:
    fields = {"event_id": f"{customer}-{plan}", "customer_id": customer, "occurred_at": START_MS, "plan": plan}
    return json.dumps(fields).encode()


def login(customer: str, name: str) -> bytes:
    fields = {"event_id": f"{customer}-{name}", "customer_id": customer, "occurred_at": START_MS + HOUR_MS}
    return json.dumps(fields).encode()


def write(lab: Installation, stream: str, values: Mapping[str, bytes | None], hour: int | None = None) -> None:
    """Write events, or tombstones, that Kafka takes for `hour` hours younger than the log's start.

    Only to a compacted topic: from another Kafka deletes what is that old whenever it looks, every five minutes.
    """
    writer, at_ms = producer(lab), 0 if hour is None else START_MS + hour * HOUR_MS  # 0 is now
    for customer, value in values.items():
        writer.produce(lab.settings.topics().inputs[stream], value, customer, timestamp=at_ms)
    assert writer.flush(20) == 0


def delete_all(admin: AdminClient, topic: str) -> None:
    ends = [TopicPartition(topic, number, OFFSET_END) for number in range(PARTITIONS)]
    for done in admin.delete_records(ends).values():
        done.result(20)


def alter(admin: AdminClient, kind: Any, name: str, values: dict[str, str]) -> None:
    entries = [ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET) for key, value in values.items()]
    for done in admin.incremental_alter_configs([ConfigResource(kind, name, incremental_configs=entries)]).values():
        done.result(20)


def test_topics_of_different_size_are_refused_by_name(
    services: Services, topic_prefix: str, namespace: str, tmp_path: Path, create_topics: Callable[..., None]
) -> None:
    with installation(services, topic_prefix, namespace, tmp_path, create_all=False) as lab:
        topics = lab.settings.topics()
        create_topics([topic for topic in topics.required() if topic != topics.inputs["orders"]], 4)
        create_topics([topics.inputs["orders"]], 2)
        create_topics([topics.examples], 1)
        asyncio.run(known_to_brokers(lab.settings, [*topics.required(), topics.examples]))
        worker = lab.start()
        assert worker.wait() == 1
        said = worker.log.strip().splitlines()[-1]
        assert f"{topics.inputs['orders']}: 2" in said
        assert all(f"{topic}: 4" in said for topic in topics.required() if topic != topics.inputs["orders"])
        assert lab.metas() == {}


def test_missing_topics_are_named(
    services: Services, topic_prefix: str, namespace: str, tmp_path: Path, create_topics: Callable[..., None]
) -> None:
    with installation(services, topic_prefix, namespace, tmp_path, create_all=False) as lab:
        topics = lab.settings.topics()
        create_topics([topics.inputs["orders"]], 4)
        worker = lab.start()
        assert worker.wait() == 1
        said = worker.log.strip().splitlines()[-1]
        assert all(topics.inputs[stream] in said for stream in ("logins", "tickets", "reviews"))
        assert "churnwatch topics create" in said
