"""Workers are killed, started, joined and left in the middle of a log: nothing is lost, nothing doubled."""

import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from chaos.installation import Installation, installation
from chaos.logs import QUICK
from churnwatch.services import Services
from tests.integration.worker_reference import Reference, assert_same, reference

pytestmark = pytest.mark.slow

# Small steps, so that there is a middle to be killed in.
OK = 200
HEARTBEAT_SECONDS = 20 / 4 + 1
STEPS = {"chunk_events_max": 40, "wakes_per_step_max": 40}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return reference(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def lab(
    services: Services, topic_prefix: str, namespace: str, tmp_path: Path, shop: Reference
) -> Iterator[Installation]:
    settings = QUICK | STEPS | {"clock": "replay", "replay_until_ms": shop.last_ms, "kafka_session_ms": "6s"}
    with installation(services, topic_prefix, namespace, tmp_path, **settings) as made:
        assert made.publish(shop.path) == len(shop.events)
        yield made


def test_killed_in_the_middle(lab: Installation, shop: Reference) -> None:
    random = Random(11)
    moments = sorted(random.sample(range(200, len(shop.events) - 500), 3))
    frozen = {"LEARNING_ENABLED": "off", "MODEL_FILE": str(shop.model)}
    reached = []
    for moment in moments:
        worker = lab.start(**frozen)
        lab.wait_for(lambda moment=moment: lab.taken() >= moment)  # type: ignore[misc]
        worker.kill()
        reached.append(lab.taken())
    assert 0 < reached[0] <= reached[1] <= reached[2] < len(shop.events), "killed in the middle"
    lab.start(**frozen)
    lab.until(shop.last_ms)
    assert lab.taken() == len(shop.events)
    assert_same(lab, shop.frozen, shop.events)


def test_killed_while_learning(lab: Installation, shop: Reference) -> None:
    worker = lab.start()
    lab.wait_for(lambda: lab.taken() >= len(shop.events) // 2)
    worker.kill()
    assert lab.taken() < len(shop.events)
    lab.start()
    lab.until(shop.last_ms)
    assert_same(lab, shop.learning, shop.events)


@pytest.mark.usefixtures("real_kafka")
def test_a_second_worker_comes_and_goes(lab: Installation, shop: Reference) -> None:
    first = lab.start(KAFKA_SESSION="20s")
    lab.wait_for(lambda: lab.taken() >= len(shop.events) // 5)
    first.freeze()  # or it would be through before the second one is up
    frozen = time.monotonic()
    second = lab.start(KAFKA_SESSION="20s")
    # With a heartbeat overdue, it hears of the second one as soon as it wakes.
    lab.wait_for(lambda: second.get("/healthz")[0] == OK and time.monotonic() - frozen > HEARTBEAT_SECONDS)
    first.thaw()
    lab.wait_for(lambda: bool(second.events()))
    assert second.terminate() == 0
    lab.until(shop.last_ms)
    assert sum(found["read"] for found in first.events().values()) < len(shop.events), "the second one has worked"
    assert_same(lab, shop.learning, shop.events)
    assert first.terminate() == 0


@pytest.mark.usefixtures("real_kafka")
def test_one_that_has_lost_its_partitions_without_knowing(lab: Installation, shop: Reference) -> None:
    zombie = lab.start()
    lab.wait_for(lambda: lab.taken() >= len(shop.events) // 3)
    zombie.freeze()
    reached = lab.taken()
    assert reached < len(shop.events)
    lab.start()
    lab.wait_for(lambda: lab.taken() >= (reached + len(shop.events)) // 2)
    zombie.thaw()
    lab.until(shop.last_ms)
    assert_same(lab, shop.learning, shop.events)
    assert {worker.terminate() for worker in lab.workers} == {0}
