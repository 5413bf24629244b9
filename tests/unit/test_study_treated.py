"""The study of treated examples: its parts, on shops too small to tell anything."""

import numpy as np

from studies.treated import (
    AS_THEY_ARE,
    AUC_SLACK,
    CENSORED,
    CHOSEN,
    FIGURES,
    REGIMES,
    UNTREATED,
    figures,
    holds,
    reached,
    run,
)
from studies.treated_shop import HORIZON, NAMES, Shop


def test_a_shop_is_a_function_of_its_seed() -> None:
    one, other = Shop(3, 50, 30), Shop(3, 50, 30)
    for week in range(1, 29):
        one.pass_week(week)
        other.pass_week(week)
    assert (one.orders == other.orders).all()
    assert one.vectors(28).shape == (50, len(NAMES))
    assert set(one.left(28 - HORIZON).tolist()) == {0, 1}


def test_a_treatment_saves_some_of_those_who_fade() -> None:
    shop = Shop(3, 400, 30)
    for week in range(1, 20):
        shop.pass_week(week)
    fading = int((shop.fading > 0).sum())
    shop.treat(shop.fading > 0)
    assert 0 < int((shop.fading > 0).sum()) < fading


def test_what_is_reached_had_not_answered_before() -> None:
    orders = np.zeros((4, 20))
    orders[1, 6] = orders[3, 3] = 1.0
    at = np.array([8, 8, 5 + HORIZON, 4])
    assert reached(at, 5, orders).tolist() == [True, False, False, False]


def test_every_regime_says_something_and_only_one_has_no_team() -> None:
    told = {name: run(regime, 1, customers=40, weeks=32) for name, regime in REGIMES.items()}
    assert [name for name, regime in REGIMES.items() if not regime.treats] == [UNTREATED]
    for weeks in told.values():
        assert set(figures(weeks)) == set(FIGURES)
    # The twins are the same people with the same fate in every regime.
    labels = {tuple(labels.tolist()) for weeks in told.values() for _, labels in weeks[:1]}
    assert len(labels) == 1


def test_the_choice_holds_where_it_is_closest_to_the_untreated_and_ranks_as_well() -> None:
    one = dict.fromkeys(FIGURES, 0.5)
    found = {
        UNTREATED: one | {"top_bias": 0.0},
        AS_THEY_ARE: one | {"top_bias": -0.1},
        CENSORED: one | {"top_bias": -0.3},
        CHOSEN: one | {"top_bias": 0.01},
    }
    assert holds(found)
    assert not holds(found | {CHOSEN: one | {"top_bias": -0.2}})
    assert not holds(found | {CHOSEN: found[CHOSEN] | {"auc": 0.5 - 2 * AUC_SLACK}})
