"""Intervals: against published examples, against a slow oracle, and for few customers."""

import numpy as np
import pytest
from scipy.stats import ttest_ind

from alerts.intervals import (
    Arm,
    Interval,
    Stratum,
    always_valid_margin,
    expected_difference,
    mean_difference,
    share_difference,
    share_error,
    weights,
)

#  Miettinen and Nurminen's limits in Newcombe, "Interval estimation for the difference between independent proportions",
#  Statistics in Medicine 17, 1998, table II, examples (a), (b), (c), (d), (g).
PUBLISHED = [
    ((56, 70, 48, 80), (0.0528, 0.3382)),
    ((9, 10, 3, 10), (0.1700, 0.8406)),
    ((6, 7, 2, 7), (0.0342, 0.8534)),
    ((5, 56, 0, 29), (-0.0326, 0.1933)),
    ((10, 10, 0, 20), (0.7156, 1.0)),
]


def found(interval: Interval | None) -> Interval:
    assert interval is not None
    return interval


@pytest.mark.parametrize(("counts", "limits"), PUBLISHED)
def test_limits_are_those_published(counts: tuple[int, int, int, int], limits: tuple[float, float]) -> None:
    kept, n, held_kept, held = counts
    interval = found(share_difference([Stratum(Arm(n, kept), Arm(held, held_kept))]))
    assert interval.low == pytest.approx(limits[0], abs=6e-5)
    assert interval.high == pytest.approx(limits[1], abs=6e-5)


def test_arms_changed_about_give_the_mirror_image() -> None:
    one, two = Arm(31, 12), Arm(9, 5)
    there, back = found(share_difference([Stratum(one, two)])), found(share_difference([Stratum(two, one)]))
    assert [-back.estimate, -back.high, -back.low] == pytest.approx(list(there), abs=1e-6)


def test_strata_keep_apart_what_a_changed_share_of_the_held_out_would_mix() -> None:
    # No difference in either month; in the good one half were held out, in the bad one hardly anybody.
    months = [Stratum(Arm(100, 80), Arm(100, 80)), Stratum(Arm(190, 38), Arm(10, 2))]
    mixed = [Stratum(Arm(290, 118), Arm(110, 82))]
    assert found(share_difference(months)).estimate == pytest.approx(0.0)
    assert found(share_difference(mixed)).high < 0


def test_a_stratum_without_one_arm_has_no_weight() -> None:
    both = Stratum(Arm(9, 5), Arm(3, 1))
    assert weights([both, Stratum(Arm(50, 50), Arm(0))]) == [1.0, 0.0]
    assert share_difference([both, Stratum(Arm(50, 50), Arm(0))]) == share_difference([both])
    assert share_difference([]) is share_difference([Stratum(Arm(5, 5), Arm(0))]) is None
    assert expected_difference([Stratum(Arm(5, 5), Arm(0))]) is None
    assert share_error([]) == float("inf")


@pytest.mark.parametrize("kept", [(0, 0), (20, 5), (20, 0), (0, 5)])
def test_all_or_none_kept_still_leaves_room_for_doubt(kept: tuple[int, int]) -> None:
    interval = found(share_difference([Stratum(Arm(20, kept[0]), Arm(5, kept[1]))]))
    assert -1.0 <= interval.low < interval.high <= 1.0
    assert interval.low - 1e-6 <= interval.estimate <= interval.high + 1e-6
    assert interval.high - interval.low > 0.3


@pytest.mark.parametrize("held", [8, 30])
def test_shares_are_covered_as_promised_with_few_held_out(held: int) -> None:
    draw = np.random.default_rng(11)
    covered = 0
    for _ in range(500):
        strata = [
            Stratum(
                Arm(9 * held, int(draw.binomial(9 * held, stays + 0.1))), Arm(held, int(draw.binomial(held, stays)))
            )
            for stays in (0.2, 0.5, 0.8)
        ]
        interval = found(share_difference(strata))
        covered += interval.low <= 0.1 <= interval.high
    assert covered >= 461  # of 500: three standard errors below 95 %


def test_means_are_compared_as_welch_does() -> None:
    draw = np.random.default_rng(1)
    one, two = draw.normal(10, 3, 40), draw.normal(8, 6, 12)

    def arm(spend: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Arm:
        return Arm(spend.size, 0, float(spend.sum()), float((spend**2).sum()))

    interval = found(mean_difference([Stratum(arm(one), arm(two))]))
    said = ttest_ind(one, two, equal_var=False).confidence_interval(0.95)
    assert (interval.low, interval.high) == pytest.approx((said.low, said.high))


def test_where_no_spread_can_be_told_no_mean_is() -> None:
    assert mean_difference([Stratum(Arm(9, 0, 5.0, 9.0), Arm(1, 0, 5.0, 25.0))]) is None
    assert mean_difference([Stratum(Arm(9), Arm(4))]) is None


def test_expected_spend_weighs_each_stratum_by_what_its_customers_are_worth() -> None:
    poor = Stratum(Arm(100, 60, expected=1_000.0), Arm(100, 50, expected=1_000.0))
    rich = Stratum(Arm(100, 50, expected=100_000.0), Arm(100, 50, expected=100_000.0))
    interval = found(expected_difference([poor, rich]))
    assert interval.estimate == pytest.approx(0.5 * 0.1 * 10.0)
    assert interval.low < 0 < interval.high
    assert interval.times(200).estimate == pytest.approx(100.0)


def test_the_margin_for_many_looks_is_wider_and_holds_for_all_of_them() -> None:
    assert always_valid_margin(0.0, 0.05) == 0.0
    assert always_valid_margin(0.02, 0.05) > always_valid_margin(0.02, 0.1) > 1.96 * 0.02
    steps = np.random.default_rng(2).standard_normal((400, 2_000)).cumsum(axis=1)
    number = np.arange(1, 2_001)
    margins = np.array([always_valid_margin(1 / np.sqrt(n), 0.05) for n in number.tolist()])
    assert np.any(np.abs(steps / number) > margins, axis=1).mean() <= 0.05
    assert np.any(np.abs(steps / number) > 1.96 / np.sqrt(number), axis=1).mean() > 0.3
