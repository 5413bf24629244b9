import numpy as np
import pytest

from models.alarms import LEAVERS_MIN, WEEKS, Alarms


def counted(warned: list[bool], labels: list[int], silence: list[float]) -> Alarms:
    alarms = Alarms()
    alarms.update(np.array(warned), np.array(labels), np.array(silence))
    return alarms


def test_leavers_are_counted_by_their_weeks_of_silence() -> None:
    alarms = counted([True, False, True, True], [1, 1, 0, 1], [0.0, 8.0, 8.0, 900.0])
    assert alarms.leavers == [1, 1] + [0] * (WEEKS - 3) + [1]
    assert alarms.caught == [1, 0] + [0] * (WEEKS - 3) + [1]
    assert (alarms.asked, alarms.churned, alarms.warned, alarms.right) == (4, 3, 3, 2)


def test_the_lead_is_what_silence_leaves_of_the_horizon() -> None:
    leavers = [100] * WEEKS
    early = Alarms(leavers=leavers, caught=[80] * WEEKS)
    late = Alarms(leavers=leavers, caught=[0] * (WEEKS - 1) + [80])
    assert early.figures(60)["lead_days"] == pytest.approx(60 - 3.5)
    assert late.figures(60)["lead_days"] == 0.0


def test_weeks_with_few_leavers_say_nothing_about_the_lead() -> None:
    few = [LEAVERS_MIN - 1] * WEEKS
    assert Alarms(leavers=few, caught=few).silence_days() is None
    assert Alarms().figures(60) == {}


def test_sets_add_up() -> None:
    both = counted([True, False], [1, 0], [3.0, 9.0])
    more = counted([False], [1], [20.0])
    both.merge(more)
    assert both == counted([True, False, False], [1, 0, 1], [3.0, 9.0, 20.0])
