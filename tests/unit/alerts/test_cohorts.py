"""Cohorts: few whatever the age of the shop, and those booked early can be added to those booked late."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from alerts.cohorts import COHORTS_MAX, EARLIER, NONE, cohort_of, fold

EPOCH = date(1970, 1, 1).toordinal()


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal() - EPOCH


def test_the_latest_year_is_told_by_month_the_two_before_by_quarter_and_so_on() -> None:
    now = day("1998-05-20")
    assert cohort_of(day("1998-05-01"), now) == "1998-05"
    assert cohort_of(day("1997-07-01"), now) == "1997-07"
    assert cohort_of(day("1997-06-30"), now) == "1997-Q2"
    assert cohort_of(day("1996-01-01"), now) == "1996-Q1"
    assert cohort_of(day("1995-12-31"), now) == "1995"
    assert cohort_of(day("1992-12-31"), now) == EARLIER
    assert cohort_of(None, now) == NONE


@given(st.integers(7_000, 25_000))
def test_there_are_never_more_than_the_bound(now: int) -> None:
    assert len({cohort_of(first, now) for first in range(0, now + 1, 13)}) <= COHORTS_MAX


@given(st.integers(3_000, 20_000), st.integers(0, 3_000), st.integers(0, 3_000))
def test_folding_one_booked_early_gives_the_one_booked_late(first: int, soon: int, later: int) -> None:
    early, late = first + soon, first + soon + later
    month = date.fromordinal(late + EPOCH).isoformat()[:7]
    assert fold(cohort_of(first, early), month) == cohort_of(first, late)


def test_what_is_no_cohort_by_time_stays_as_it_is() -> None:
    assert [fold(cohort, "2020-01") for cohort in (EARLIER, NONE, "other")] == [EARLIER, NONE, "other"]
