"""The shop of the agents' tests: its policy, a model that looks at silence alone, and events."""

from __future__ import annotations

from itertools import count
from typing import Any

from agents.announce import Herald
from agents.look import Desk
from agents.pipeline import Pipeline
from agents.wakeups import Keeping
from alerts.policy import Policy
from churnwatch.playbook_file import read_playbook
from features.catalog import CATALOG, INDEX, NAMES
from features.tiles import RETENTION_DAYS
from models.guide import Guide, Linear
from models.question import MONDAY_MS, Question
from streams.codec import Arrival, Limits, RawRecord, Reason, Rejected, decode
from streams.forms import event_of
from streams.time import DAY_MS, HOUR_MS
from streams.topics import Topics

TOPICS = Topics()
SCALES = tuple(feature.scale for feature in CATALOG)
START_MS = MONDAY_MS + 1_400 * 7 * DAY_MS
"""A Monday on which the question is asked."""

LATENESS_MS = HOUR_MS
QUESTION = Question()
POLICY = Policy(
    floors=dict.fromkeys(("new", "loyal", "high_value", "standard"), 0.2),
    min_order_days=1,
    min_silence_ms=DAY_MS,
    cool_down_ms=5 * DAY_MS,
    holdout_share=0.3,
)
KEEPING = Keeping(
    retention_ms=(RETENTION_DAYS - 1) * DAY_MS - LATENESS_MS, lateness_ms=LATENESS_MS, expiry_ms=400 * DAY_MS
)
_numbers = count(1)


def desk(policy: Policy = POLICY, question: Question = QUESTION) -> Desk:
    return Desk(policy, herald(question), question)


def herald(question: Question = QUESTION) -> Herald:
    sign = "order" if question.churn_on == "orders" else "sign of life"
    return Herald(read_playbook(None), sign, TOPICS.alerts, TOPICS.scores, question.horizon_days)


def pipeline(policy: Policy = POLICY, question: Question = QUESTION, keeping: Keeping = KEEPING) -> Pipeline:
    return Pipeline(desk(policy, question), question, keeping)


def silence_guide(version: int = 1, slope: float = 1.1) -> Guide:
    """A ready model that looks at silence alone: risk .5 after a week or so, .8 after a month."""
    logistic, within = [0.0] * len(NAMES), [0.0] * len(NAMES)
    logistic[INDEX["order_silence_days"]] = slope
    within[INDEX["order_silence_days"]] = 0.2 * slope
    flat = (0.0,) * len(NAMES)
    return Guide(
        version=version,
        learnt_until_ms=0,
        examples=1_000,
        base_rate=0.5,
        ready=True,
        names=NAMES,
        scales=SCALES,
        means=flat,
        logistic=Linear(-2.3, tuple(logistic)),
        within=Linear(0.05, tuple(within)),
    )


def event(stream: str, customer: str, at_ms: int, **fields: Any) -> Arrival:
    """An event that has no place in the log yet."""
    own: dict[str, Any] = {"event_id": f"e{next(_numbers)}", "customer_id": customer, "occurred_at": at_ms}
    if stream == "orders":
        own |= {"order_id": own["event_id"], "amount": 20.0, "currency": "EUR"}
    made = event_of(stream, own | fields)
    return Arrival(stream, made, RawRecord(TOPICS.inputs[stream], 0, 0, at_ms, customer.encode(), b"{}"))


def order(customer: str, at_ms: int, **fields: Any) -> Arrival:
    return event("orders", customer, at_ms, **fields)


def tombstone(customer: str) -> Arrival:
    """A null value on the profiles' topic."""
    record = RawRecord(TOPICS.inputs["profiles"], 0, 7, START_MS, customer.encode(), None)
    decoded = decode(record, "profiles", Limits(), START_MS)
    assert isinstance(decoded, Arrival)
    return decoded


def broken(customer: str, stream: str = "orders", reason: Reason = "invalid") -> Rejected:
    record = RawRecord(TOPICS.inputs[stream], 0, 0, START_MS, customer.encode(), b"{broken")
    return Rejected(record, reason, "ValueError", "amount: missing", "validate")
