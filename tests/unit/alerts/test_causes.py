"""How much each family has to do with a departure."""

from math import exp

import pytest

from alerts.causes import FeatureEffect, explained, shares_of
from alerts.signs import Sign


def effect(name: str, family: str, contribution: float, apart: float = 0.0, value: float = 1.0) -> FeatureEffect:
    return FeatureEffect(name, family, contribution, value, apart=apart)  # type: ignore[arg-type]


def test_a_complaint_that_is_no_news_counts_against_customers_alike() -> None:
    shares = shares_of([effect("billing_tickets_90d", "price", -0.1, apart=0.4)], {})
    assert shares["price"].raised == 0.4


def test_engagement_is_held_against_the_own_past_alone() -> None:
    shares = shares_of([effect("logins_30d", "engagement", 0.2, apart=0.9)], {})
    assert shares["engagement"].raised == 0.2


def test_what_did_not_happen_is_no_reason() -> None:
    assert not shares_of([effect("open_tickets", "service", 0.5, apart=0.5, value=0.0)], {})


def test_tickets_as_such_go_to_what_they_were_about() -> None:
    given = [effect("tickets_90d", "service", 0.8, value=4.0)]
    shares = shares_of(given, {"billing_tickets_90d": 3.0, "service_tickets_90d": 1.0})
    assert {code: share.raised for code, share in shares.items()} == pytest.approx({"price": 0.6, "service": 0.2})
    assert shares_of(given, {})["service"].raised == 0.8


def test_a_low_rating_goes_to_what_the_review_named() -> None:
    given = [effect("rating_90d", "product", 0.5, value=1.0)]
    assert shares_of(given, {"rival_complaints_90d": 1.0})["competition"].raised == 0.5
    assert shares_of(given, {})["product"].raised == 0.5


def test_signs_explain_a_part_of_falling_engagement_and_no_more() -> None:
    signs = [Sign("price", 1.0, "", ()), Sign("service", 0.5, "", ())]
    told = explained({"engagement": 2.0, "service": 0.5, "product": -1.0}, signs)
    assert told["engagement"] == pytest.approx(2 * exp(-2))
    assert told["price"] == pytest.approx(2 * (1 - exp(-2)) / 2)
    assert told["service"] == pytest.approx(0.5 + 2 * (1 - exp(-2)) / 2)
    assert told["product"] == -1.0


def test_where_nothing_was_said_everything_stays_as_the_model_has_it() -> None:
    assert explained({"engagement": 0.7}, []) == {"engagement": 0.7}
    assert explained({"service": 0.7, "engagement": -0.1}, [Sign("price", 1.0, "", ())]) == {
        "service": 0.7,
        "engagement": -0.1,
    }
