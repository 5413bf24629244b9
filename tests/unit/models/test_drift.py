import random

import msgspec
import numpy as np
import pytest

from models.drift import DAYS_MAX, PSI_WARNS, WEEKS_MAX, Drift, DriftState, Moved, Shift, excess_loss
from models.input_counts import EDGES, INPUT_BINS, InputCounts, counted
from models.labels import pack_vector
from models.sketch import Sketch, outcomes
from streams.errors import Corrupt
from streams.time import DAY_MS

NAMES = ("orders_30d", "gap_mean_days")
WEEK = 7


def snapshots(day: int, *, orders: float, count: int = 400) -> dict[int, list[int]]:
    rng, counts = random.Random(day), InputCounts()
    for _ in range(count):
        counts.add(day, pack_vector([float(rng.random() < orders), rng.gauss(30, 10)]))
    return counts.take()


def seen(*shares: float) -> DriftState:
    """Weeks of snapshots, with the share of customers who have ordered in each."""
    state = DriftState()
    for week, share in enumerate(shares):
        state.absorb(snapshots(week * WEEK, orders=share), len(NAMES))
    return state


def at(weeks: int) -> int:
    return weeks * WEEK * DAY_MS


def said(seed: int, *, bias: float = 0.0, base: float = 0.0) -> Sketch:
    """A week's risks, which are off by a factor of `bias` in their logits."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(base, 1.0, 2_000)
    labels = (rng.random(2_000) < 1 / (1 + np.exp(-odds))).astype(np.int64)
    sketch = Sketch()
    sketch.update(outcomes(1 / (1 + np.exp(-odds * (1.0 + bias))), labels))
    return sketch


# -- inputs ------------------------------------------------------------------------------------------------------------


def test_every_value_falls_into_one_bin_and_0_has_its_own() -> None:
    values = [float("nan"), float("inf"), -1e300, -1.0, 0.0, 0.5, 1.0, 2.0, 1e9]
    counts = counted([pack_vector([value]) for value in values])
    assert counts.sum() == len(values)
    assert counts[5] == 2, "0, and what is no number"
    assert counts[-1] == 2
    assert counts[0] == 1
    assert len(counts) == INPUT_BINS == len(EDGES) + 1


def test_inputs_that_stay_do_not_warn() -> None:
    drift = seen(*[0.4] * 30).drift(at(30), NAMES, NAMES)
    assert set(drift.inputs) == set(NAMES)
    assert max(drift.inputs.values()) < 0.05
    assert drift.warnings() == {}


def test_a_feature_that_moves_is_named_with_what_it_moved_from_and_to() -> None:
    drift = seen(*[0.6] * 26, *[0.1] * 4).drift(at(30), NAMES, NAMES)
    (moved,) = drift.moved
    assert moved.feature == "orders_30d"
    assert moved.psi == drift.inputs["orders_30d"] > PSI_WARNS
    assert (round(moved.before, 1), round(moved.now, 1)) == (0.4, 0.9)
    assert "orders_30d: 0 for 89 % of the customers, for 39 % before" in drift.warnings()["inputs"]
    assert drift.inputs["gap_mean_days"] < 0.05


def test_what_is_not_to_be_warned_of_is_measured_all_the_same() -> None:
    drift = seen(*[0.6] * 26, *[0.1] * 4).drift(at(30), NAMES, {"gap_mean_days"})
    assert drift.inputs["orders_30d"] > PSI_WARNS
    assert drift.warnings() == {}


def test_a_young_log_has_nothing_to_be_held_against() -> None:
    assert seen(*[0.6] * 16, *[0.1] * 4).drift(at(20), NAMES, NAMES) == Drift()


def test_the_warning_ends_once_the_new_state_has_lasted() -> None:
    state = seen(*[0.6] * 16, *[0.1] * 30)
    assert state.drift(at(46), NAMES, NAMES).moved == []


def test_few_snapshots_say_nothing() -> None:
    state = DriftState()
    for week in range(30):
        state.absorb(snapshots(week * WEEK, orders=1.0 if week > 25 else 0.0, count=20), len(NAMES))
    assert state.drift(at(30), NAMES, NAMES).inputs == {}


def test_days_that_have_not_ended_do_not_count() -> None:
    state = seen(*[0.4] * 30)
    before = state.drift(at(30), NAMES, NAMES)
    state.absorb(snapshots(30 * WEEK, orders=0.0), len(NAMES))
    assert state.drift(at(30), NAMES, NAMES) == before


def test_the_order_of_counts_does_not_matter() -> None:
    parts = [snapshots(week * WEEK, orders=0.3, count=30) for week in range(20) for _ in range(3)]
    straight, mixed = DriftState(), DriftState()
    for part in parts:
        straight.absorb(part, len(NAMES))
    random.Random(1).shuffle(parts)
    for part in parts:
        mixed.absorb(part, len(NAMES))
    assert mixed == straight


@pytest.mark.parametrize("counts", [[1, 2], ["1"] * 2 * INPUT_BINS, [-1] * 2 * INPUT_BINS, None])
def test_what_is_no_such_counts_is_refused_and_adds_nothing(counts: list[int]) -> None:
    state = DriftState()
    with pytest.raises(Corrupt, match="skip the message"):
        state.absorb({1: [0] * 2 * INPUT_BINS, 2: counts}, len(NAMES))
    assert state == DriftState()


# -- base rate and errors ----------------------------------------------------------------------------------------------


def labelled(sketches: list[Sketch]) -> DriftState:
    state = DriftState()
    for week, sketch in enumerate(sketches):
        state.close(at(week), sketch)
    return state


def test_honest_risks_have_no_excess_loss() -> None:
    assert abs(excess_loss(said(1))) < 0.02
    assert excess_loss(said(1, bias=2.0)) > 0.1


def test_as_long_as_all_stays_nothing_is_warned_of() -> None:
    drift = labelled([said(week) for week in range(50)]).drift(0, NAMES, NAMES)
    assert drift.base_rate is not None
    assert drift.errors is not None
    assert drift.warnings() == {}


def test_a_shift_of_the_base_rate_warns_and_is_no_error() -> None:
    drift = labelled([said(week, base=0.0 if week < 26 else 1.0) for week in range(30)]).drift(0, NAMES, NAMES)
    assert set(drift.warnings()) == {"base_rate"}
    assert drift.base_rate is not None
    assert drift.base_rate.now > drift.base_rate.before + 0.1


def test_a_rise_of_errors_warns_within_weeks_and_for_some_weeks() -> None:
    sketches = [said(week, bias=0.0 if week < 26 else 1.5) for week in range(52)]
    warned = [
        week for week in range(12, 52) if "errors" in labelled(sketches[: week + 1]).drift(0, NAMES, NAMES).warnings()
    ]
    assert warned
    assert warned[0] in range(26, 30)
    assert warned[-1] < 51, "the new level is what is known then"


def test_a_week_without_the_model_and_few_weeks_say_nothing() -> None:
    assert labelled([Sketch()] * 20).weeks == []
    assert labelled([said(week) for week in range(8)]).drift(0, NAMES, NAMES) == Drift()


# -- both --------------------------------------------------------------------------------------------------------------


def test_it_stays_small_whatever_comes_and_survives_the_store() -> None:
    state, week = DriftState(), said(1)
    for number in range(2 * DAYS_MAX):
        state.absorb({number: [1] * 2 * INPUT_BINS}, len(NAMES))
        state.close(at(number), week)
    assert (len(state.days), len(state.weeks)) == (DAYS_MAX, WEEKS_MAX)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=DriftState) == state


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (None, -8.0, "below -8"),
        (0.0, 1e-9, " 0 for"),
        (1e-9, 0.25, "0 to below 0.25"),
        (3_000.0, None, "3,000 or more"),
    ],
)
def test_ranges_are_said_in_words(low: float | None, high: float | None, words: str) -> None:
    assert words in str(Moved("f", 0.3, low, high, 0.1, 0.5))


def test_each_kind_of_drift_has_a_sentence() -> None:
    moved = Moved("f", 0.3, 0.0, 1e-9, 0.1, 0.5)
    drift = Drift({"f": 0.3}, [moved], Shift(0.6, 0.4, warns=True), Shift(0.0, 0.1, warns=True))
    assert set(drift.warnings()) == {"inputs", "base_rate", "errors"}
    assert all(sentence.endswith(".") for sentence in drift.warnings().values())
