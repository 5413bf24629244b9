import math
import random
from typing import Any

import numpy as np
import pytest
from river.evaluate import progressive_val_score
from river.metrics import ROCAUC

from models.guide import Scale
from models.pipeline import ChurnModel
from models.snapshot import dump_model
from tests.unit.models.samples import NAMES, SCALES, vector


def taught(seed: int, examples: int = 400) -> ChurnModel:
    rng = random.Random(seed)
    model = ChurnModel(NAMES, SCALES)
    for _ in range(examples):
        features = vector(rng)
        model.learn(features, int(features[0] > 40))
    return model


def test_it_learns_what_there_is_to_learn() -> None:
    model = taught(1)
    assert model.predict([200.0, 0.0, 1.0]) > 0.8
    assert model.predict([1.0, 3.0, 1.0]) < 0.2


def test_before_anything_was_learnt_it_leans_to_neither_extreme() -> None:
    assert 0.0 < ChurnModel(NAMES, SCALES).predict([1.0, 2.0, 3.0]) < 1.0


def test_the_same_examples_give_the_same_model() -> None:
    probe = [33.0, 2.0, 0.5]
    assert taught(2).predict(probe) == taught(2).predict(probe)
    assert taught(2).folded() == taught(2).folded()


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf, 1e300, -1e300, 3.4e38])
def test_no_input_can_poison_it(odd: float) -> None:
    model = taught(3)
    probes = [(float(days), 1.0, 1.0) for days in range(0, 200, 5)]
    before = [model.predict(probe) for probe in probes]
    model.learn([odd, odd, odd], 1)
    after = [model.predict(probe) for probe in probes]
    assert all(map(math.isfinite, after))
    assert max(abs(a - b) for a, b in zip(before, after, strict=True)) < 0.35
    for features in [(5.0, 3.0, 1.0), (90.0, 0.0, 1.0)] * 100:
        model.learn(features, int(features[0] > 40))
    assert model.predict([90.0, 0.0, 1.0]) > 0.7
    assert model.predict([5.0, 3.0, 1.0]) < 0.3


def test_a_feature_that_never_varies_has_no_say() -> None:
    model = ChurnModel(NAMES, SCALES)
    for days in range(50):
        model.learn([float(days), 7.0, 0.1], int(days > 25))
    assert model.predict([10.0, 7.0, 0.1]) == model.predict([10.0, 500.0, -3.0])


def test_inputs_are_not_changed() -> None:
    features = [1.0, math.nan, 1e300]
    model = taught(4, 10)
    model.learn(features, 1)
    model.predict(features)
    assert (features[0], features[2]) == (1.0, 1e300)
    assert math.isnan(features[1])


@pytest.mark.parametrize(("names", "scales"), [(("a", "a"), ("log", "log")), (("a",), ("log", "log"))])
def test_features_need_names_of_their_own(names: tuple[str, ...], scales: tuple[Scale, ...]) -> None:
    with pytest.raises(ValueError, match="name of its own"):
        ChurnModel(names, scales)


def test_a_vector_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="3"):
        ChurnModel(NAMES, SCALES).learn([1.0], 1)


def test_an_input_that_never_varies_is_at_its_mean() -> None:
    model = ChurnModel(NAMES, SCALES)
    for days in range(50):
        model.learn([float(days), 7.0, 0.1], int(days > 25))
    means, logistic, within = model.folded()
    assert means[1:] == (math.log1p(7.0), 0.1)
    assert (logistic.slopes[1:], within.slopes[1:]) == ((0.0, 0.0), (0.0, 0.0))


def test_batches_change_no_bit() -> None:
    rng = random.Random(7)
    vectors = [vector(rng) for _ in range(300)]
    labels = [int(features[0] > 40) for features in vectors]
    one_by_one, together = ChurnModel(NAMES, SCALES), ChurnModel(NAMES, SCALES)
    for features, label in zip(vectors, labels, strict=True):
        one_by_one.learn(features, label, label)
    for start, end in [(0, 1), (1, 64), (64, 64), (64, 300)]:
        together.learn_rows(vectors[start:end] or np.empty((0, len(NAMES))), labels[start:end], labels[start:end])
    assert dump_model(together) == dump_model(one_by_one)


def test_river_takes_it_as_a_classifier_of_its_own() -> None:
    rng = random.Random(8)
    said: list[dict[Any, Any]] = [dict(zip(NAMES, vector(rng), strict=True)) for _ in range(600)]
    dataset = [(features, features["silence_days"] > 40) for features in said]
    metric = progressive_val_score(dataset, ChurnModel(NAMES, SCALES), ROCAUC())
    assert metric.get() > 0.95
