"""Who buys how, counted on the weekly look: everybody once, however often they order, however long they are silent."""

from typing import Any

import pytest

from agents.buyers import count_buying
from agents.effects import Effects
from agents.sight import see
from alerts.counts import DayStats, counts_in
from alerts.value import DEFAULT_BUYING
from alerts.value_fit import BuyingKeeper, cell_of
from streams.time import DAY_MS, day_of
from tests.unit.agents.samples import order
from tests.unit.agents.shop import NOON_MS, Shop

FIRST_DAY = day_of(NOON_MS)


def cells_of(*counted: dict[int, DayStats]) -> dict[int, int]:
    keeper = BuyingKeeper()
    for counts in counted:
        keeper.add(counts)
    keeper.at((FIRST_DAY + 1_000) * DAY_MS)
    found: Any = keeper.dump()
    return {cell: count for cell, count in found[0].items() if count}


def counts(effects: Effects) -> dict[int, DayStats]:
    return counts_in(0, effects.stats.take())


@pytest.mark.parametrize("gap_days", [1, 6, 7, 8, 30])
def test_everybody_is_counted_once_wherever_they_have_come_to(gap_days: int) -> None:
    shop, told = Shop(), []
    for number in range(8):
        at_ms = NOON_MS + number * gap_days * DAY_MS
        items = [
            order(name, at_ms + hour, event_id=f"{name} {number} {hour}") for name in ("ann", "bob") for hour in (0, 1)
        ]
        told.append(counts(shop.take(*items, until_ms=at_ms + 2)))
    told.append(counts(shop.wait(300)))
    last_day = FIRST_DAY + 7 * gap_days
    assert cells_of(*told) == {cell_of(FIRST_DAY, last_day, 7): 2}


def test_first_orders_are_counted_by_amount() -> None:
    shop = Shop()
    told = [counts(shop.take(order("ann", NOON_MS), until_ms=NOON_MS)), counts(shop.wait(20))]
    assert sum(sum(day.firsts.values()) for one in told for day in one.values()) == 1


def test_who_has_not_ordered_since_the_last_snapshot_is_left_alone() -> None:
    shop = Shop()
    shop.regular("ann")
    customer, effects = shop.customers["ann"], Effects()
    for silent_days in (7, 8, 50):
        customer.as_of_ms = (day_of(shop.clock_ms) + 1 + silent_days) * DAY_MS
        sight = see(customer, "orders", DEFAULT_BUYING, silence=True)
        count_buying(customer.activity, sight.history, day_of(customer.as_of_ms), 7, effects)
    assert effects.stats.take() == {}
