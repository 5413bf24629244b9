"""The ledger: sums by month, whatever the order and the cut."""

import pytest

from alerts.budget import BudgetKeeper
from alerts.counts import StatsBuilder
from alerts.ledger import KEYS_MAX, MONTHS_MAX, OTHER, Books, Ledger
from alerts.policy import Policy
from streams.errors import Corrupt

MAY_1997 = 10_000


def test_what_workers_book_is_summed_by_month_and_key() -> None:
    books = Books(Policy())
    for source, day in [(0, MAY_1997), (1, MAY_1997 + 1), (1, MAY_1997 + 31)]:
        stats = StatsBuilder()
        stats.book(day, "opened", "loyal")
        stats.book(day, "saved", "loyal", amount=250)
        books.absorb(source, stats.take())
    assert list(books.ledger.entries("opened")) == [("1997-05", ("loyal",), 2), ("1997-06", ("loyal",), 1)]
    assert list(books.ledger.entries("saved", {"1997-06": True})) == [("1997-06", ("loyal",), 250)]


def test_it_comes_back_as_it_was() -> None:
    books = Books(Policy())
    stats = StatsBuilder()
    stats.book(MAY_1997, "opened", "new")
    stats.add_rise(MAY_1997, "new", 0.2, 0.4)
    books.absorb(0, stats.take())
    again = Books(Policy())
    again.load(books.dump())
    assert again.dump() == books.dump()


def test_what_was_written_before_there_was_a_ledger_is_taken_back() -> None:
    keeper, stats = BudgetKeeper(Policy()), StatsBuilder()
    stats.add_rise(MAY_1997, "new", 0.2, 0.4)
    keeper.absorb(0, stats.take())
    books = Books(Policy())
    books.load(keeper.dump())
    assert books.budget.dump() == keeper.dump()
    assert not books.ledger.months


def test_it_is_bounded() -> None:
    ledger = Ledger()
    ledger.add(MAY_1997, {f"made up {n}": 1 for n in range(KEYS_MAX + 7)})
    assert ledger.months["1997-05"][OTHER] == 7
    for month in range(MONTHS_MAX + 3):
        ledger.add(MAY_1997 + 31 * month, {"opened": 1})
    assert len(ledger.months) <= MONTHS_MAX


@pytest.mark.parametrize("state", [{"1997-05": {"opened": "many"}}, 7, [["1997-05"]]])
def test_something_else_is_refused(state: object) -> None:
    with pytest.raises(Corrupt):
        Ledger().load(state)
