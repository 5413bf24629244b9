"""What /metrics shows: every declared metric, the conservation law, bounded labels, series that end with their partition."""

import random
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from agents.metric_catalog import LABELS, METRICS, PROCESS
from agents.metric_goals import REACHING_GOALS
from agents.metric_kinds import Metric
from agents.metrics import CONTENT_TYPE, Metrics
from alerts.alert import Code
from alerts.bands import BANDS
from alerts.episode import Kind
from alerts.segments import SEGMENTS
from churnwatch import metric_docs
from models.candidates import RECIPES, Promotion, Trial
from models.drift import Drift, Moved, Shift
from models.measures import ECE_BINS, Quality, Reliability
from models.prequential import Tally
from models.sketch import outcomes
from models.standing import Standing
from models.verdict import VERDICTS, Verdict
from streams.codec import Reason
from streams.events import OutcomeStatus

TOPICS = ("customer.logins", "customer.orders")
BUILD = {"version": "1.2.3", "python": "3.12", "faust": "0.15.3", "river": "0.26.1"}


EVERY_GOAL = [
    (metric.name, 1.0, values)
    for metric in REACHING_GOALS
    for values in product(*(LABELS[label].values for label in metric.labels))
]


def make() -> Metrics:
    return Metrics(CollectorRegistry(), TOPICS, BUILD)


def samples(metrics: Metrics) -> Iterator[tuple[str, Mapping[str, str], float]]:
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples:
            yield sample.name, sample.labels, sample.value


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    found = [seen for sample, given, seen in samples(metrics) if sample == name and given == labels]
    assert len(found) <= 1
    return found[0] if found else None


def use_everything(metrics: Metrics) -> None:
    """Call every method once, as a worker does in its life."""
    metrics.assigned([0, 1])
    metrics.goals(EVERY_GOAL)
    metrics.events("customer.orders", applied=7, duplicate=1, late=1, dead_lettered=1)
    metrics.dead_letters("customer.orders", {"late": 1, "malformed": 1})
    metrics.step(10, {"load": 0.001, "pipeline": 0.02, "commit": 0.004})
    metrics.stage("decode", 0.003)
    metrics.redis("commit", 0.002)
    metrics.redis_failed("commit")
    metrics.lag("customer.orders", 0, events=120, seconds=3.5)
    metrics.clock(0, "lagging", watermark_ms=900_000_000_500)
    metrics.partition(0, stalled_seconds=0.0, outbox_pending=4, customers=9, open_episodes=17)
    metrics.fence_lost()
    metrics.timers(due=5, fired=3, late_seconds_max=2.0)
    metrics.source_silent("customer.logins", silent=True)
    metrics.scorings({"event": 7, "silence": 3})
    metrics.alert("opened", "high", "loyal", ["engagement", "service"])
    metrics.alert_acknowledged(0.4)
    metrics.alert_budget(40.0)
    metrics.outcomes({"contacted": 2})
    metrics.examples(churned=2, stayed=5)
    metrics.model(version=12, examples=3400, ready=True, age_seconds=3600.0)
    metrics.quality({"auc": 0.71, "recent_ece": 0.02})
    metrics.standing(Standing(Verdict("fair", "."), {"new": {"auc": 0.7}}, [Reliability(3, 0.36, 0.31, 40)]))
    metrics.champion("mean", Standing(trials=[Trial("within", 0.001, 1.0, 9_000, 20, wins=False)]))
    metrics.drift(
        Drift({"orders_30d": 0.1}, base_rate=Shift(0.6, 0.5, warns=False), errors=Shift(0.0, 0.1, warns=True))
    )
    metrics.learner_lag(3)
    metrics.condition(healthy=True, ready=False)


def test_what_is_rendered_is_what_is_declared() -> None:
    metrics = make()
    use_everything(metrics)
    families = {f.name: f for f in text_string_to_metric_families(metrics.render().decode())}
    own = {name: f for name, f in families.items() if not name.startswith("churnwatch_process_")}
    assert {name: f.type for name, f in own.items()} == {m.name.removesuffix("_total"): m.kind for m in METRICS}
    assert families.keys() - own.keys() <= {m.name.removesuffix("_total") for m in PROCESS}
    for metric in METRICS:
        seen = own[metric.name.removesuffix("_total")].samples
        assert seen, f"{metric.name} was never given a value by any method"
        assert all(set(sample.labels) - {"le"} == set(metric.labels) for sample in seen)
        assert own[metric.name.removesuffix("_total")].documentation == metric.meaning


def test_the_media_type_is_the_one_that_prometheus_reads() -> None:
    assert CONTENT_TYPE == "text/plain; version=0.0.4; charset=utf-8"


@pytest.mark.parametrize("metric", METRICS + PROCESS, ids=lambda metric: metric.name)
def test_names_follow_the_rules(metric: Metric) -> None:
    assert metric.name.startswith("churnwatch_")
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert not metric.name.endswith(("_ms", "_milliseconds", "_count", "_sum", "_bucket"))


