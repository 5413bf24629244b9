"""What the workers make of a log through Kafka and Redis is what the backtest makes of the file, byte for byte."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos.installation import Installation, installation
from chaos.logs import QUICK
from churnwatch import compose
from churnwatch.services import Services
from models.learner import Learner
from tests.integration.worker_reference import Reference, assert_same, reference

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return reference(tmp_path_factory.mktemp("shop"))


@pytest.fixture
def lab(
    services: Services, topic_prefix: str, namespace: str, tmp_path: Path, shop: Reference
) -> Iterator[Installation]:
    with installation(
        services, topic_prefix, namespace, tmp_path, clock="replay", replay_until_ms=shop.last_ms, **QUICK
    ) as made:
        yield made


@pytest.fixture
def workers(services: Services) -> int:
    """How many workers to start: the embedded broker knows no second one."""
    return 2 if services.real_kafka else 1


def stop_all(lab: Installation) -> None:
    assert {worker.terminate() for worker in lab.workers if worker.running} == {0}


def taken_part(lab: Installation) -> list[int]:
    """How many events each worker has read."""
    return [sum(found["read"] for found in worker.events().values()) for worker in lab.workers]


def learner_of(lab: Installation) -> Learner:
    """The learner as it is stored."""
    learner = compose.learner(lab.settings)
    with lab.redis() as client:
        state = client.get(f"{lab.settings.redis_namespace}:{{learn}}:state")
    if state is not None:
        learner.restore(state)
    return learner


def test_frozen_and_published_twice(lab: Installation, shop: Reference, workers: int) -> None:
    frozen = {"LEARNING_ENABLED": "off", "MODEL_FILE": str(shop.model)}
    assert lab.publish(shop.path) == len(shop.events)
    for _ in range(workers):
        lab.start(**frozen)
    lab.until(shop.last_ms)
    shares = taken_part(lab)
    assert sum(shares) == len(shop.events)
    assert_same(lab, shop.frozen, shop.events)

    # The same log again, while the workers run: nothing changes, and every event is counted as one that was known.
    before = lab.held()
    alerts = lab.alerts()
    lab.publish(shop.path)
    lab.wait_for(lambda: lab.taken() == 2 * len(shop.events))
    lab.wait_for(lambda: sum(taken_part(lab)) == 2 * len(shop.events))
    after = lab.held()
    assert (after.customers, after.timers, after.outbox) == (before.customers, before.timers, [])
    assert lab.alerts() == alerts
    counted = [found for worker in lab.workers for found in worker.events().values()]
    assert sum(found["duplicate"] + found["late"] for found in counted) == len(shop.events)
    assert sum(found["applied"] for found in counted) == len(shop.events)
    stop_all(lab)
    assert lab.held().customers == before.customers


def test_learning(lab: Installation, shop: Reference, workers: int) -> None:
    lab.publish(shop.path)
    for _ in range(workers):
        lab.start()
    lab.until(shop.last_ms)
    assert shop.learning.guide is not None
    until_ms = shop.learning.guide.learnt_until_ms
    lab.wait_for(lambda: (learner_of(lab).learnt_until_ms or 0) >= until_ms)
    assert all(worker.get("/healthz")[0] == 200 for worker in lab.workers)
    stop_all(lab)
    assert learner_of(lab).quality()["auc"] == pytest.approx(shop.learning.quality["auc"], abs=0.003)
    # Learning in replay is a function of the log alone, so not only the quality is the same.
    assert_same(lab, shop.learning, shop.events)
    assert learner_of(lab).quality() == shop.learning.quality
