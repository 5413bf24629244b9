"""Scoring many at once gives what scoring them one by one gives, bit for bit."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.batch import WHOLE_MAX, Batch
from models.guide import Guide, Linear, Scale, initial_guide
from models.labels import pack_vector, unpack_vector
from models.scorer import Scorer

WIDTH = 9
NAMES = [f"f{number}" for number in range(WIDTH)]
SCALES: list[Scale] = ["log" if number % 3 else "linear" for number in range(WIDTH)]

figures = st.one_of(
    st.just(0.0),
    st.integers(0, WHOLE_MAX + 2).map(float),
    st.integers(-40, 0).map(float),
    st.floats(0, 1e6, width=32),
    st.floats(-50, 50, width=32),
    st.floats(width=32),
)
vectors = st.lists(st.lists(figures, min_size=WIDTH, max_size=WIDTH), min_size=1, max_size=40)
slopes = st.lists(st.just(0.0) | st.floats(-3, 3), min_size=WIDTH, max_size=WIDTH).map(tuple)
unhurried = settings(deadline=None)


def guide(means: tuple[float, ...], logistic: tuple[float, ...], within: tuple[float, ...]) -> Guide:
    parts = {"logistic": Linear(-0.7, logistic), "within": Linear(0.4, within), "weights": (0.3, 0.7)}
    return msgspec.structs.replace(initial_guide(NAMES, SCALES), ready=True, means=means, **parts)


@unhurried
@given(slopes, slopes, slopes, vectors)
def test_many_at_once_are_scored_as_one_by_one(
    means: tuple[float, ...], logistic: tuple[float, ...], within: tuple[float, ...], asked: list[list[float]]
) -> None:
    scorer = Scorer(guide(means, logistic, within))
    packed = list(map(pack_vector, asked))
    batch = Batch(scorer.guide)
    singly = [scorer.risk(unpack_vector(vector)) for vector in packed]
    assert batch.risks(packed) == singly
    assert [risk for vector in packed for risk in batch.risks([vector])] == singly


@unhurried
@given(slopes, slopes, vectors, st.integers(0, 40))
def test_how_many_are_scored_together_changes_no_bit(
    logistic: tuple[float, ...], within: tuple[float, ...], asked: list[list[float]], cut: int
) -> None:
    scorer = Scorer(guide(logistic, logistic, within))
    crowd = list(map(pack_vector, asked)) * (600 // len(asked))
    batch = Batch(scorer.guide)
    assert batch.risks(crowd[:cut]) + batch.risks(crowd[cut:]) == batch.risks(crowd)
    assert batch.risks(crowd)[-1] == scorer.risk(unpack_vector(crowd[-1]))


@unhurried
@given(slopes, vectors)
def test_what_was_foreseen_and_what_was_not_are_the_same(logistic: tuple[float, ...], asked: list[list[float]]) -> None:
    packed = list(map(pack_vector, asked))
    alone, told = Scorer(guide(logistic, logistic, logistic)), Scorer(guide(logistic, logistic, logistic))
    told.foresee(packed[::2])
    assert [told.risk_then(vector) for vector in packed] == [alone.risk_then(vector) for vector in packed]


def test_none_and_one_of_another_length() -> None:
    batch = Batch(initial_guide(NAMES, SCALES))
    assert batch.risks([]) == []
    with pytest.raises(ValueError, match="another length"):
        batch.risks([pack_vector([0.0] * WIDTH), pack_vector([0.0] * (WIDTH - 1))])
