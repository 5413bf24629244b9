"""The scorer is the River model, only faster; its contributions add up; a snapshot is the model."""

import random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from models.guide import Scale, decode_guide, encode_guide, initial_guide
from models.logits import clipped_logit, transform
from models.pipeline import ChurnModel
from models.scorer import Scorer
from models.snapshot import dump_model, load_model

WIDTH = 12
NAMES = [f"f{number}" for number in range(WIDTH)]
SCALES: list[Scale] = ["log" if number % 3 else "linear" for number in range(WIDTH)]

# What features look like: many zeros, counts, gaps and amounts, ratios; packed to 32 bits on the way.
values = st.one_of(
    st.just(0.0),
    st.integers(0, 1_000).map(float),
    st.floats(0, 1e6, width=32),
    st.floats(-50, 50, width=32),
)
vectors = st.lists(values, min_size=WIDTH, max_size=WIDTH)
odd_vectors = st.lists(st.floats(width=64) | values, min_size=WIDTH, max_size=WIDTH)
seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=40, deadline=None)


def taught(seed: int, examples: list[list[float]]) -> ChurnModel:
    rng = random.Random(seed)
    model = ChurnModel(NAMES, SCALES)
    for vector in examples * 3:
        noisy = [value * rng.choice([0.5, 1.0, 2.0]) for value in vector]
        model.learn(noisy, int(rng.random() < 0.3 + 0.4 * (noisy[1] > 10)))
    return model


def scorer(model: ChurnModel) -> Scorer:
    means, logistic, within = model.folded()
    fields = {"means": means, "logistic": logistic, "within": within}
    guide = msgspec.structs.replace(initial_guide(NAMES, SCALES), **fields)
    return Scorer(decode_guide(encode_guide(guide)))


@few
@given(seeds, st.lists(vectors, min_size=1, max_size=20), vectors)
def test_the_scorer_equals_the_river_model(seed: int, examples: list[list[float]], probe: list[float]) -> None:
    model = taught(seed, examples)
    fast = scorer(model)
    for vector in [probe, *examples]:
        assert abs(fast.risk(vector) - model.predict(vector)) <= 1e-9


@few
@given(seeds, st.lists(vectors, min_size=1, max_size=20), odd_vectors | vectors)
def test_a_score_is_the_sum_of_its_terms_in_their_order_to_the_last_bit(
    seed: int, examples: list[list[float]], probe: list[float]
) -> None:
    fast = scorer(taught(seed, examples))
    guide = fast.guide
    logit = guide.logistic.at_mean - sum(u * mean for u, mean in zip(guide.logistic.slopes, guide.means, strict=True))
    p = guide.within.at_mean - sum(v * mean for v, mean in zip(guide.within.slopes, guide.means, strict=True))
    for x, scale, u, v in zip(probe, SCALES, guide.logistic.slopes, guide.within.slopes, strict=True):
        t = transform(x, is_log=scale == "log")
        logit += u * t
        p += v * t
    w, v = guide.weights
    assert fast.logit(probe) == w * logit + v * clipped_logit(p)


@few
@given(seeds, st.lists(odd_vectors, min_size=1, max_size=10), odd_vectors)
def test_whatever_comes_in_a_probability_comes_out(seed: int, examples: list[list[float]], probe: list[float]) -> None:
    model = taught(seed, examples)
    assert 0.0 <= model.predict(probe) <= 1.0
    assert 0.0 <= scorer(model).risk(probe) <= 1.0


@few
@given(seeds, st.lists(vectors, min_size=1, max_size=20), vectors)
def test_contributions_and_bias_sum_to_the_logit(seed: int, examples: list[list[float]], probe: list[float]) -> None:
    fast = scorer(taught(seed, examples))
    contributions = fast.contributions(probe)
    size = 1.0 + sum(map(abs, contributions))
    assert abs(fast.bias + sum(contributions) - fast.logit(probe)) <= 1e-9 * size


@few
@given(seeds, st.lists(vectors, min_size=1, max_size=20), st.lists(vectors, max_size=5))
def test_a_model_put_back_continues_bit_for_bit(
    seed: int, examples: list[list[float]], further: list[list[float]]
) -> None:
    model = taught(seed, examples)
    put_back = load_model(dump_model(model), NAMES, SCALES)
    for vector in further:
        model.learn(vector, seed % 2)
        put_back.learn(vector, seed % 2)
        assert put_back.predict(vector) == model.predict(vector)
    assert dump_model(put_back) == dump_model(model)
    assert put_back.folded() == model.folded()
