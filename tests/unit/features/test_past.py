"""What is folded away: which days with an order are remembered, how many, and that the order of folding does not matter."""

from itertools import permutations

from features.past import ORDER_DAYS_SPAN, PRESENCE_DAYS_MAX, Past, fold
from features.tiles import RETENTION_DAYS, OrderTile
from features.windows import order_figures

TODAY = 20_000


def folded(*days: list[int]) -> Past:
    past = Past()
    for some in days:
        fold(past, [OrderTile(day, orders=1) for day in some], [], [])
    return past


def test_days_with_an_order_are_remembered_and_those_with_cancellations_only_are_not() -> None:
    past = Past()
    fold(past, [OrderTile(100, orders=2), OrderTile(101, cancelled=1), OrderTile(103, orders=1)], [], [])
    assert past.order_days == [100, 103]


def test_the_memory_of_days_is_bounded_by_its_span() -> None:
    days = list(range(1_000, 3_000))
    assert folded(days).order_days == days[-ORDER_DAYS_SPAN - 1 :]


def test_it_does_not_matter_in_which_order_days_are_folded() -> None:
    parts = [[1_000, 1_100], [1_050, 1_200], [1_100, 1_300]]
    assert {tuple(folded(*some).order_days) for some in permutations(parts)} == {(1_200, 1_300)}


def test_whatever_a_vector_two_weeks_late_may_ask_for_is_still_there() -> None:
    last_folded = TODAY - RETENTION_DAYS - 1
    oldest_asked_for = TODAY - 14 - PRESENCE_DAYS_MAX
    past = folded([oldest_asked_for, last_folded])
    assert past.order_days == [oldest_asked_for, last_folded]
    assert order_figures([], past, TODAY - 14)[2].bit_count() == 2
    assert order_figures([], past, TODAY - 13)[2].bit_count() == 1
