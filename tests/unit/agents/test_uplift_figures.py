"""The metrics of uplift, from a ledger."""

from agents.metric_goals import REACHING_GOALS
from agents.uplift_figures import MONTHS, uplift_samples
from alerts.ledger import Ledger

JANUARY = 20_089


def booked(months: int = 1) -> Ledger:
    ledger = Ledger()
    for month in range(months):
        for arm, n, kept in (("treated", 900, 540), ("held", 100, 50)):
            name = f"trial|{arm}|loyal|care_call|left|"
            figures = {"n": n, "kept": kept, "spend": kept * 2_000, "squares": kept * 600, "expected": n * 2_000}
            ledger.add(JANUARY + 31 * month, {f"{name}{figure}": amount for figure, amount in figures.items()})
    return ledger


def test_before_a_trial_has_ended_there_is_nothing() -> None:
    assert not list(uplift_samples(Ledger()))


def test_each_group_has_its_figures_with_their_intervals() -> None:
    found = {(name, labels): value for name, value, labels in uplift_samples(booked())}
    for group in ("all", "loyal"):
        assert found["churnwatch_uplift_customers", (group, "treated")] == 900
        assert found["churnwatch_uplift_customers", (group, "held")] == 100
        assert round(found["churnwatch_uplift_retention_points", (group, "estimate")], 6) == 10.0
        assert found["churnwatch_uplift_retention_points", (group, "low")] < 10
        assert round(found["churnwatch_uplift_saved_amount", (group, "estimate")], 6) == 1_800.0
    assert len(found) == 16


def test_the_latest_year_counts() -> None:
    found = {(name, labels): value for name, value, labels in uplift_samples(booked(MONTHS + 8))}
    assert found["churnwatch_uplift_customers", ("all", "treated")] == 900 * MONTHS


def test_all_are_declared_with_their_labels() -> None:
    declared = {metric.name: metric.labels for metric in REACHING_GOALS}
    for name, _, labels in uplift_samples(booked()):
        assert len(declared[name]) == len(labels)