def test_names_are_declared_once() -> None:
    names = [metric.name for metric in METRICS + PROCESS]
    assert len(names) == len(set(names))


def test_no_label_names_a_customer_and_every_label_is_bounded() -> None:
    for metric in METRICS:
        for label in metric.labels:
            assert "customer" not in label
            assert "event_id" not in label
            assert LABELS[label].values or label in {"topic", "partition", *BUILD}
    assert {label for metric in METRICS for label in metric.labels} == set(LABELS), "a label is declared and not used"


def test_events_are_conserved_after_every_step() -> None:
    metrics = make()
    chance = random.Random(20)
    for step in range(40):
        applied, duplicate, late, dead_lettered = (chance.choice((0, 0, 1, 977)) for _ in range(4))
        metrics.events(TOPICS[step % 2], applied=applied, duplicate=duplicate, late=late, dead_lettered=dead_lettered)
        counts = {
            (labels["topic"], labels["outcome"]): count
            for name, labels, count in samples(metrics)
            if name == "churnwatch_events_total"
        }
        for topic in TOPICS:
            parts = [counts[topic, outcome] for outcome in ("applied", "duplicate", "late", "dead_lettered")]
            assert counts[topic, "read"] == sum(parts)
    assert all(counts.values()), "the steps above were to move every count"


def test_a_negative_count_is_refused_whole() -> None:
    metrics = make()
    with pytest.raises(ValueError, match="upwards only"):
        metrics.events("customer.orders", applied=5, late=-1)
    assert {count for name, _, count in samples(metrics) if name == "churnwatch_events_total"} == {0.0}


def test_series_whose_labels_are_known_start_at_zero() -> None:
    metrics = make()
    assert value(metrics, "churnwatch_alerts_total", kind="opened", band="critical", segment="high_value") == 0
    assert value(metrics, "churnwatch_dead_letters_total", topic="customer.logins", reason="future") == 0
    assert value(metrics, "churnwatch_source_silent", topic="customer.logins") == 0
    assert value(metrics, "churnwatch_stage_seconds_count", stage="publish") == 0


def test_a_value_that_is_not_listed_counts_as_other() -> None:
    metrics = make()
    before = len(list(samples(metrics)))
    for number in range(50):
        metrics.alert("opened", "high", f"segment chosen by a producer {number}", [])
        metrics.events(f"unknown.topic.{number}", applied=1)
    assert value(metrics, "churnwatch_alerts_total", kind="opened", band="high", segment="other") == 50
    assert value(metrics, "churnwatch_events_total", topic="other", outcome="read") == 50
    assert len(list(samples(metrics))) == before + 1 + len(LABELS["outcome"].values)


def test_series_end_when_the_partition_leaves() -> None:
    metrics = make()
    metrics.assigned([0, 1])
    for partition in (0, 1):
        metrics.lag("customer.orders", partition, events=9, seconds=1.0)
        metrics.clock(partition, "live", watermark_ms=0)
        metrics.partition(partition, stalled_seconds=0.0, outbox_pending=0, customers=9, open_episodes=0)
    metrics.assigned([1, 2])
    assert {labels["partition"] for _, labels, _ in samples(metrics) if "partition" in labels} == {"1"}
    assert value(metrics, "churnwatch_partitions_assigned") == 2
    assert value(metrics, "churnwatch_rebalances_total") == 2
    metrics.assigned([0, 1])
    metrics.lag("customer.orders", 0, events=4, seconds=1.0)
    assert value(metrics, "churnwatch_lag_events", topic="customer.orders", partition="0") == 4, "it came back"


def test_one_clock_mode_is_on_at_a_time() -> None:
    metrics = make()
    metrics.clock(3, "lagging", watermark_ms=1_500)
    metrics.clock(3, "live", watermark_ms=2_500)
    modes = {labels["mode"]: on for name, labels, on in samples(metrics) if name == "churnwatch_clock_mode"}
    assert modes == {"live": 1, "lagging": 0, "replay": 0}
    assert value(metrics, "churnwatch_watermark_timestamp_seconds", partition="3") == 2.5


def test_figures_of_quality_are_told_apart_and_others_left_out() -> None:
    metrics = make()
    metrics.quality({"auc": 0.7, "recent_auc": 0.6, "rule_auc": 0.59, "rule_examples": 900, "auc_error": 0.001})
    seen = {
        (labels["metric"], labels["window"]): figure
        for name, labels, figure in samples(metrics)
        if name == "churnwatch_model_quality"
    }
    assert seen == {("auc", "all"): 0.7, ("auc", "recent"): 0.6, ("rule_auc", "all"): 0.59}


