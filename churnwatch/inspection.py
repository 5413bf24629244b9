"""One customer as the system sees them: state, features, score, reasons, episode. `inspect` is pure, `find` reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from agents.record import Customer, decode_customer
from alerts.alert import Reason
from alerts.causes import FeatureEffect
from alerts.episode import Basis
from alerts.reasons import Silence, explain
from churnwatch.compose import first_guide
from churnwatch.kafka import describe
from churnwatch.learner_access import open_learner_store
from churnwatch.redis_client import open_redis
from churnwatch.settings import Settings
from features.catalog import CATALOG, Feature
from features.redis_store import RedisStore
from features.vector import vector
from models.guide import Guide, decode_guide
from models.rule import silence_risk
from models.scorer import Scorer
from streams.time import DAY_MS, iso
from streams.topics import partition_for


@dataclass(frozen=True, slots=True)
class Found:
    """Where a customer's state is, and what it is (None where there is none); the model that scores at present."""

    partition: int
    customer: Customer | None
    guide: Guide


@dataclass(frozen=True, slots=True)
class Inspection:
    """A customer looked at as of an instant, with one model: risk 0 to 1, and what it rests on."""

    at_ms: int
    risk: float
    basis: Basis
    reasons: Sequence[Reason]
    features: Sequence[tuple[Feature, float, float]]
    """Each feature, its value, and how far it moves the log-odds of churn from the average customer's."""


async def find(settings: Settings, customer_id: str) -> Found:
    """Read a customer's state, from the partition that Kafka's partitioner puts them on, and the model in use."""
    cluster = await describe(settings)
    topics = settings.topics()
    partition = partition_for(customer_id.encode(), cluster.count(topics.inputs["orders"]))
    async with open_redis(settings) as client:
        store = RedisStore(client, settings.redis_namespace, partition)
        learner = open_learner_store(client, settings)
        try:
            value = (await store.load([customer_id]))[0]
            head = await learner.head()
            guide = await learner.guide(head.pinned or head.version)
        finally:
            await store.close()
            await learner.close()
    customer = None if value is None else decode_customer(value)
    return Found(partition, customer, first_guide() if guide is None else decode_guide(guide))


def inspect(customer: Customer, guide: Guide, churn_on: str, at_ms: int) -> Inspection:
    """Look at a customer as of `at_ms`, as if nothing happened between the last event and then."""
    activity = customer.activity
    # As the worker has it: an event at midnight sharp belongs to the day that begins.
    figures = vector(activity, at_ms + 1 if at_ms == activity.last_activity_ms else at_ms)
    scorer = Scorer(guide)
    shares = scorer.contributions(figures)
    stayed_ms = activity.last_order_ms if churn_on == "orders" else activity.last_activity_ms
    quiet_days = (at_ms - (customer.first_ms if stayed_ms is None else stayed_ms)) / DAY_MS
    usual_days = activity.mean_gap_days()
    basis: Basis = "model" if guide.ready else "rule"
    effects = [
        FeatureEffect(f.name, f.family, share, value, f.default, f.unit, f.meaning)
        for f, share, value in zip(CATALOG, shares, figures, strict=True)
    ]
    return Inspection(
        at_ms=at_ms,
        risk=scorer.risk(figures) if guide.ready else silence_risk(quiet_days, usual_days, activity.order_days),
        basis=basis,
        reasons=explain(effects, Silence(quiet_days, usual_days), basis),
        features=list(zip(CATALOG, figures, shares, strict=True)),
    )


def state_of(customer: Customer) -> dict[str, Any]:
    """Give the customer's state in plain data: instants in RFC 3339, None where there is none."""
    activity = customer.activity
    instants = {
        "first_seen": activity.first_seen_ms,
        "last_activity": activity.last_activity_ms,
        "last_order": activity.last_order_ms,
        "looked_at": customer.as_of_ms,
        "next_wake_up": customer.wake_ms,
        "cancelled": customer.cancelled_ms,
    }
    return {
        **{name: None if ms is None else iso(ms) for name, ms in instants.items()},
        "orders": activity.orders,
        "order_days": activity.order_days,
        "amount": round(activity.amount, 2),
        "currency": activity.currency,
        "mean_gap_days": activity.mean_gap_days(),
        "snapshots_waiting_for_their_label": len(customer.pending),
        "risk_at_last_look": round(customer.risk, 4),
        "band": customer.band or None,
        "profile": None if customer.attributes is None else _plain(customer.attributes),
    }


def episode_of(customer: Customer) -> dict[str, Any] | None:
    """Give the current or last episode in plain data; None where there was none."""
    episode = customer.episode
    return _plain(episode) if episode.number else None


def _plain(struct: msgspec.Struct) -> dict[str, Any]:
    """Name the fields of a record, and write its instants as text; 0 stands for none."""
    values: Mapping[str, Any] = msgspec.structs.asdict(struct)
    return {
        name.removesuffix("_ms"): (iso(value) if value else None) if name.endswith("_ms") else value
        for name, value in values.items()
    }
