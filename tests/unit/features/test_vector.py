"""Vectors of hand-made customers, worked out by hand."""

from math import sqrt

import pytest

from features.catalog import CATALOG, NAMES
from features.state import Activity, prune
from features.vector import vector
from tests.unit.features.samples import DAY_0, at, feed

DEFAULTS = {feature.name: float(feature.default) for feature in CATALOG}


def values(activity: Activity, day: float) -> dict[str, float]:
    return dict(zip(NAMES, vector(activity, at(day)), strict=True))


def changed(activity: Activity, day: float) -> dict[str, float]:
    """What is not at its default."""
    return {name: value for name, value in values(activity, day).items() if value != DEFAULTS[name]}


@pytest.mark.parametrize("day", [-DAY_0, 0, 0.5])
def test_a_customer_of_whom_nothing_is_known_has_the_defaults(day: float) -> None:
    assert values(Activity.empty(), day) == DEFAULTS


def test_events_of_later_days_leave_the_defaults() -> None:
    activity = feed(Activity.empty(), "orders", 5, 9, status="placed")
    feed(activity, "orders", 6, status="cancelled")
    feed(activity, "logins", 5, channel="app")
    feed(activity, "tickets", 6, status="opened", severity="high")
    feed(activity, "reviews", 7, rating=1, nps=2, topics=["price"])
    feed(activity, "cancellations", 8)
    assert values(activity, 5) == DEFAULTS


def test_a_regular_customer() -> None:
    activity = feed(Activity.empty(), "orders", 0, 10, 30, amount=20.0, items=2, discount=5)
    found = changed(activity, 41)
    usual = (30 + 30) / 3
    deviation = sqrt((100 + 400 + 1_800) / 3 - usual**2)
    assert {name: value for name, value in found.items() if "index" not in name} == {
        "order_silence_days": 10,
        "orders_30d": 1,
        "orders_prev_30d": 2,
        "orders_90d": 3,
        "amount_30d": 20,
        "amount_prev_30d": 40,
        "amount_90d": 60,
        "order_trend_30d": 2 / 3,
        "order_trend_90d": 4,
        "items_90d": 6,
        "discount_share_90d": 0.2,
        "gap_mean_days": 15,
        "gap_deviation_days": 5,
        "gap_max_days": 20,
        "gap_last_days": 20,
        "gap_slowdown": 50 / 45,
        "silence_over_gap": 10 / usual,
        "silence_deviations": pytest.approx((10 - usual) / deviation),
        "tenure_days": 40,
        "order_days": 3,
        "order_rate_30d": 60 / 70,
        "order_span_share": 30 / 40,
        "amount_per_order": 20,
        "amount_lifetime": 60,
        "ordered_8_14d": 1,
        "ordered_31_45d": 1,
        "activity_silence_days": 10,
    }


def test_within_a_day_that_day_counts_and_at_midnight_it_does_not() -> None:
    activity = feed(Activity.empty(), "orders", 3, 10.25)
    assert values(activity, 10)["orders_7d"] == 1
    assert values(activity, 10.5)["orders_7d"] == 1  # day 3 has left the window as day 10 came in
    assert values(activity, 9.5)["orders_7d"] == 1
    assert values(activity, 11)["orders_30d"] == 2


@pytest.mark.parametrize("day", [10.25, 10.9, 11])
def test_silence_is_the_same_on_the_day_of_the_order_and_at_the_midnight_after(day: float) -> None:
    activity = feed(Activity.empty(), "orders", 10.25)
    assert values(activity, day)["order_silence_days"] == 0
    assert values(activity, day + 3)["order_silence_days"] == 3


def test_where_there_are_no_orders_silence_is_measured_by_logins() -> None:
    by_logins = values(feed(Activity.empty(), "logins", 0, 5, 10), 31)
    by_orders = values(feed(Activity.empty(), "orders", 0, 5, 10), 31)
    for name in ("silence_over_gap", "silence_deviations", "order_rate_30d", "order_span_share", "alive_index"):
        assert by_logins[name] == by_orders[name] != DEFAULTS[name]
    assert by_logins["gap_mean_days"] == by_logins["order_days"] == by_logins["order_silence_days"] == 0
    assert by_logins["activity_silence_days"] == 20


def test_orders_come_before_logins() -> None:
    activity = feed(Activity.empty(), "orders", 0, 20)
    feed(activity, "logins", *range(30))
    assert values(activity, 31)["silence_over_gap"] == 10 / 25
    assert values(activity, 31)["activity_silence_days"] == 1


def test_the_only_login_day_is_not_forgotten_with_its_tile() -> None:
    activity = feed(Activity.empty(), "logins", 0, 10)
    before = values(activity, 300)
    prune(activity, at(300))
    assert activity.login_tiles == []
    assert values(activity, 300) == before


def test_tickets_and_reviews() -> None:
    activity = feed(Activity.empty(), "tickets", 10, status="opened", ticket_id="a", category="billing")
    feed(activity, "tickets", 14, status="resolved", ticket_id="a", satisfaction=2)
    feed(activity, "tickets", 50, status="opened", ticket_id="b", category="return", severity="high")
    feed(activity, "tickets", 50.5, status="opened", ticket_id="c", category="cancellation")
    feed(activity, "tickets", 51, status="resolved", ticket_id="c")
    feed(activity, "reviews", 2, rating=5)
    feed(activity, "reviews", 95, rating=2, nps=4, topics=["delivery", "service", "price", "price", "other"])
    assert changed(activity, 100) == {
        "tenure_days": 97,
        "tickets_90d": 3,
        "open_tickets": 1,
        "open_ticket_age_days": 50,
        "slow_tickets_90d": 2,
        "resolve_days_90d": 2.25,
        "severe_tickets_90d": 1,
        "satisfaction_90d": 2,
        "billing_tickets_90d": 1,
        "product_tickets_90d": 1,
        "leaving_tickets_90d": 1,
        "rating_90d": 2,
        "rating_trend_90d": -3,
        "nps_180d": 4,
        "price_mentions_90d": 1,
        "service_mentions_90d": 1,
        "other_mentions_90d": 1,
    }


@pytest.mark.parametrize(("day", "count"), [(10, 0), (11, 1), (190, 1), (191, 0)])
def test_cancellations_of_180_days(day: int, count: int) -> None:
    assert values(feed(Activity.empty(), "cancellations", 10), day)["cancellations_180d"] == count


def test_free_orders_have_no_basket_trend() -> None:
    found = values(feed(Activity.empty(), "orders", 1, 2, amount=0), 3)
    assert (found["basket_trend_90d"], found["discount_share_90d"], found["amount_per_order"]) == (1, 0, 0)
