"""Goals and steering as metrics: from the ledger of the learner held here, and no longer than it is held here."""

from prometheus_client import CollectorRegistry

from agents.goal_figures import goal_samples
from agents.metric_catalog import BUILD_LABELS, LABELS, METRICS
from agents.metrics import Metrics
from agents.observe import WorkerObserver
from alerts.ledger import Books, Ledger
from alerts.policy import Policy
from features.catalog import NAMES
from models.labels import ExampleBatch
from models.learner import Learner
from tests.unit.agents.samples import SCALES
from tests.unit.alerts.test_kpi_sums import ENTRIES, MAY, a_ledger, look

GOALS = {"retention": 0.7, "lead_days": 2.0, "time_to_action": 7_200_000.0}


def test_figures_are_exported_with_their_targets_in_base_units() -> None:
    ledger = a_ledger()
    ledger.add(MAY, look(MAY, 70))
    found = {
        (name.removeprefix("churnwatch_kpi_"), *labels): value for name, value, labels in goal_samples(ledger, GOALS)
    }
    assert found["retention_ratio", "loyal"] == 0.6
    assert found["retention_ratio", "all"] == 60 / 110
    assert ("retention_ratio", "new") not in found
    assert found["warned_retention_ratio", "price"] == 45 / 120
    assert found["precision_ratio", "all"] == 0.75
    assert found["lead_seconds", "loyal"] == 30 * 86_400
    assert found["alerts_acted_ratio", "loyal"] == 0.5
    assert found["time_to_action_seconds", "all"] == 3_600
    assert found["expected_revenue", "365d", "without"] == 25_550.0
    assert {"estimate", "low", "high"} == {key[1] for key in found if key[0] == "value_saved"}
    assert [found["target", name] for name in GOALS] == [0.7, 2 * 86_400, 7_200.0]


def test_every_sample_is_of_a_declared_metric_and_value() -> None:
    ledger, declared = a_ledger(), {metric.name: metric for metric in METRICS}
    ledger.add(MAY, look(MAY, 70))
    for name, _, values in goal_samples(ledger, GOALS):
        for label, value in zip(declared[name].labels, values, strict=True):
            assert value in LABELS[label].values


def test_without_a_ledger_there_are_the_targets_alone() -> None:
    assert list(goal_samples(Ledger(), {"retention": 0.7})) == [("churnwatch_kpi_target", 0.7, ("retention",))]


def test_they_come_with_the_learner_and_go_with_it() -> None:
    metrics = Metrics(CollectorRegistry(), ["customer.orders"], dict.fromkeys(BUILD_LABELS, "1"))
    observer = WorkerObserver(metrics, now_ms=lambda: 0, monotonic_ms=lambda: 0, goals=GOALS)
    learner = Learner(NAMES, SCALES, extra=Books(Policy()))
    learner.absorb(
        ExampleBatch(source=0, partitions=1, seq=1, mark_ms=0, stats={MAY: [{}, {}, 0, ENTRIES]}),
    )
    exported = 'churnwatch_kpi_retention_ratio{group="loyal"} 0.6'
    observer.learnt(learner, 0)
    observer.reckon()
    assert exported in metrics.render().decode()
    observer.held([0])
    observer.reckon()
    assert "churnwatch_kpi_retention_ratio{" not in metrics.render().decode()
    observer.learnt(learner, 0)
    observer.reckon()
    assert exported in metrics.render().decode()
