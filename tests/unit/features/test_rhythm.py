"""Gaps, and BG/NBD's indices from them."""

import math
from itertools import product

import pytest

from features.rhythm import LOG_ODDS_MAX, NO_RHYTHM, Rhythm, alive_log_odds, extend, quiet_log_odds


def test_no_day_and_one_day_have_no_gap() -> None:
    assert extend(NO_RHYTHM, []) == NO_RHYTHM
    assert NO_RHYTHM.mean_gap_days is None
    assert extend(NO_RHYTHM, [7]) == Rhythm(days=1, first_day=7, last_day=7)
    assert extend(NO_RHYTHM, [7]).mean_gap_days is None


@pytest.mark.parametrize("cut", range(6))
def test_a_rhythm_may_be_taken_up_where_it_was_left(cut: int) -> None:
    days = [3, 4, 14, 15, 40]
    whole = extend(NO_RHYTHM, days)
    assert extend(extend(NO_RHYTHM, days[:cut]), days[cut:]) == whole
    assert whole == Rhythm(5, 3, 40, 1 + 100 + 1 + 625, 25, 25)
    assert whole.span_days == 37
    assert whole.mean_gap_days == 37 / 4


def test_a_day_before_what_is_folded_away_counts_but_makes_no_gap() -> None:
    assert extend(Rhythm(2, 10, 20, 100, 10, 10), [15, 25]) == Rhythm(4, 10, 25, 125, 10, 5)


def test_alive_is_the_published_example() -> None:
    """Fader, Hardie and Lee (2005): P(alive) = 1 / (1 + a/(b+x-1) ((alpha+T)/(alpha+t_x))^(r+x)); x=2, t_x=30.43, T=38.86 weeks."""
    odds = alive_log_odds(2, round(30.43 * 7), round(38.86 * 7))
    gone = 0.793 / (2.426 + 1) * ((4.414 + 38.86) / (4.414 + 30.43)) ** 2.243
    assert math.isclose(1 / (1 + math.exp(-odds)), 1 / (1 + gone), abs_tol=1e-3)


def test_longer_silence_is_less_alive_and_more_quiet() -> None:
    alive = [alive_log_odds(5, 100, age) for age in range(100, 400, 10)]
    quiet = [quiet_log_odds(5, age, odds) for age, odds in zip(range(100, 400, 10), alive, strict=True)]
    assert alive == sorted(alive, reverse=True)
    assert quiet == sorted(quiet)


def test_the_same_silence_is_worse_news_of_a_frequent_customer() -> None:
    assert alive_log_odds(30, 100, 160) < alive_log_odds(2, 100, 160)


def test_indices_stay_finite_for_any_customer() -> None:
    for repeats, span, silence in product((0, 1, 10, 5_000), (0, 1, 10_000), (0, 1, 10_000)):
        alive = alive_log_odds(repeats, span, span + silence)
        assert -LOG_ODDS_MAX <= alive < LOG_ODDS_MAX
        assert -LOG_ODDS_MAX <= quiet_log_odds(repeats, span + silence, alive) <= LOG_ODDS_MAX
