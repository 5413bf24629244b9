"""What a customer is worth, in words: the figure never goes without its uncertainty."""

from agents.record import Attributes, Customer
from alerts.value import HORIZONS_DAYS
from churnwatch.compose import first_guide
from churnwatch.worth import Worth, worth_of
from features.catalog import CATALOG
from features.state import Activity


def worth(figures: dict[str, float], attributes: Attributes | None = None) -> Worth:
    row = [figures.get(feature.name, float(feature.default)) for feature in CATALOG]
    return worth_of(Customer(Activity(currency="EUR"), attributes=attributes), first_guide(), row, 0.5)


REGULAR = {"order_days": 21.0, "gap_mean_days": 7.0, "order_silence_days": 3.0, "amount_lifetime": 1_050.0}


def test_a_regular_is_worth_a_range() -> None:
    told = worth(REGULAR)
    assert told.source == "orders"
    assert told.at_risk == told.annual_value / 2
    assert [one.horizon_days for one in told.forecasts] == list(HORIZONS_DAYS)
    assert "EUR in 365 days if they stay, by their orders" in told.words[0]
    assert "eight of ten such customers spend" in told.words[-1]


def test_of_one_who_may_have_left_that_is_said() -> None:
    told = worth({"order_days": 2.0, "gap_mean_days": 10.0, "order_silence_days": 80.0, "amount_lifetime": 60.0})
    assert "order nothing" in told.words[-1]
    assert "nine of ten no more than" in told.words[-1]


def test_of_one_who_has_surely_left_nothing_more_is_expected() -> None:
    told = worth(REGULAR | {"order_silence_days": 300.0})
    assert "nine of ten such customers order nothing" in told.words[-1]


def test_what_the_profile_states_goes_first() -> None:
    told = worth(REGULAR, Attributes(0, annual_value=900.0))
    assert (told.source, told.annual_value) == ("profile", 900.0)
    assert "as the profile says" in told.words[0]


def test_without_an_order_there_is_nothing_to_go_by() -> None:
    told = worth({})
    assert told.annual_value == 0.0
    assert len(told.words) == 1
