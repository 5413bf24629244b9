import pytest

from alerts.policy import LANES, Policy, threshold_for
from alerts.segments import SEGMENTS
from streams.errors import ConfigError


def test_every_segment_has_a_lane_under_model_and_rule() -> None:
    assert len(set(LANES.values())) == 2 * len(SEGMENTS)


def test_the_guide_speaks_before_the_cold_threshold() -> None:
    policy = Policy()
    assert threshold_for({"loyal": 0.55}, "loyal", "model", policy) == 0.55
    assert threshold_for({"loyal": 0.55}, "loyal", "rule", policy) == policy.cold_threshold("loyal") == 0.65
    assert threshold_for({"rule/loyal": 0.45}, "loyal", "rule", policy) == 0.45
    assert threshold_for({"loyal": 0.0}, "loyal", "model", policy) == 0.0


def test_the_exit_lies_below_the_threshold_and_above_nothing() -> None:
    policy = Policy(hysteresis=0.1)
    assert policy.exit(0.6) == pytest.approx(0.5)
    assert policy.exit(0.1) == pytest.approx(0.05)


def test_a_segment_left_out_has_a_floor() -> None:
    assert Policy(floors={}).floor("loyal") == 0.6


@pytest.mark.parametrize(
    "wrong",
    [
        {"floors": {"regular": 0.5}},
        {"floors": {"loyal": 1.5}},
        {"shares": {"loyal": -0.1}},
        {"shares": {"loyal": 0.0, "new": 0.0}},
        {"shares": {}},
        {"earliness": -1.0},
        {"value_weight": -1.0},
        {"hysteresis": 1.1},
        {"holdout_share": -0.1},
        {"high_value_share": 2.0},
        {"cool_down_ms": -1},
        {"daily_budget": -1.0},
    ],
)
def test_figures_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        Policy(**wrong)  # type: ignore[arg-type]
