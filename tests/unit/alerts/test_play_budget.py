"""Daily budgets of actions: the cut that leaves about so many a day, for those with the most at stake."""

import msgspec
import pytest

from alerts.budget import DAYS_KEPT_MAX, WEEK_DAYS, WINDOW_DAYS
from alerts.counts import VALUE_EDGES, StatsBuilder
from alerts.ledger import Books
from alerts.play import Play
from alerts.play_budget import CUTS, PlayBudgets, book_wanted, budgets_of, cuts_in, value_cut
from alerts.play_sums import PlaySums
from alerts.policy import Policy
from streams.errors import Corrupt
from streams.time import DAY_MS

BUDGETS = {"call": 3.0, "offer": 100.0}
VALUES = [10.0 * step for step in range(1, 11)]


def wanted(
    days: range, values: list[float], code: str = "call", given: int | None = None
) -> dict[int, list[dict[str, int]]]:
    """On each of the days, one alert of each value; so many of them get the action, as many as the budget allows by default."""
    stats = StatsBuilder()
    for day in days:
        for number, value in enumerate(values):
            book_wanted(stats, day, code, value, given=number < (BUDGETS[code] if given is None else given))
    return stats.take()


def fed(*takes: dict[int, list[dict[str, int]]]) -> PlayBudgets:
    budgets = PlayBudgets(BUDGETS)
    for taken in takes:
        for day, counts in taken.items():
            assert budgets.add(day, counts[3]) == {}
    return budgets


def sums() -> PlaySums:
    return PlaySums([Play(code, code, "", 1.0, budget_per_day=budget) for code, budget in BUDGETS.items()])


def cut(budgets: PlayBudgets, day: int, code: str = "call") -> float:
    found: dict[str, float] = budgets.at(day * DAY_MS).get(CUTS, {})
    return found.get(code, 0.0)


def test_so_many_a_day_are_left_as_the_budget_allows() -> None:
    found = cut(fed(wanted(range(100, 160), VALUES)), 160)
    assert sum(value >= found for value in VALUES) == 3


def test_without_more_wanted_than_there_is_there_is_no_cut() -> None:
    budgets = fed(wanted(range(100, 160), VALUES[:3]), wanted(range(100, 160), VALUES, "offer"))
    assert budgets.at(160 * DAY_MS) == {}


def test_nothing_is_cut_before_a_week_was_counted() -> None:
    taken = wanted(range(100, 160), VALUES)
    assert cut(fed(taken), 100 + WEEK_DAYS - 1) == 0.0
    assert cut(fed(taken), 100 + WEEK_DAYS) > 0.0
    assert PlayBudgets(BUDGETS).at(160 * DAY_MS) == {}


def test_days_on_which_nobody_wanted_it_count_too() -> None:
    """All of it is wanted on Mondays: three a day are twenty-one a week."""
    found = cut(fed(wanted(range(100, 156, 7), [float(value) for value in range(1, 43)], given=21)), 156)
    assert sum(value >= found for value in range(1, 43)) == pytest.approx(21, abs=1)


@pytest.mark.parametrize(("given", "left"), [(4, 4), (2, 6), (5, 3), (0, 6), (9, 2)])
def test_what_was_given_too_little_or_too_much_is_made_up_for_by_half_at_most(given: int, left: int) -> None:
    values = [10.0 * step for step in range(1, 21)]
    budgets = PlayBudgets({"call": 4.0})
    for day, counts in wanted(range(100, 160), values, given=given).items():
        budgets.add(day, counts[3])
    found = cut(budgets, 160)
    assert sum(value > found for value in values) == left


def test_the_window_moves_on() -> None:
    budgets = fed(wanted(range(100, 128), VALUES), wanted(range(128, 160), VALUES[:2]))
    assert cut(budgets, 128) > 0.0
    assert cut(budgets, 128 + WINDOW_DAYS) == 0.0


def test_only_whole_days_before_the_boundary_count() -> None:
    boundary_ms = 130 * DAY_MS + DAY_MS // 2
    early = fed(wanted(range(100, 130), VALUES))
    late = fed(wanted(range(100, 130), VALUES), wanted(range(130, 150), VALUES * 9))
    assert early.at(boundary_ms) == late.at(boundary_ms)


def test_partitions_add_up_in_any_order() -> None:
    takes = [wanted(range(100, 160), VALUES[::2]), wanted(range(120, 160), VALUES[1::2])]
    assert fed(*takes).dump() == fed(*reversed(takes)).dump()


def test_other_entries_are_handed_on_and_those_of_actions_without_a_budget_dropped() -> None:
    budgets = PlayBudgets(BUDGETS)
    entries = {"opened|loyal": 2, "wanted|call|x": 1, "wanted|call|999": 5, "wanted|gone|3": 1, "wanted|call|3": -4}
    assert budgets.add(100, entries) == {"opened|loyal": 2, "wanted|call|x": 1}
    assert budgets.dump() == [{100: {"call": {3: 0}}}, 100]


def test_the_days_kept_are_bounded() -> None:
    budgets = fed(wanted(range(100, 100 + DAYS_KEPT_MAX + 50), [1.0]))
    state = budgets.dump()
    assert isinstance(state, list)
    assert len(state[0]) == DAYS_KEPT_MAX


def test_the_state_survives_a_round_trip_with_the_books() -> None:
    books = Books(Policy(), sums())
    books.absorb(0, wanted(range(100, 160), VALUES))
    assert books.ledger.months == {}, "it would fill the ledger with what nobody reads"
    again = Books(Policy(), sums())
    again.load(msgspec.msgpack.decode(msgspec.msgpack.encode(books.dump()), strict=False))
    assert again.dump() == books.dump()
    derived = again.at(160 * DAY_MS, {})
    assert derived == books.at(160 * DAY_MS, {})
    assert list(derived[CUTS]) == ["call"]


def test_damaged_state_is_named_so() -> None:
    with pytest.raises(Corrupt, match="start the learner anew"):
        PlayBudgets(BUDGETS).load([{"days": 3}, None])


def test_a_cut_lies_within_the_bin_in_which_the_budget_ends() -> None:
    assert value_cut({}, 5.0) == value_cut({100: 5}, 5.0) == 0.0
    assert VALUE_EDGES[99] < value_cut({100: 10, 50: 3}, 5.0) < VALUE_EDGES[100]
    assert value_cut({0: 10}, 5.0) == pytest.approx(VALUE_EDGES[0] / 2, abs=1e-4)
    assert value_cut({len(VALUE_EDGES): 10}, 0.0) >= 2 * VALUE_EDGES[-1] * 0.999


def test_a_guide_that_says_something_else_cuts_nothing() -> None:
    assert cuts_in({}) == cuts_in({CUTS: {"call": "much"}}) == cuts_in({CUTS: 3}) == {}
    assert cuts_in({CUTS: {"call": 3}}) == {"call": 3.0}


def test_an_actions_rows_share_its_budget() -> None:
    plays = (
        Play("a", "A", "", 1.0, budget_per_day=2.0),
        Play("a", "A", "", 0.5, budget_per_day=2.0),
        Play("b", "B", "", 1.0),
    )
    assert budgets_of(plays) == {"a": 2.0}
