"""The figures against slow, obvious oracles."""

import math
import random

import pytest

from models.measures import average_precision, binning_error, exact_quality, roc_auc, top_precision


def rows(seed: int, count: int = 60, grain: int = 12) -> tuple[list[float], list[int]]:
    """Risks with many ties, and labels that lean towards them."""
    rng = random.Random(seed)
    risks = [rng.randrange(grain + 1) / grain for _ in range(count)]
    return risks, [int(rng.random() < 0.2 + 0.6 * risk) for risk in risks]


def pairs_auc(risks: list[float], labels: list[int]) -> float:
    wins = [
        (a > b) + (a == b) / 2
        for a, one in zip(risks, labels, strict=True)
        if one
        for b, other in zip(risks, labels, strict=True)
        if not other
    ]
    return sum(wins) / len(wins)


def stepwise_precision(risks: list[float], labels: list[int]) -> float:
    """Sum over thresholds of (gain in recall) x precision."""
    positives, total, before = sum(labels), 0.0, 0.0
    for threshold in sorted(set(risks), reverse=True):
        above = [label for risk, label in zip(risks, labels, strict=True) if risk >= threshold]
        recall = sum(above) / positives
        total += (recall - before) * sum(above) / len(above)
        before = recall
    return total


@pytest.mark.parametrize("seed", range(5))
def test_ranking_figures_equal_the_oracles(seed: int) -> None:
    risks, labels = rows(seed)
    quality = exact_quality(risks, labels)
    assert quality.auc == pytest.approx(pairs_auc(risks, labels))
    assert quality.pr_auc == pytest.approx(stepwise_precision(risks, labels))
    assert (quality.examples, quality.auc_error) == (60, 0.0)


@pytest.mark.parametrize("seed", range(5))
def test_probability_figures_equal_the_oracles(seed: int) -> None:
    risks, labels = rows(seed, grain=1000)
    quality = exact_quality(risks, labels)
    said = [min(max(risk, 1e-6), 1 - 1e-6) for risk in risks]
    losses = [-math.log(p if label else 1 - p) for p, label in zip(said, labels, strict=True)]
    assert quality.log_loss == pytest.approx(sum(losses) / 60)
    assert quality.brier == pytest.approx(sum((r - y) ** 2 for r, y in zip(risks, labels, strict=True)) / 60)
    bins: dict[int, list[float]] = {}
    for risk, label in zip(risks, labels, strict=True):
        bins.setdefault(min(int(risk * 10), 9), []).append(risk - label)
    assert quality.ece == pytest.approx(sum(abs(sum(off)) for off in bins.values()) / 60)
    assert quality.base_rate == sum(labels) / 60


def test_the_top_tenth_takes_the_edge_group_in_part() -> None:
    #    risk    low  high        20 rows, so the top tenth are 2 of the 4 at the top: half of its 3 churned
    assert top_precision([0, 3], [16, 1]) == pytest.approx(0.75)
    assert top_precision([5, 1, 1], [13, 0, 0]) == 1.0


def test_a_perfect_and_a_useless_ranking() -> None:
    assert exact_quality([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]).auc == 1.0
    assert exact_quality([0.5] * 4, [0, 0, 1, 1]).auc == 0.5
    assert exact_quality([0.5] * 4, [0, 0, 1, 1]).pr_auc == 0.5


def test_lift_is_over_the_base_rate() -> None:
    quality = exact_quality([0.9] + [0.1] * 9, [1] + [0] * 9)
    assert (quality.precision_10, quality.lift_10) == (1.0, 10.0)


@pytest.mark.parametrize("labels", [[], [0, 0], [1, 1]])
def test_what_is_not_defined_is_none(labels: list[int]) -> None:
    quality = exact_quality([0.5] * len(labels), labels)
    assert quality.auc is None
    assert (quality.pr_auc is None) == (sum(labels) == 0)
    assert (quality.log_loss is None) == (not labels)
    assert None not in quality.as_dict("x_").values()


def test_the_error_bound_is_half_of_the_pairs_within_groups() -> None:
    assert binning_error([1, 1], [1, 1]) == pytest.approx(0.25)
    assert binning_error([0, 2], [3, 0]) == 0.0
    assert roc_auc([], []) is None
    assert average_precision([], []) is None
    assert top_precision([], []) is None
