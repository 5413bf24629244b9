import random

import msgspec
import numpy as np
import pytest

from models.candidates import (
    LEAN_MIN,
    OPEN_MAX,
    PROMOTIONS_MAX,
    RECIPES,
    T_MAX,
    WARM_UP_WEEKS,
    WEEKS_MAX,
    WEEKS_MIN,
    Contest,
    Promotion,
    Trials,
    paired,
)
from streams.time import DAY_MS

WEEK_MS = 7 * DAY_MS
CONTEST = Contest(labels_min=500)
OVERLAP = 2


def judged(trials: Trials, weeks: range, *, better: str, rows: int = 100, by: float = 1.0) -> Trials:
    """Weeks in which one base learner knows the odds and the other says too much by a factor."""
    for week in weeks:
        rng = np.random.default_rng(week)
        odds = rng.normal(0.0, 1.5, rows)
        labels = (rng.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.int64)
        worse = odds * (1.0 + by) + by
        logits = np.stack([odds, worse] if better == "logistic" else [worse, odds], axis=1)
        trials.judge(week * WEEK_MS, logits, labels, trials.weight())
        trials.close(week * WEEK_MS)
    return trials


def test_a_challenger_that_is_better_on_enough_weeks_takes_over() -> None:
    trials = judged(Trials("mean"), range(WEEKS_MIN - 1), better="within")
    assert trials.decide(CONTEST, 0, OVERLAP) is None, "too few weeks"
    judged(trials, range(WEEKS_MIN - 1, WEEKS_MIN), better="within")
    change = trials.decide(CONTEST, 77, OVERLAP)
    assert change is not None
    assert (change.at_ms, change.before, change.by, change.weeks) == (77, "mean", "test", WEEKS_MIN)
    assert change.labels == 100 * WEEKS_MIN
    assert change.gain >= CONTEST.margin
    assert trials.champion in {"within", "stacked"}
    assert trials.promotions == [change]


@pytest.mark.parametrize("contest", [Contest(labels_min=5_000), Contest(labels_min=500, margin=0.9)])
def test_without_the_labels_or_the_margin_nobody_takes_over(contest: Contest) -> None:
    trials = judged(Trials("mean"), range(20), better="within")
    assert trials.decide(contest, 0, OVERLAP) is None
    assert trials.champion == "mean"


def test_luck_is_no_reason() -> None:
    trials = Trials()
    for week in range(WEEKS_MAX):
        rng = np.random.default_rng(week)
        odds = rng.normal(0.0, 1.0, 60)
        labels = (rng.random(60) < 1 / (1 + np.exp(-odds))).astype(np.int64)
        noisy = odds[:, np.newaxis] + rng.normal(0.0, 0.5, (60, 2))
        trials.judge(week * WEEK_MS, noisy, labels, 0.5)
        trials.close(week * WEEK_MS)
        assert trials.decide(CONTEST, week, OVERLAP) is None


def test_after_a_change_there_is_rest_and_the_way_back_is_as_hard() -> None:
    trials = judged(Trials("mean"), range(WEEKS_MIN), better="within")
    assert trials.decide(CONTEST, 0, OVERLAP) is not None
    first = trials.champion
    for week in range(WEEKS_MIN, 2 * WEEKS_MIN - 1):
        judged(trials, range(week, week + 1), better="logistic", by=3.0)
        assert trials.decide(CONTEST, week, OVERLAP) is None, "it rests"
        assert trials.champion == first
    judged(trials, range(2 * WEEKS_MIN - 1, 4 * WEEKS_MIN), better="logistic", by=3.0)
    assert trials.decide(CONTEST, 9, OVERLAP) is not None


def test_under_manual_the_setting_decides_and_the_test_only_advises() -> None:
    trials = judged(Trials("mean"), range(WEEKS_MIN), better="within")
    manual = Contest("manual", "mean", labels_min=500)
    assert trials.decide(manual, 1, OVERLAP) is None
    assert any(trial.wins for trial in trials.standings(manual, OVERLAP))
    change = trials.decide(Contest("manual", "within"), 2, OVERLAP)
    assert change == Promotion(2, "mean", "within", "setting")
    assert trials.decide(Contest("off", "mean"), 3, OVERLAP) == Promotion(3, "within", "mean", "setting")


def test_stacked_leans_towards_who_is_right_and_never_bets_all() -> None:
    assert judged(Trials(), range(16), better="logistic").weight() == 1.0 - LEAN_MIN
    assert judged(Trials(), range(16), better="within").weight() == LEAN_MIN
    assert judged(Trials(), range(WARM_UP_WEEKS), better="within").weight() == 0.5, "both had seen next to nothing"
    assert LEAN_MIN < judged(Trials(), range(WARM_UP_WEEKS + 3), better="within", by=0.05).weight() < 0.5


def test_the_weights_of_a_recipe_sum_to_one() -> None:
    trials = judged(Trials(), range(8), better="logistic")
    weights = {recipe: trials.weights(recipe) for recipe in RECIPES}
    assert all(sum(pair) == 1.0 for pair in weights.values())
    assert (weights["mean"], weights["logistic"], weights["within"]) == ((0.5, 0.5), (1.0, 0.0), (0.0, 1.0))


def test_open_weeks_do_not_count_and_late_examples_of_forgotten_ones_neither() -> None:
    trials = Trials()
    one = np.array([[1.0, -1.0]])
    trials.judge(WEEK_MS, one, np.array([1]), 0.5)
    assert trials.standings(CONTEST, OVERLAP) == []
    trials.close(WEEK_MS)
    assert [trial.labels for trial in trials.standings(CONTEST, OVERLAP)] == [1, 1, 1]
    trials.judge(0, one, np.array([1]), 0.5)
    assert list(trials.weeks) == [WEEK_MS]


def test_how_examples_are_cut_into_blocks_changes_nothing() -> None:
    rng = np.random.default_rng(5)
    logits, labels = rng.normal(0.0, 2.0, (500, 2)), rng.integers(0, 2, 500)
    whole, parts = Trials(), Trials()
    whole.judge(0, logits, labels, 0.3)
    for first in range(0, 500, 7):
        parts.judge(0, logits[first : first + 7], labels[first : first + 7], 0.3)
    assert msgspec.msgpack.encode(parts) == msgspec.msgpack.encode(whole)


def test_it_stays_small_whatever_comes_and_survives_the_store() -> None:
    trials, rng = Trials(), random.Random(1)
    for week in range(300):
        trials.judge(week * WEEK_MS, np.array([[rng.random(), 0.0]]), np.array([1]), 0.5)
        if week == 150:
            trials.close(100 * WEEK_MS)
        trials.decide(Contest("manual", RECIPES[week % 4]), week, OVERLAP)
    assert len(trials.weeks) <= WEEKS_MAX + OPEN_MAX
    assert len(trials.promotions) == PROMOTIONS_MAX
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(trials), type=Trials) == trials


def test_weeks_that_are_alike_prove_less() -> None:
    rng = np.random.default_rng(1)
    alike = np.repeat(rng.normal(0.002, 0.004, 8), 4)
    assert paired(list(alike), 8)[1] < paired(list(alike), 0)[1]


@pytest.mark.parametrize(
    ("differences", "t"), [([0.01], 0.0), ([0.01] * 9, T_MAX), ([-0.01] * 9, -T_MAX), ([0.0] * 9, 0.0)]
)
def test_where_there_is_no_variance_t_is_bounded(differences: list[float], t: float) -> None:
    assert paired(differences, 3)[1] == t
