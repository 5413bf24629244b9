"""Redis loses what it holds, or Kafka what has yet to be taken in: the first is built again by itself, the second stops the worker."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from chaos.installation import PARTITIONS, Installation, installation
from chaos.logs import QUICK
from churnwatch.services import Services
from churnwatch.topic_layout import known_to_brokers
from tests.integration.worker_reference import Reference, assert_same, reference

pytestmark = pytest.mark.slow

COMMIT_SECONDS = 3.0
"""The group hears of what is stored and said once a second."""
KAFKA_SECONDS_MAX = 30.0


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return reference(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def lab(
    services: Services, topic_prefix: str, namespace: str, tmp_path: Path, shop: Reference
) -> Iterator[Installation]:
    settings = QUICK | {"clock": "replay", "replay_until_ms": shop.last_ms, "kafka_session_ms": "6s"}
    with installation(services, topic_prefix, namespace, tmp_path, **settings) as made:
        assert made.publish(shop.path) == len(shop.events)
        yield made


def wipe(lab: Installation) -> None:
    with lab.redis() as client:
        keys = list(client.scan_iter(f"{lab.settings.redis_namespace}:*", count=1000))
        assert keys
        client.delete(*keys)


def lives(lab: Installation) -> list[int]:
    return [meta.life for _, meta in sorted(lab.metas().items())]


def test_a_wiped_redis_is_filled_again_and_no_alert_is_sent_again(lab: Installation, shop: Reference) -> None:
    worker = lab.start()
    lab.until(shop.last_ms)
    assert_same(lab, shop.learning, shop.events)
    time.sleep(COMMIT_SECONDS)
    before, said = lives(lab), len(lab.alerts())
    assert said == len(shop.learning.alerts)
    wipe(lab)
    lab.wait_for(lambda: len(lab.metas()) == PARTITIONS and min(lives(lab)) > max(before))
    lab.until(shop.last_ms)
    assert_same(lab, shop.learning, shop.events)
    assert len(lab.alerts()) == said
    assert "The state of partition 0 was lost" in worker.log
    assert "The state of partition 0 is built again" in worker.log
    assert worker.terminate() == 0


def test_wiped_in_the_middle_and_behind_the_workers_back(lab: Installation, shop: Reference) -> None:
    worker = lab.start()
    lab.wait_for(lambda: lab.taken() >= len(shop.events) // 2)
    worker.kill()
    wipe(lab)
    lab.start()
    lab.until(shop.last_ms)
    assert_same(lab, shop.learning, shop.events)


def stops_and_says(lab: Installation, words: str) -> None:
    """A worker ends with 1 and says why and what to do; so does the doctor."""
    worker = lab.start()
    assert worker.wait(KAFKA_SECONDS_MAX) == 1
    last = worker.log.strip().splitlines()[-1]
    assert words in last
    assert "CHURNWATCH_REDIS_NAMESPACE" in last
    command = [sys.executable, "-c", "from churnwatch.cli import main; main()", "doctor", "--json"]
    told = subprocess.run(command, env=lab.environ(), capture_output=True, timeout=60, check=False)
    assert told.returncode == 1
    (finding,) = [
        f
        for f in json.loads(told.stdout)["findings"]
        if f["what"].endswith("customer.orders") and f["status"] == "fail"
    ]
    assert "CHURNWATCH_REDIS_NAMESPACE" in finding["advice"]


@pytest.mark.usefixtures("real_kafka")
def test_a_topic_created_anew_is_not_taken_for_the_old_one(lab: Installation, shop: Reference) -> None:
    worker = lab.start()
    lab.wait_for(lambda: lab.taken() >= len(shop.events) // 2)
    assert worker.terminate() == 0
    admin = AdminClient({"bootstrap.servers": lab.settings.kafka_bootstrap, "log_level": 0})
    orders = lab.settings.topics().inputs["orders"]
    admin.delete_topics([orders])[orders].result(KAFKA_SECONDS_MAX)
    admin.create_topics([NewTopic(orders, PARTITIONS, 1)])[orders].result(KAFKA_SECONDS_MAX)
    asyncio.run(known_to_brokers(lab.settings, [orders]))
    lab.publish(shop.path)
    stops_and_says(lab, "created anew")


@pytest.mark.usefixtures("real_kafka")
def test_records_that_kafka_has_dropped_are_not_skipped(lab: Installation, shop: Reference) -> None:
    worker = lab.start()
    lab.wait_for(lambda: lab.taken() >= len(shop.events) // 3)
    worker.kill()
    orders = lab.settings.topics().inputs["orders"]
    taken = {p: meta.offsets.get(orders, 0) for p, meta in lab.metas().items()}
    assert min(taken.values()) > 0
    admin = AdminClient({"bootstrap.servers": lab.settings.kafka_bootstrap, "log_level": 0})
    gone = admin.delete_records([TopicPartition(orders, p, offset + 2) for p, offset in taken.items()])
    for answer in gone.values():
        answer.result(KAFKA_SECONDS_MAX)
    stops_and_says(lab, "Kafka holds")
