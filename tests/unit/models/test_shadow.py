import msgspec
import numpy as np
import pytest

from models.block import block
from models.labels import pack_vector
from models.scorer import Scorer
from models.shadow import SHADOWS_MAX, Shadows
from streams.time import DAY_MS
from tests.unit.models.samples import guide

SPAN_MS = 70 * DAY_MS


def kept(*days: float) -> Shadows:
    shadows = Shadows()
    for version, day in enumerate(days, 1):
        shadows.keep(guide(version, int(day * DAY_MS), thresholds={"new": version / 10}), 0.5, SPAN_MS)
    return shadows


def test_the_first_guide_of_a_day_stands_for_those_cut_after_it() -> None:
    shadows = kept(1, 1.5, 1.9, 2)
    found = [shadows.speaking(version) for version in range(5)]
    assert [shadow and shadow.version for shadow in found] == [None, 1, 1, 1, 4]


def test_guides_are_forgotten_once_no_label_of_theirs_is_due() -> None:
    shadows = kept(*range(1, 101))
    assert shadows.kept[0].cut_ms == 30 * DAY_MS
    assert shadows.speaking(29) is None


def test_it_stays_bounded() -> None:
    shadows = Shadows()
    for version in range(1, 2 * SHADOWS_MAX):
        shadows.keep(guide(version, version * DAY_MS), 0.5, 10**6 * DAY_MS)
    assert len(shadows.kept) == SHADOWS_MAX


def test_thresholds_are_those_of_the_version_that_spoke() -> None:
    shadows = kept(1, 2, 3)
    rows = [(1, "new"), (3, "new"), (3, "loyal"), (0, "new")]
    asked = block([(0, 0, "c", 1, 0.5, version, segment, pack_vector([1.0])) for version, segment in rows])
    np.testing.assert_array_equal(shadows.thresholds(asked), [0.1, 0.3, np.nan, np.nan])


def test_it_survives_the_store() -> None:
    shadows = kept(1, 2, 3)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(shadows), type=Shadows) == shadows


@pytest.mark.parametrize("weights", [(0.5, 0.5), (1.0, 0.0), (0.0, 1.0), (0.3, 0.7)])
def test_base_learners_blended_say_what_the_guide_said(weights: tuple[float, float]) -> None:
    cut = guide(1, DAY_MS, weights=weights)
    shadows = Shadows()
    shadows.keep(cut, 0.5, SPAN_MS)
    vectors = [(0.0, 0.0, 0.0), (30.0, 2.0, 1.5), (400.0, 0.0, 9.0), (3.0, 50.0, -9.0)]
    inputs = np.array(vectors)
    logits = shadows.kept[0].logits(np.where([True, True, False], np.log1p(np.abs(inputs)), inputs))
    assert (logits @ np.array(weights)).tolist() == pytest.approx([Scorer(cut).logit(vector) for vector in vectors])
