"""One customer, looked at: the same risk as the worker would give, and reasons for it."""

import json

import msgspec
import pytest

from agents.record import Attributes, Customer
from churnwatch.compose import first_guide
from churnwatch.inspection import episode_of, inspect, state_of
from features.catalog import NAMES
from features.state import Activity, apply
from features.vector import vector
from models.guide import Guide, Linear
from models.scorer import Scorer
from streams.events import Order
from streams.time import DAY_MS

START_MS = 900_072_000_000


def customer(orders: int = 4, gap_days: int = 10) -> Customer:
    activity = Activity.empty()
    for number in range(orders):
        at_ms = START_MS + number * gap_days * DAY_MS
        event = Order(event_id=f"e{number}", customer_id="ann", occurred_at=at_ms, order_id=f"o{number}", amount=10.0)
        apply(activity, "orders", event)
    last_ms = START_MS + (orders - 1) * gap_days * DAY_MS
    return Customer(activity, first_ms=START_MS, as_of_ms=last_ms, wake_ms=last_ms + DAY_MS)


def learnt() -> Guide:
    """Give a guide under which nothing but silence counts."""
    slopes = tuple(1.0 if name == "order_silence_days" else 0.0 for name in NAMES)
    flat = tuple(0.0 for _ in NAMES)
    return msgspec.structs.replace(
        first_guide(), version=3, examples=900, ready=True, logistic=Linear(-2.0, slopes), within=Linear(0.5, flat)
    )


def test_the_risk_is_the_scorers() -> None:
    ann, guide = customer(), learnt()
    at_ms = ann.as_of_ms + 20 * DAY_MS
    seen = inspect(ann, guide, "orders", at_ms)
    assert seen.risk == Scorer(guide).risk(vector(ann.activity, at_ms))
    assert seen.basis == "model"
    assert seen.reasons[0].code == "engagement"
    assert {feature.name for feature, value, share in seen.features if share > 0} == {"order_silence_days"}


def test_silence_raises_the_risk() -> None:
    ann = customer()
    risks = [inspect(ann, learnt(), "orders", ann.as_of_ms + days * DAY_MS).risk for days in (0, 5, 30, 80)]
    assert risks == sorted(risks)
    assert risks[0] < risks[-1]


def test_without_a_model_the_rule_speaks_and_says_so() -> None:
    ann = customer()
    seen = inspect(ann, first_guide(), "orders", ann.as_of_ms + 40 * DAY_MS)
    assert seen.basis == "rule"
    assert "rule" in seen.reasons[0].evidence


@pytest.mark.parametrize("churn_on", ["orders", "any"])
def test_a_customer_of_whom_only_a_profile_is_known_can_be_shown(churn_on: str) -> None:
    stranger = Customer(Activity.empty(), first_ms=START_MS, as_of_ms=START_MS)
    seen = inspect(stranger, first_guide(), churn_on, START_MS + DAY_MS)
    assert 0.0 <= seen.risk <= 1.0
    assert state_of(stranger)["last_order"] is None
    assert episode_of(stranger) is None


def test_looking_changes_nothing_and_everything_can_be_written_as_json() -> None:
    ann = customer()
    ann.attributes = Attributes(updated_ms=START_MS, owner="Eve")
    ann.episode.number, ann.episode.opened_ms = 1, START_MS
    before = msgspec.msgpack.encode(ann)
    inspect(ann, learnt(), "orders", ann.as_of_ms)
    told = json.loads(json.dumps({"state": state_of(ann), "episode": episode_of(ann)}))
    assert msgspec.msgpack.encode(ann) == before
    assert told["state"]["profile"]["owner"] == "Eve"
    assert told["state"]["orders"] == 4
    assert told["episode"]["opened"] == "1998-07-10T12:00:00Z"
    assert told["episode"]["closed"] is None
