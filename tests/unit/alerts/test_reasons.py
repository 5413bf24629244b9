from typing import Any

import msgspec
import pytest

from alerts.alert import Code, Reason
from alerts.causes import FeatureEffect
from alerts.episode import Transition
from alerts.reasons import Rise, Silence, explain, explain_step
from features.catalog import CATALOG
from streams.time import DAY_MS

QUIET = Silence(34.0, 9.0)
STEP = Transition(
    "opened", "rise", "c-1", "e", "a", 10_000 * DAY_MS, 0.38, 0.6, "high", "loyal", "model", holdout=False
)


def effects(values: dict[str, float], contributions: dict[str, float]) -> list[FeatureEffect]:
    """Everything in the catalogue, at its default and without effect unless said otherwise."""
    return [
        FeatureEffect(
            feature.name,
            feature.family,
            contributions.get(feature.name, 0.0),
            values.get(feature.name, feature.default),
            feature.default,
            feature.unit,
            feature.meaning,
        )
        for feature in CATALOG
    ]


def test_reasons_are_families_by_weight_with_evidence_and_figures() -> None:
    # The ticket raises the risk by 0.2, and explains 1 - exp(-0.2) of the 0.6 of fewer logins.
    given = effects(
        {"logins_30d": 2, "logins_prev_30d": 11, "open_tickets": 1, "open_ticket_age_days": 6},
        {"logins_30d": 0.6, "open_tickets": 0.2},
    )
    assert explain(given, QUIET, "model") == [
        Reason(
            "engagement",
            0.614,
            "2 logins in 30 days, 11 in the 30 before",
            {"logins_30d": 2, "logins_prev_30d": 11},
        ),
        Reason(
            "service", 0.3859, "1 ticket open, the oldest for 6 days", {"open_tickets": 1, "open_ticket_age_days": 6}
        ),
    ]


def test_correlated_features_cancel_within_their_family() -> None:
    given = effects(
        {"open_tickets": 1, "tickets_90d": 2}, {"open_tickets": 0.5, "tickets_90d": -0.6, "logins_30d": 0.1}
    )
    assert [reason.code for reason in explain(given, QUIET, "model")] != ["service"]


def test_the_strongest_topics_speak_first_and_two_at_most() -> None:
    given = effects(
        {
            "orders_30d": 1,
            "orders_prev_30d": 3,
            "logins_30d": 2,
            "logins_prev_30d": 11,
            "order_silence_days": 34,
            "order_days": 5,
        },
        {"orders_30d": 0.2, "order_trend_30d": 0.2, "logins_30d": 0.3, "order_silence_days": 0.1},
    )
    (reason,) = explain(given, QUIET, "model")
    assert reason.evidence == "1 order in 30 days, 3 in the 30 before; 2 logins in 30 days, 11 in the 30 before"
    assert list(reason.features) == ["orders_30d", "orders_prev_30d", "logins_30d", "logins_prev_30d"]


def test_what_did_not_happen_is_no_reason() -> None:
    given = effects({}, {"open_tickets": 0.5, "rating_90d": 0.5, "discount_share_90d": 0.5})
    assert [reason.code for reason in explain(given, QUIET, "model")] == ["engagement"]


def test_a_default_is_never_quoted_as_a_rating() -> None:
    given = effects({"rating_trend_90d": -1.0}, {"rating_90d": 0.9, "rating_trend_90d": 0.5})
    (reason,) = explain(given, QUIET, "model")
    assert reason.evidence == "Ratings down by 1 star in 90 days"


def test_who_is_safer_than_the_average_is_told_by_what_raises_the_risk_all_the_same() -> None:
    given = effects(
        {"order_silence_days": 34, "gap_mean_days": 9, "order_days": 40},
        {"order_days": -2.0, "order_silence_days": 0.3},
    )
    (reason,) = explain(given, QUIET, "model")
    assert reason == Reason(
        "engagement", 1.0, "No order for 34 days; usually every 9 days", {"order_silence_days": 34, "gap_mean_days": 9}
    )


def test_where_nothing_raises_the_risk_silence_is_the_reason() -> None:
    given = effects({"open_tickets": 1}, {"order_days": -2.0, "open_tickets": 0.01})
    (reason,) = explain(given, Silence(5.0, None), "model")
    assert reason == Reason("engagement", 1.0, "No order for 5 days", {"order_silence_days": 5})


def test_engagement_that_has_no_sentence_of_its_own_is_told_by_silence() -> None:
    given = effects(
        {"orders_30d": 3, "orders_prev_30d": 1, "open_tickets": 1}, {"orders_30d": 0.6, "open_tickets": 0.2}
    )
    first, second = explain(given, QUIET, "model")
    assert (first.weight, first.evidence) == (0.614, "No order for 34 days; usually every 9 days")
    assert (second.weight, second.evidence) == (0.3859, "1 ticket open")


def test_trifles_are_left_out() -> None:
    given = effects({"open_tickets": 1}, {"order_silence_days": 3.0, "open_tickets": 0.02})
    assert [reason.code for reason in explain(given, QUIET, "model")] == ["engagement"]