def test_the_standing_is_told_by_verdict_segment_and_tenth_of_risk() -> None:
    metrics = make()
    metrics.standing(Standing(Verdict("good", "."), {"new": {"auc": 0.7}}, [Reliability(9, 0.95, 0.9, 40)]))
    metrics.standing(Standing(Verdict("poor", "."), {"new": {"auc": 0.5}}))
    verdicts = {word: value(metrics, "churnwatch_model_verdict", verdict=word) for word in VERDICTS}
    assert verdicts == {"not_yet_known": 0, "poor": 1, "fair": 0, "good": 0}
    assert value(metrics, "churnwatch_model_segment_quality", metric="auc", segment="new") == 0.5
    assert value(metrics, "churnwatch_model_reliability", bin="0.9", side="came") == 0.9
    assert value(metrics, "churnwatch_model_reliability_examples", bin="0.9") == 40


def test_the_champion_is_told_from_its_challengers() -> None:
    metrics = make()
    trials = [Trial("mean", -0.003, -4.0, 9_000, 20, wins=False), Trial("stacked", 0.001, 1.0, 9_000, 20, wins=False)]
    metrics.champion("within", Standing(trials=trials, promotions=[Promotion(0, "mean", "within", "test")]))
    told = {recipe: value(metrics, "churnwatch_model_champion", recipe=recipe) for recipe in RECIPES}
    assert told == {"mean": 0, "logistic": 0, "within": 1, "stacked": 0}
    assert value(metrics, "churnwatch_model_challenger_gain_nats", recipe="mean") == -0.003
    assert value(metrics, "churnwatch_model_challenger_gain_nats", recipe="within") == 0
    assert value(metrics, "churnwatch_model_promotions") == 1


def test_drift_is_told_by_what_has_moved() -> None:
    metrics = make()
    moved = Moved("orders_30d", 0.3, 0.0, 1e-9, 0.2, 0.5)
    metrics.drift(Drift({"orders_30d": 0.3}, [moved], Shift(0.6, 0.45, warns=True), Shift(0.0, 0.01, warns=False)))
    told = {kind: value(metrics, "churnwatch_drift_warning", drift=kind) for kind in LABELS["drift"].values}
    assert told == {"inputs": 1, "base_rate": 1, "errors": 0}
    assert value(metrics, "churnwatch_drift_input_index", feature="orders_30d") == 0.3
    assert value(metrics, "churnwatch_drift_base_rate_shift") == pytest.approx(-0.15)
    metrics.drift(Drift())
    assert value(metrics, "churnwatch_drift_warning", drift="inputs") == 0


def test_the_labels_take_the_values_that_the_rooms_use() -> None:
    words = {name: set(label.values) for name, label in LABELS.items()}
    assert words["reason"] == set(get_args(Reason))
    assert words["code"] == set(get_args(Code))
    assert words["kind"] == set(get_args(Kind))
    assert words["band"] == set(BANDS) - {"low"}, "an alert's band is never low"
    assert words["segment"] == set(SEGMENTS)
    assert words["status"] == set(get_args(OutcomeStatus))
    assert words["verdict"] == set(VERDICTS)
    assert words["recipe"] == set(RECIPES)
    assert len(words["bin"]) == ECE_BINS
    known = {"weekly_auc", "rule_weekly_auc", *Quality.__struct_fields__, *_figures()}
    assert words["metric"] == known - {"auc_error"}


def _figures() -> set[str]:
    """The names that a set of examples has figures for."""
    tally, inputs = Tally(), outcomes([0.2, 0.8], [0, 1])
    tally.model.update(inputs)
    tally.floor.update(inputs)
    tally.alarms.update(np.array([True] * 40), np.array([1] * 40), np.array([9.0] * 40))
    return set(tally.figures(60))


def test_a_step_without_wake_ups_leaves_no_lateness() -> None:
    metrics = make()
    metrics.timers(due=0, fired=0, late_seconds_max=0.0)
    assert value(metrics, "churnwatch_timers_late_seconds_count") == 0


def test_two_workers_in_one_process_do_not_share_counts() -> None:
    one, other = make(), make()
    one.fence_lost()
    assert value(other, "churnwatch_fence_lost_total") == 0


def test_the_build_is_told() -> None:
    assert value(make(), "churnwatch_build_info", **BUILD) == 1


def test_the_page_is_current() -> None:
    page = Path(__file__).parents[3] / "docs/metrics.md"
    assert page.read_text(encoding="utf-8") == metric_docs.page(), "run `python -m churnwatch.metric_docs`"
    assert metric_docs.main(["--check", str(page)]) == 0


def test_an_old_page_is_noticed_and_written_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "metrics.md"
    page.write_text("old", encoding="utf-8")
    assert metric_docs.main(["--check", str(page)]) == 1
    assert "out of date" in capsys.readouterr().err
    assert metric_docs.main([str(page)]) == 0
    assert metric_docs.main(["--check", str(page)]) == 0
    assert metric_docs.main([str(tmp_path / "nowhere" / "metrics.md")]) == 1
