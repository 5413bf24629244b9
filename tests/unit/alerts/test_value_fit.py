"""How customers buy, from counts: the fit finds what a shop was made of, and the sums know no order."""

from typing import Any

import numpy as np
import pytest

from alerts.counts import DayStats, StatsBuilder, counts_in
from alerts.value_fit import (
    CUSTOMERS_MIN,
    DAYS_WAITING_MAX,
    FIRSTS_MAX,
    PERIOD_DAYS,
    PERIODS_MAX,
    REPEATS,
    BuyingKeeper,
    cell_of,
    fit,
    frequent_days,
    typical,
    unpacked,
)
from streams.errors import Corrupt
from streams.time import DAY_MS

TODAY = 10_000


def shop(customers: int, shape: float, rate_days: float, a: float, b: float) -> dict[int, int]:
    """Cells of customers who buy and leave just as the model says."""
    rng, cells = np.random.default_rng(5), dict[int, int]()
    for _ in range(customers):
        day = first = last = float(TODAY - rng.integers(100, 700))
        rate, leaves, repeats = rng.gamma(shape) / rate_days, rng.beta(a, b), 0
        while rng.random() > leaves and (day := day + rng.exponential(1 / rate)) < TODAY:
            last, repeats = day, repeats + 1
        cell = cell_of(int(first), int(last), repeats)
        cells[cell] = cells.get(cell, 0) + 1
    return cells


def test_the_fit_finds_what_the_shop_is_made_of() -> None:
    shape, rate_days, a, b = fit(shop(3_000, 1.2, 60.0, 0.6, 3.0), TODAY)
    assert shape / rate_days == pytest.approx(1.2 / 60.0, rel=0.2)
    assert a / (a + b) == pytest.approx(0.6 / 3.6, rel=0.3)


def test_a_fit_of_few_customers_is_held_to_the_default() -> None:
    busy = cell_of(TODAY - 300, TODAY - 5, 60)
    few, many = fit({busy: 5}, TODAY), fit({busy: 5_000}, TODAY)
    assert few[0] / few[1] < many[0] / many[1]


def test_cells_tell_apart_what_matters() -> None:
    assert unpacked(cell_of(28 * 100, 28 * 103 + 27, 2)) == (100, 3, 2)
    assert unpacked(cell_of(28, 28 * 999, 10**6)) == (1, 255, len(REPEATS) - 1)


def days(*moves: tuple[int, int | None, int]) -> dict[int, DayStats]:
    stats = StatsBuilder()
    for day, old, new in moves:
        stats.move_buyer(day, old, new)
        if old is None:
            stats.add_first(day, 20.0)
    return counts_in(0, stats.take())


def kept(keeper: BuyingKeeper) -> list[Any]:
    found: Any = keeper.dump()
    return list(found)


def crowd(day: int) -> list[tuple[int, int | None, int]]:
    return [(day, None, cell_of(day - 3, day - 3, 0))] * CUSTOMERS_MIN


def test_one_who_moves_is_counted_once() -> None:
    first, second = cell_of(TODAY - 50, TODAY - 50, 0), cell_of(TODAY - 50, TODAY - 1, 1)
    keeper = BuyingKeeper()
    keeper.add(days((TODAY - 40, None, first), (TODAY, first, second), (TODAY, second, second)))
    keeper.at((TODAY + 1) * DAY_MS)
    assert kept(keeper)[0] == {second: 1}


def test_nothing_is_said_of_a_handful() -> None:
    keeper = BuyingKeeper()
    keeper.add(days(*crowd(TODAY)[1:]))
    assert keeper.at((TODAY + 1) * DAY_MS) == {}


def test_days_ahead_of_the_boundary_wait() -> None:
    keeper = BuyingKeeper()
    keeper.add(days(*crowd(TODAY), *crowd(TODAY + 1)))
    assert keeper.at(TODAY * DAY_MS) == {}
    told = keeper.at((TODAY + 1) * DAY_MS)["buying"]
    assert 19.0 < told[-1] < 21.0
    once = BuyingKeeper()
    once.add(days(*crowd(TODAY)))
    assert once.at((TODAY + 1) * DAY_MS)["buying"] == told


def test_it_is_fitted_anew_every_four_weeks() -> None:
    keeper = BuyingKeeper()
    keeper.add(days(*crowd(TODAY)))
    first = keeper.at((TODAY + 1) * DAY_MS)
    keeper.add(days(*[(TODAY + 2, None, cell_of(TODAY - 400, TODAY, 40))] * 50))
    assert keeper.at((TODAY + PERIOD_DAYS) * DAY_MS) == first
    assert keeper.at((TODAY + PERIOD_DAYS + 1) * DAY_MS) != first


def test_it_is_bounded() -> None:
    keeper = BuyingKeeper()
    for day in range(DAYS_WAITING_MAX + 5):
        keeper.add(days((day, None, cell_of(day, day, 0))))
    assert len(kept(keeper)[4]) == DAYS_WAITING_MAX
    keeper.add({1: DayStats(firsts={50: 10 * FIRSTS_MAX, 60: 1})})
    keeper.at((PERIODS_MAX + 40) * PERIOD_DAYS * DAY_MS)
    assert kept(keeper)[0] == {}
    assert sum(kept(keeper)[1].values()) <= FIRSTS_MAX


def test_frequent_is_what_a_third_of_last_year_s_customers_has_reached() -> None:
    cells = {cell_of(TODAY - 200, TODAY - 9, repeats): 10 for repeats in range(9)}
    assert frequent_days(cells, TODAY) == 7  # 7, 8 or 9 days with an order: 30 of 90
    long_ago = {cell_of(TODAY - 900, TODAY - 600, 40): 1_000}
    assert frequent_days(cells | long_ago, TODAY) == 7
    assert frequent_days(long_ago, TODAY) == frequent_days({}, TODAY) == 0


def test_it_comes_back_as_it_was() -> None:
    keeper, again = BuyingKeeper(), BuyingKeeper()
    keeper.add(days(*crowd(TODAY), *crowd(TODAY + 3)))
    keeper.at((TODAY + 1) * DAY_MS)
    again.load(keeper.dump())
    assert again.dump() == keeper.dump()
    assert again.at((TODAY + 40) * DAY_MS) == keeper.at((TODAY + 40) * DAY_MS)


@pytest.mark.parametrize("state", [7, [{"a": 1}], [{}, {}, ["much"], 1, {}]])
def test_something_else_is_refused(state: object) -> None:
    with pytest.raises(Corrupt):
        BuyingKeeper().load(state)


def test_counts_below_nothing_do_no_harm() -> None:
    cell = cell_of(TODAY - 90, TODAY - 80, 1)
    assert fit({cell: 300, cell + 1: -4}, TODAY) == fit({cell: 300}, TODAY)
    assert typical({200: 3, 150: -7}) == typical({200: 3})
