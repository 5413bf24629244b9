"""The console's customers: read from Redis on a connection that stays, and put into what a page shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from redis.exceptions import RedisError

from agents.record import Attributes, Customer, decode_customer
from agents.why import changes_of, effects_of
from alerts.alert import Reason, figure
from alerts.reasons import Silence, explain
from churnwatch.compose import first_guide
from churnwatch.console_library import away
from churnwatch.inspection import Inspection, inspect
from churnwatch.kafka import describe
from churnwatch.settings import Settings
from churnwatch.worth import worth_of
from console.modelling import Library
from console.portrait import Contribution, Moment, Portrait
from features.redis_client import Client
from features.redis_store import RedisStore
from features.said import said
from features.state import Activity
from features.tickets import standing
from models.guide import Guide
from models.scorer import Scorer
from streams.errors import StoreUnavailable
from streams.time import DAY_MS
from streams.topics import partition_for

CONTRIBUTIONS_MAX: Final = 10


class RedisPortraits:
    """Reads customers from the workers' Redis; writes nothing there."""

    def __init__(self, settings: Settings, client: Client, library: Library) -> None:
        self._settings = settings
        self._client = client
        self._library = library
        self._partitions = 0

    async def of(self, customer_id: str) -> Portrait | None:
        """Return a customer's portrait; None for one of whom nothing is known."""
        settings = self._settings
        if not self._partitions:
            cluster = await describe(settings)
            self._partitions = cluster.count(settings.topics().inputs["orders"])
        partition = partition_for(customer_id.encode(errors="surrogatepass"), self._partitions)
        store = RedisStore(self._client, settings.redis_namespace, partition)
        try:
            value = (await store.load([customer_id]))[0]
            models = await self._library.models()
        except (StoreUnavailable, RedisError, OSError) as error:
            raise away(error) from error
        finally:
            await store.close()
        if value is None:
            return None
        guide = first_guide() if models is None else models.guide
        return portrait_of(customer_id, partition, decode_customer(value), guide, settings.churn_on)


def portrait_of(customer_id: str, partition: int, customer: Customer, guide: Guide, churn_on: str) -> Portrait:
    """Return what there is to show of a customer as of the last look."""
    activity, at_ms = customer.activity, customer.as_of_ms
    seen = inspect(customer, guide, churn_on, at_ms)
    worth = worth_of(customer, guide, [value for _, value, _ in seen.features], seen.risk)
    told = customer.attributes
    return Portrait(
        customer_id=customer_id,
        partition=partition,
        as_of_ms=at_ms,
        risk=seen.risk,
        basis=seen.basis,
        band=customer.band,
        segment=customer.episode.segment or (told.segment if told and told.segment else ""),
        facts=_facts(customer),
        currency=activity.currency,
        profile=_profile(told),
        do_not_contact=told is not None and told.do_not_contact,
        reasons=_reasons(customer, seen, guide, churn_on),
        outlook=_outlook(activity, at_ms, seen.risk, customer.episode.threshold, guide) if guide.ready else "",
        worth=[line.strip() for line in worth.words],
        risks=[*((asked.taken_ms, asked.risk) for asked in customer.pending), (at_ms, seen.risk)],
        moments=sorted(_moments(activity), key=lambda moment: -moment.at_ms),
        contributions=_contributions(seen) if guide.ready else (),
    )


def _reasons(customer: Customer, seen: Inspection, guide: Guide, churn_on: str) -> Sequence[Reason]:
    """Why, as an alert of this instant would say: against the customer's own past, and with what was said."""
    activity, at_ms = customer.activity, customer.as_of_ms
    past = customer.pending.first_vector if customer.pending else None
    figures = [value for _, value, _ in seen.features]
    effects = effects_of(figures, past, customer.episode.segment, Scorer(guide))
    stayed_ms = activity.last_order_ms if churn_on == "orders" else activity.last_activity_ms
    quiet_days = (at_ms - (customer.first_ms if stayed_ms is None else stayed_ms)) / DAY_MS
    quiet = Silence(quiet_days, activity.mean_gap_days(), "order" if churn_on == "orders" else "sign of life")
    return explain(effects, quiet, seen.basis, said(activity, at_ms + 1))


def _contributions(seen: Inspection) -> list[Contribution]:
    found = [Contribution(feature.name, figure(value), effect) for feature, value, effect in seen.features]
    return sorted(found, key=lambda one: -abs(one.effect))[:CONTRIBUTIONS_MAX]


def _outlook(activity: Activity, at_ms: int, risk: float, threshold: float, guide: Guide) -> str:
    """The smallest change that would bring the risk under the threshold, or else the one that would help most."""
    tried = [(change.what, change.risk()) for change in changes_of(activity, at_ms, Scorer(guide))]
    enough = next(((what, then) for what, then in tried if then < threshold), None)
    what, then = enough or min(tried, key=lambda change: change[1])
    if round(then, 2) >= round(risk, 2):
        return ""
    return f"{what[0].upper()}{what[1:]} would bring the risk from {risk:.2f} to {then:.2f}"


def _facts(customer: Customer) -> dict[str, float]:
    activity, at_ms = customer.activity, customer.as_of_ms
    found: dict[str, float | None] = {
        "orders": activity.orders,
        "order_days": activity.order_days,
        "amount": round(activity.amount, 2),
        "gap_days": activity.mean_gap_days(),
        "tenure_days": None if activity.first_seen_ms is None else (at_ms - activity.first_seen_ms) // DAY_MS,
        "order_silence_days": None if activity.last_order_ms is None else (at_ms - activity.last_order_ms) // DAY_MS,
        "login_silence_days": None if activity.last_login_ms is None else (at_ms - activity.last_login_ms) // DAY_MS,
    }
    return {name: figure(value) for name, value in found.items() if value is not None}


def _profile(told: Attributes | None) -> dict[str, str]:
    if told is None:
        return {}
    since = (
        None if told.signed_up_ms is None else datetime.fromtimestamp(told.signed_up_ms / 1000, UTC).date().isoformat()
    )
    value = None if told.annual_value is None else f"{told.annual_value:.2f}"
    found = {"owner": told.owner, "plan": told.plan, "segment": told.segment, "signed_up": since, "annual_value": value}
    return {name: text for name, text in found.items() if text}


def _moments(activity: Activity) -> Iterator[Moment]:
    for order in activity.order_tiles:
        at_ms = order.day * DAY_MS
        if order.orders:
            yield Moment(at_ms, "orders", order.orders, order.amount / 1000)
        if order.cancelled:
            yield Moment(at_ms, "cancelled", order.cancelled)
        if order.returned:
            yield Moment(at_ms, "returned", order.returned)
    for login in activity.login_tiles:
        yield Moment(login.day * DAY_MS, "logins", login.logins)
    for review in activity.review_tiles:
        stars = review.rating_tenths / review.ratings / 10 if review.ratings else None
        yield Moment(review.day * DAY_MS, "reviews", review.ratings + review.surveys, stars)
    for ticket in activity.tickets:
        found = standing(ticket, 1 << 46)
        if found is not None:
            yield Moment(found.opened_ms, "ticket_opened")
            if found.closed_ms is not None:
                yield Moment(found.closed_ms, "ticket_resolved")
    for at_ms in activity.cancellations:
        yield Moment(at_ms, "cancellation")
