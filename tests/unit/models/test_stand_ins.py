import pytest

from models.labels import HELD_OUT, TREATED, UNTOUCHED, WARNED
from models.stand_ins import TIMES_MAX, StandIns


def test_who_was_not_touched_counts_once() -> None:
    stand_ins = StandIns()
    assert stand_ins.times([UNTOUCHED] * 5) == [1] * 5
    assert stand_ins == StandIns()


def test_the_held_out_count_for_the_treated() -> None:
    stand_ins = StandIns()
    week = [HELD_OUT, TREATED, TREATED, WARNED, TREATED, UNTOUCHED]
    times = [stand_ins.times(week) for _ in range(200)]
    assert times[-1][1:] == [0, 0, 1, 0, 1]
    assert sum(sum(once) for once in times[-100:]) == pytest.approx(600, abs=2)


def test_a_share_of_a_time_is_owed_to_the_next() -> None:
    stand_ins = StandIns()
    times = [stand_ins.times([TREATED, HELD_OUT, HELD_OUT]) for _ in range(100)]
    assert {tuple(once) for once in times[-20:]} <= {(0, 1, 2), (0, 2, 1)}


def test_without_held_out_everybody_who_was_warned_stands_in() -> None:
    stand_ins = StandIns()
    times = [stand_ins.times([TREATED, WARNED]) for _ in range(100)]
    assert times[-1] == [0, 2]


def test_where_nobody_can_stand_in_the_treated_count_as_they_are() -> None:
    assert StandIns().times([TREATED] * 500) == [1] * 500


def test_none_counts_without_end() -> None:
    stand_ins = StandIns()
    stand_ins.times([HELD_OUT] * 25)
    stand_ins.times([TREATED] * 5_00)
    assert max(stand_ins.times([HELD_OUT])) <= TIMES_MAX + 1


def test_how_examples_are_parted_makes_no_difference() -> None:
    reaches = [HELD_OUT, TREATED, WARNED, UNTOUCHED, TREATED] * 60
    whole, parts = StandIns(), StandIns()
    assert whole.times(reaches) == [count for reach in reaches for count in parts.times([reach])]
    assert whole == parts
