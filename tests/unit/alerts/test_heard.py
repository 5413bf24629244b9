import pytest

from alerts.heard import Heard
from streams.errors import Corrupt
from streams.time import DAY_MS


def test_days_that_have_not_ended_say_nothing_yet() -> None:
    heard = Heard()
    heard.add(10, ["kpi_report|contacted|"])
    heard.add(11, ["kpi_reporting|x", "opened|loyal"])
    assert heard.at(10 * DAY_MS + 5) == {}
    assert heard.at(11 * DAY_MS) == {"heard": True}


def test_what_is_remembered_comes_back_and_is_bounded() -> None:
    heard, other = Heard(), Heard()
    for day in range(1_000):
        heard.add(day, ["kpi_report|snoozed|"])
    state = heard.dump()
    assert isinstance(state, list)
    assert len(state) == 400
    other.load(state)
    assert other.dump() == state
    with pytest.raises(Corrupt, match="anew"):
        other.load(["yesterday"])
