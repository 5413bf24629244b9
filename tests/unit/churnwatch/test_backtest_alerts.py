"""Episodes judged by what the customer did next, and what a replay remembers of what it read."""

from collections.abc import Sequence
from typing import Any

import pytest

from alerts.alert import SILENCE as BY_SILENCE
from alerts.alert import Alert, ModelStamp, Reason, ValueAtRisk
from churnwatch.backtest_alerts import episodes, summarise
from churnwatch.backtest_history import History
from churnwatch.evaluation import Span
from models.labels import pseudonym
from streams.time import DAY_MS, iso
from tests.unit.agents.samples import event, order

SPAN = Span(from_ms=100 * DAY_MS, last_ms=300 * DAY_MS, horizon_ms=60 * DAY_MS, active_ms=90 * DAY_MS)


def alert(customer: str, day: float, kind: str = "opened", episode: str = "e1", **fields: Any) -> Alert:
    whole: dict[str, Any] = {
        "schema_version": 1,
        "alert_id": f"{customer}/{episode}/{kind}",
        "episode_id": f"{customer}/{episode}",
        "customer_id": customer,
        "kind": kind,
        "raised_at": iso(int(day * DAY_MS)),
        "risk": 0.7,
        "threshold": 0.6,
        "band": "watch",
        "segment": "loyal",
        "value_at_risk": ValueAtRisk(10.0, "EUR"),
        "reasons": [Reason("engagement", 1.0, "No order for 20 days", {})],
        "actions": [],
        "holdout": False,
        "model": ModelStamp("3", 1_000),
        "trigger": BY_SILENCE,
    }
    return Alert(**(whole | fields))


def history(orders: dict[str, Sequence[float]], cancelled: dict[str, float] | None = None) -> History:
    found = History()
    found.take([order(customer, int(day * DAY_MS)) for customer, days in orders.items() for day in days])
    found.take([event("cancellations", customer, int(day * DAY_MS)) for customer, day in (cancelled or {}).items()])
    found.finish()
    return found


def test_a_warning_is_right_where_nothing_came_within_the_horizon() -> None:
    known = history(
        {"left": [100], "back": [100, 130], "later": [100, 181], "cancelled": [100, 125], "open": [200], "same": [120]},
        {"cancelled": 140},
    )
    alerts = [alert(customer, 120) for customer in ("left", "back", "later", "cancelled", "same")] + [
        alert("open", 241)
    ]
    told = {one.customer: one.right for one in episodes(alerts, known, SPAN)}
    assert told == {"left": True, "back": False, "later": True, "cancelled": True, "same": True, "open": None}


def test_the_lead_is_what_waiting_for_the_horizon_would_have_cost() -> None:
    (early, late) = episodes([alert("early", 110), alert("late", 170)], history({"early": [100], "late": [100]}), SPAN)
    assert (early.lead_days(SPAN.horizon_ms), early.after_days()) == (50.0, 10.0)
    assert (late.lead_days(SPAN.horizon_ms), late.after_days()) == (0.0, 70.0)
    (unknown,) = episodes([alert("nobody", 110)], history({}), SPAN)
    assert (unknown.lead_days(SPAN.horizon_ms), unknown.after_days()) == (None, None)


def test_steps_of_an_episode_belong_together() -> None:
    alerts = [
        alert("a", 110),
        alert("a", 117, "escalated"),
        alert("a", 190, "churned"),
        alert("a", 220, "opened", "e2", model=ModelStamp("rule-0", 0), reasons=[]),
    ]
    first, second = episodes(alerts, history({"a": [100]}), SPAN)
    assert (first.escalated_ms, first.ended, first.closed_ms) == ((117 * DAY_MS,), "churned", 190 * DAY_MS)
    assert (second.ended, second.closed_ms, second.by_rule, second.why) == ("", 0, True, "")


def test_the_summary_counts_the_whole_log_and_judges_the_span() -> None:
    known = history({"left": [*range(101, 106)], "missed": [110], "back": [100, 140], "early": [50]})
    alerts = [
        alert("left", 125),
        alert("back", 120),
        alert("early", 60, segment="new"),
        alert("left", 260, episode="e2"),
    ]
    told = summarise(alerts, episodes(alerts, known, SPAN), known, SPAN)
    assert (told["total"], told["kind"], told["segment"]) == (4, {"opened": 4}, {"loyal": 3, "new": 1})
    assert (told["opened"], told["judged"], told["precision"]) == (3, 2, 0.5)
    assert told["per_day"] == pytest.approx(3 / 200)
    assert (told["lead_days_median"], told["after_last_order_days_median"]) == (40.0, 20.0)
    assert set(told["segments"]) == {"loyal"}
    # left, missed and back (on day 140, for good); the warning to back came before its last order
    assert (told["leavers"], told["leavers_warned_share"]) == (3, pytest.approx(1 / 3))
    assert (told["regular_leavers"], told["regular_leavers_warned_share"]) == (1, 1.0)


def test_without_alerts_nothing_is_defined() -> None:
    told = summarise([], [], history({}), SPAN)
    assert (told["precision"], told["lead_days_median"], told["leavers_warned_share"]) == (None, None, None)


def test_a_history_knows_names_orders_and_signs_of_staying() -> None:
    placed = order("ann", 5)
    items = [
        order("ann", 9),
        placed,
        placed,
        order("ann", 11, status="returned"),
        event("logins", "ben", 7),
        event("cancellations", "ben", 8),
    ]
    orders_only, anything = History("orders"), History("any")
    for found in (orders_only, anything):
        found.take(items)
        found.finish()
        assert found.names == {pseudonym("ann"): "ann", pseudonym("ben"): "ben"}
        assert found.orders == {"ann": [(5, 20.0), (9, 20.0)]}
        assert found.cancelled_in("ben", 8, 9)
        assert not found.cancelled_in("ben", 9, 99)
    assert orders_only.signs == {"ann": [5, 9]}
    assert anything.signs == {"ann": [5, 9, 11], "ben": [7]}
    assert orders_only.stayed("ann", 5, 10)
    assert not orders_only.stayed("ann", 5, 9)
    assert orders_only.last_sign_ms("ann", 8) == 5
    assert orders_only.last_sign_ms("ann", 4) is None
