"""Signs of causes, in a customer's figures."""

import pytest

from alerts.signs import signs_in
from features.catalog import NAMES
from features.said import SAID

KNOWN = {*NAMES, *(feature.name for feature in SAID)}


def said(**values: float) -> list[tuple[str, str]]:
    return [(sign.code, sign.told) for sign in signs_in(values)]


def test_complaints_by_family_the_strongest_first() -> None:
    assert said(service_tickets_90d=1.0, rival_complaints_90d=1.0, price_complaints_90d=1.0) == [
        ("competition", "1 poor review that speaks of competitors in 90 days"),
        ("price", "1 poor review on the price in 90 days"),
        ("service", "1 ticket on service, delivery or the account in 90 days"),
    ]


def test_more_complaints_count_more_and_three_as_much_as_ten() -> None:
    lifts = [signs_in({"unhappy_tickets_90d": float(count)})[0].lift for count in (1, 2, 3, 10)]
    assert lifts == sorted(lifts)
    assert lifts[2] == lifts[3] == 2 * lifts[0]


@pytest.mark.parametrize(
    ("latest", "told"),
    [
        (0.0, "Discounts of 12 % before, none on the latest 3 order days"),
        (0.03, "Discounts of 12 % before, 3 % on the latest 3 order days"),
    ],
)
def test_discounts_that_have_ended(latest: float, told: str) -> None:
    assert said(discount_share_before=0.12, discount_share_latest=latest) == [("price", told)]


def test_discounts_that_go_on_or_never_were_are_no_sign() -> None:
    assert not said(discount_share_before=0.12, discount_share_latest=0.05)
    assert not said(discount_share_before=0.02, discount_share_latest=0.0)


def test_a_basket_that_shrank() -> None:
    assert said(basket_before=80.0, basket_latest=50.0) == [
        ("price", "Orders of 50 on the latest 3 order days, 80 before")
    ]
    assert not said(basket_before=80.0, basket_latest=70.0)


def test_visits_that_go_on_without_orders() -> None:
    figures = {"logins_30d": 6.0, "logins_prev_30d": 7.0, "order_silence_days": 30.0, "gap_mean_days": 10.0}
    assert said(**figures) == [("competition", "Still comes by (6 logins in 30 days), but no order for 30 days")]
    assert not said(**figures | {"logins_30d": 2.0})
    assert not said(**figures | {"logins_prev_30d": 20.0})
    assert not said(**figures | {"order_silence_days": 12.0})
    assert not said(**figures | {"gap_mean_days": 0.0})


def test_every_figure_quoted_is_one_that_is_computed() -> None:
    everything = dict.fromkeys(KNOWN, 5.0) | {
        "discount_share_before": 0.2, "discount_share_latest": 0.0, "basket_before": 9.0, "order_silence_days": 90.0,
    }  # fmt: skip
    signs = signs_in(everything)
    assert {sign.code for sign in signs} == {"price", "service", "product", "competition"}
    assert all(set(sign.shows) <= KNOWN for sign in signs)
