import pytest

from alerts.evidence import TOPIC_OF, TOPICS, generic
from alerts.wording import counted, number, silence
from features.catalog import CATALOG, INDEX

DEFAULTS = {feature.name: float(feature.default) for feature in CATALOG}


def says(name: str, **values: float) -> str | None:
    return TOPIC_OF[name].says(DEFAULTS | values)


def test_every_feature_belongs_to_one_topic_and_topics_name_only_features() -> None:
    covered = [name for topic in TOPICS for name in topic.covers]
    assert sorted(covered) == sorted(INDEX)
    assert {name for topic in TOPICS for name in topic.shows} <= set(INDEX)


def test_a_topic_lies_within_one_family() -> None:
    family = {feature.name: feature.family for feature in CATALOG}
    assert all(len({family[name] for name in topic.covers}) == 1 for topic in TOPICS)


@pytest.mark.parametrize("name", sorted(INDEX))
def test_every_feature_can_be_spoken_for(name: str) -> None:
    """By its topic, with some unfavourable value."""
    covers = TOPIC_OF[name].covers
    unfavourable = [dict.fromkeys(covers, value) for value in (-1.0, 0.5, 1.5, 400.0)]
    unfavourable.append({other: 5.0 if "prev" in other else 1.0 for other in covers})
    assert any(says(name, **values) for values in unfavourable)


@pytest.mark.parametrize(
    ("name", "values", "sentence"),
    [
        ("logins_30d", {"logins_30d": 2, "logins_prev_30d": 11}, "2 logins in 30 days, 11 in the 30 before"),
        ("logins_30d", {"logins_prev_30d": 1}, "No logins in 30 days, 1 in the 30 before"),
        ("logins_30d", {}, None),
        ("orders_30d", {"orders_30d": 1, "orders_prev_30d": 3}, "1 order in 30 days, 3 in the 30 before"),
        ("orders_30d", {}, "No orders in 60 days"),
        ("orders_30d", {"orders_30d": 3, "orders_prev_30d": 1}, None),
        ("amount_30d", {"amount_30d": 30.0, "amount_prev_30d": 3.0, "amount_90d": 33.0}, None),
        ("basket_trend_90d", {"basket_trend_90d": 1.6}, None),
        ("orders_90d", {"orders_90d": 2, "orders_prev_90d": 5}, "2 orders in 90 days, 5 in the 90 before"),
        ("silence_over_gap", {"order_silence_days": 34, "gap_mean_days": 9.2, "order_days": 5},
         "No order for 34 days; usually every 9 days"),
        ("alive_index", {"order_silence_days": 3, "gap_mean_days": 40, "order_days": 2},
         "One order every 40 days, the last 3 days ago"),
        ("order_silence_days", {}, "No order yet"),
        ("order_silence_days", {"order_silence_days": 1, "order_days": 1}, "No order for 1 day"),
        ("gap_slowdown", {"gap_mean_days": 15.0, "gap_last_days": 40.0},
         "40 days between the last two orders, 15 on average"),
        ("gap_slowdown", {"gap_mean_days": 15.25, "gap_last_days": 10.0}, "An order every 15.2 days on average"),
        ("gap_slowdown", {}, None),
        ("amount_30d", {"amount_30d": 12.5, "amount_prev_30d": 340.0}, "12.5 spent in 30 days, 340 in the 30 before"),
        ("amount_30d", {"amount_90d": 80.0}, "80 spent in 90 days, nothing in the last 60"),
        ("order_days", {"order_days": 3, "tenure_days": 400.4}, "Orders on 3 days in 400 days as a customer"),
        ("discount_share_90d", {"discount_share_90d": 0.32}, "Discounts of 32 % in 90 days"),
        ("basket_trend_90d", {"basket_trend_90d": 0.6}, "The mean order of 90 days is 60 % of the mean order ever"),
        ("open_tickets", {"open_tickets": 2, "open_ticket_age_days": 6.2}, "2 tickets open, the oldest for 6 days"),
        ("open_tickets", {"open_tickets": 1, "open_ticket_age_days": 0.2}, "1 ticket open"),
        ("slow_tickets_90d", {"slow_tickets_90d": 1, "resolve_days_90d": 5}, "1 ticket took more than 3 days in 90 days"),
        ("resolve_days_90d", {"resolve_days_90d": 2.5}, "Tickets took 2.5 days to resolve in 90 days"),
        ("tickets_30d", {"tickets_30d": 1, "tickets_90d": 4}, "4 tickets in 90 days, 1 of them in the last 30"),
        ("satisfaction_90d", {"satisfaction_90d": 1.5}, "Satisfaction with the support 1.5 of 5 in 90 days"),
        ("satisfaction_90d", {"satisfaction_90d": 4.5}, None),
        ("nps_180d", {"nps_180d": 3}, "Survey answers: 3 of 10 in 180 days"),
        ("rating_90d", {"rating_90d": 2.1}, "Mean rating 2.1 of 5 in 90 days"),
        ("rating_90d", {}, None),
        ("rating_trend_90d", {"rating_trend_90d": -1.2}, "Ratings down by 1.2 stars in 90 days"),
        ("rating_trend_90d", {"rating_trend_90d": 1.2}, None),
        ("returned_orders_90d", {"returned_orders_90d": 2}, "2 orders returned in 90 days"),
        ("leaving_tickets_90d", {"leaving_tickets_90d": 1}, "1 ticket on cancelling in 90 days"),
        (
            "activity_silence_days",
            {"activity_silence_days": 12},
            "No login for 12 days, and no order yet",
        ),
        ("session_minutes_30d", {"session_minutes_30d": 4.0}, "Sessions of 4 minutes on average in 30 days"),
    ],
)  # fmt: skip
def test_sentences(name: str, values: dict[str, float], sentence: str | None) -> None:
    assert says(name, **values) == sentence


def test_a_feature_without_a_topic_speaks_by_its_meaning() -> None:
    assert generic("visits_7d", "Visits in 7 days.", "visits").says({"visits_7d": 3}) == "Visits in 7 days: 3 visits"
    assert generic("ratio", "Ratio.", "").says({"ratio": 0.333}) == "Ratio: 0.33"


def test_words_for_numbers() -> None:
    assert [number(value) for value in (0.0, -0.004, 10.0, 99.96, 1234.56)] == ["0", "0", "10", "100", "1234.6"]
    assert counted(1, "day") == "1 day"
    assert counted(0, "child", "children") == "no children"
    assert silence(34.9, None, "sign of life") == "No sign of life for 34 days"
