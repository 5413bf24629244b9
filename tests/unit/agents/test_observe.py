"""What the learner's observer says in the log: once, when it is new."""

import logging
from types import SimpleNamespace
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from agents.meta import UNFINISHED
from agents.metric_catalog import BUILD_LABELS
from agents.metrics import Metrics
from agents.observe import WorkerObserver
from agents.parts import OUTBOX, PARTITION
from models.candidates import Promotion
from models.drift import Drift, Shift
from models.learner import Learner
from models.standing import Standing
from models.verdict import Verdict
from streams.errors import LogUnavailable, StoreUnavailable

DRIFT = Drift(base_rate=Shift(0.6, 0.4, warns=True))
PROMOTION = Promotion(5, "mean", "within", "test", 0.003, 4.0, 9_000, 20)


def observer() -> WorkerObserver:
    metrics = Metrics(CollectorRegistry(), ["customer.orders"], dict.fromkeys(BUILD_LABELS, "1"))
    return WorkerObserver(metrics, now_ms=lambda: 0, monotonic_ms=lambda: 0)


def failures(one: WorkerObserver) -> float:
    """Round trips to Redis that have failed, as exported."""
    lines = one._metrics.render().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("churnwatch_redis_failures_total{"))


def test_waiting_for_a_bootstrap_is_no_failure_of_redis() -> None:
    one = observer()
    one.waiting(3, StoreUnavailable(UNFINISHED))
    assert failures(one) == 0
    assert one.progress(3, pending=True, paced=False).waits_for == "a bootstrap"
    assert one.redis_answered_ms is not None
    one.waiting(3, StoreUnavailable("connection refused"))
    assert failures(one) == 1
    assert one.progress(3, pending=True, paced=False).waits_for == "Redis"


def test_waiting_for_kafka_is_no_failure_of_redis() -> None:
    one = observer()
    one.waiting(3, LogUnavailable("Kafka does not answer"))
    assert failures(one) == 0
    assert one.progress(3, pending=True, paced=False).waits_for == "Kafka"


def test_a_partition_that_steps_does_not_hide_an_outbox_that_waits() -> None:
    one = observer()
    one.publishing_waits(3, "no leader")
    one.parts.moved(PARTITION, 3)
    assert one.progress(3, pending=True, paced=False).waits_for is None
    assert one.parts.look(OUTBOX, 3, pending=True).waits_for == "Kafka"


def learner(version: int, standing: Standing) -> Learner:
    """As much of a learner as the observer looks at."""
    seen: Any = SimpleNamespace(
        version=version, counters=SimpleNamespace(gaps=0), extra=None, standing=lambda: standing
    )
    return cast("Learner", seen)


def said(caplog: pytest.LogCaptureFixture, one: WorkerObserver, version: int, **fields: Any) -> list[str]:
    caplog.clear()
    with caplog.at_level(logging.INFO, "churnwatch.worker"):
        one.learnt(learner(version, Standing(**fields)), 0)
    return [record.getMessage() for record in caplog.records]


def test_drift_is_said_when_it_begins_and_when_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    one = observer()
    assert said(caplog, one, 1) == []
    assert said(caplog, one, 2, drift=DRIFT) == [
        "Drift of base rate, as of model 2: Of 100 customers 40 leave, 60 did before."
    ]
    assert said(caplog, one, 3, drift=DRIFT) == []
    assert said(caplog, one, 4) == ["Drift of base rate has ended, as of model 4"]


def test_a_new_champion_is_said_once_and_not_again_after_a_restart(caplog: pytest.LogCaptureFixture) -> None:
    one = observer()
    said(caplog, one, 1)
    (line,) = said(caplog, one, 2, promotions=[PROMOTION])
    assert line.startswith(
        "From model 2 on another recipe speaks: within after mean, its log loss lower by 0.0030 nats"
    )
    assert said(caplog, one, 3, promotions=[PROMOTION]) == []
    assert said(caplog, observer(), 3, promotions=[PROMOTION]) == []


def test_another_verdict_is_said(caplog: pytest.LogCaptureFixture) -> None:
    one = observer()
    said(caplog, one, 1)
    assert said(caplog, one, 2, verdict=Verdict("fair", "So so.")) == ["The model is fair now: So so."]


def test_nothing_is_worked_out_while_the_model_stays(caplog: pytest.LogCaptureFixture) -> None:
    one = observer()
    said(caplog, one, 1)
    assert said(caplog, one, 1, drift=DRIFT) == []