def test_four_reasons_at_most() -> None:
    values: dict[str, float] = {
        "order_days": 3, "tenure_days": 90, "discount_share_90d": 0.3, "open_tickets": 1, "returned_orders_90d": 1,
        "cancellations_180d": 1,
    }  # fmt: skip
    found = explain(effects(values, dict.fromkeys(values, 1.0)), QUIET, "model")
    assert len(found) == 4
    assert sum(reason.weight for reason in found) <= 1


def test_the_rule_says_that_it_is_the_rule() -> None:
    (reason,) = explain([], QUIET, "rule")
    assert reason.evidence == (
        "No order for 34 days; usually every 9 days (rule: the model has not seen enough outcomes yet)"
    )
    assert reason.features == {"order_silence_days": 34, "gap_mean_days": 9}
    assert (reason.code, reason.weight) == ("engagement", 1.0)


def test_the_rule_without_a_rhythm() -> None:
    (reason,) = explain([], Silence(5.5, None, "sign of life"), "rule")
    assert reason.evidence.startswith("No sign of life for 5 days (rule")
    assert reason.features == {"order_silence_days": 5.5}


@pytest.mark.parametrize(
    ("kind", "cause", "cancellation", "code", "evidence"),
    [
        ("resolved", "return", None, "engagement", "Came back: order on 1997-05-19"),
        ("resolved", "fall", None, "engagement", "The risk has fallen to 0.38, well below 0.6"),
        ("resolved", "false_alarm", None, "engagement", "Called a false alarm by the team"),
        ("churned", "gone", None, "engagement", "No order for 34 days; usually every 9 days; counts as gone"),
        ("churned", "cancelled", None, "engagement", "Cancelled on 1997-05-19"),
        ("churned", "cancelled", "other", "engagement", "Cancelled on 1997-05-19"),
        ("churned", "cancelled", "price", "price", "Cancelled on 1997-05-19, because of the price"),
        ("churned", "cancelled", "competition", "competition", "Cancelled on 1997-05-19, because of a competitor"),
    ],
)
def test_why_an_episode_closes(kind: Any, cause: Any, cancellation: str | None, code: Code, evidence: str) -> None:
    step = msgspec.structs.replace(STEP, kind=kind, cause=cause)
    (reason,) = explain_step(step, effects({}, {}), QUIET, cancellation=cancellation)
    assert (reason.code, reason.weight, reason.evidence) == (code, 1.0, evidence)


def test_why_at_risk_is_told_by_the_effects() -> None:
    given = effects({"open_tickets": 1}, {"open_tickets": 1.0})
    assert explain_step(STEP, given, QUIET) == explain(given, QUIET, "model")
    ruled = msgspec.structs.replace(STEP, basis="rule")
    assert explain_step(ruled, given, QUIET) == explain([], QUIET, "rule")


def test_a_rise_is_told_with_the_first_reason_of_the_opening() -> None:
    given = effects({"open_tickets": 1}, {"open_tickets": 1.0})
    step = msgspec.structs.replace(STEP, kind="opened", cause="rise", risk=0.46)
    rise = Rise(0.21, 7.0)
    plain, *rest = explain_step(step, given, QUIET)
    told, *others = explain_step(step, given, QUIET, rise=rise)
    assert told.evidence == f"{plain.evidence}; risk up from 0.21 to 0.46 in 7 days"
    assert (told.code, told.weight, told.features, others) == (plain.code, plain.weight, plain.features, rest)
    later = msgspec.structs.replace(step, kind="escalated")
    assert explain_step(later, given, QUIET, rise=rise) == explain_step(later, given, QUIET)


def test_a_complaint_outweighs_the_silence_that_followed_it() -> None:
    given = effects({"order_silence_days": 34, "order_days": 5, "gap_mean_days": 9}, {"order_silence_days": 1.0})
    first, second = explain(
        given, QUIET, "model", {"price_complaints_90d": 2.0, "basket_latest": 20.0, "basket_before": 40.0}
    )
    assert first == Reason(
        "price",
        first.weight,
        "2 poor reviews on the price in 90 days; orders of 20 on the latest 3 order days, 40 before",
        {"price_complaints_90d": 2, "basket_latest": 20, "basket_before": 40},
    )
    assert second.code == "engagement"
    assert first.weight > 3 * second.weight
    assert first.weight + second.weight == pytest.approx(1, abs=0.001)


def test_what_was_said_is_told_under_the_rule_too() -> None:
    first, second = explain([], QUIET, "rule", {"rival_complaints_90d": 1.0})
    assert (first.code, second.code) == ("competition", "engagement")
    assert first.evidence == (
        "1 poor review that speaks of competitors in 90 days (rule: the model has not seen enough outcomes yet)"
    )


def test_a_sign_is_not_told_twice() -> None:
    given = effects({"billing_tickets_90d": 1}, {"billing_tickets_90d": 1.0})
    (reason,) = explain(given, QUIET, "model")
    assert reason == Reason("price", 1.0, "1 ticket on billing in 90 days", {"billing_tickets_90d": 1})
