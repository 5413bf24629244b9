"""What the browser sees: ten thousand alerts of a shop, some people of it, and everything that a hostile customer can think of."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, Final
from urllib.parse import quote

from msgspec.structs import replace

from agents.meta import Meta, encode_meta
from agents.record import Attributes, Customer, encode_customer
from alerts.alert import Action, Alert, Reason, ValueAtRisk, encode
from alerts.episode import alert_id, episode_id
from alerts.score import build
from alerts.score import encode as encode_score
from churnwatch.compose import first_guide
from churnwatch.console_report import event_of
from churnwatch.kafka import describe
from churnwatch.learner_access import open_learner_store
from churnwatch.redis_client import open_redis
from churnwatch.settings import Settings
from features.redis_store import RedisStore
from features.state import Activity, apply
from features.store import Commit
from models.store import LearnerCommit
from models.verdict import judge
from streams.codec import RawRecord, Rejected
from streams.deadletter import dead_letter
from streams.events import Login, Order, Outcome, Review, Ticket
from streams.outgoing import Outgoing
from streams.time import DAY_MS, HOUR_MS, iso
from streams.topics import partition_for
from tests.unit.console.shop import NOW_MS, STAMP, alert
from tests.unit.console.test_model_page import STANDING

MANY: Final = 10_000
SCORES: Final = 2_000
SEGMENTS: Final = ("new", "standard", "loyal", "high_value")
OWNERS: Final = ("Ann Reed", "Bo Lin", "Chen Wei", None)
SAID: Final = "answers {code} (60 % of the reasons), costs 5.00 EUR with 120.00 EUR at stake"
WHY: Final[Sequence[tuple[str, str, str, str]]] = (
    ("engagement", "No order for 58 days; usually every 21 days", "Call the customer", "A regular on the point of leaving"),
    ("price", "Discounts of 40 % in 90 days", "Make a personal offer", "Price weighs in"),
    ("service", "2 tickets open, the oldest for 9 days", "Settle what the customer has complained about", "What went wrong is still on the customer's mind"),
    ("product", "Ratings down by 2 stars in 180 days", "Ask how satisfied the customer is", "Cheap, and it tells what the figures leave open"),
    ("competition", "1 poor review that speaks of competitors in 180 days", "Credit loyalty points", "A thank-you that needs no call"),
)  # fmt: skip
"""Reason, its evidence, what is suggested and why: sentences as the product writes them, so that the console knows them in Chinese."""

PERSON: Final = "C-20417"
"""A customer with a long life: what the pictures show."""

WORKED_ON: Final = {
    language: [f"C-3{place}{number:03d}" for number in range(6)] for place, language in enumerate(("en", "zh"))
}
"""Customers whom a person works on in each language: one for each thing that can be done."""

LONG: Final = "x<y " * 2_560
HOSTILE: Final = (
    "<script>window.hacked=1</script>",
    '"><img src=x onerror="window.hacked=1">',
    "' onfocus='window.hacked=1' autofocus='",
    "javascript:window.hacked=1",
    "{{7*7}}${7*7}%{7*7}",
    "../../etc/passwd",
    "..%2f%2e%2e/?id=c&x=1#top",
    "%00%0d%0aset-cookie:a=b",
    "null",
    "undefined",
    " ",
    "nul\x00byte",
    "\u202egnp.exe\u202c \u0645\u0631\u062d\u0628\u0627",
    "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467 \u7a7a\u767d\u3000",
    "W" * 128,
)
"""Customers' ids, the worst that an event may carry: up to 128 characters of anything."""

MARKUP: Final = "</small></td><b>bold</b><script>window.hacked=1</script><img src=x onerror=window.hacked=1>"


def told(customer: str, *, hours_ago: float = 24.0, seq: int = 1, why: int = 1, **given: Any) -> Alert:
    """Return an alert about a customer, with ids as the pipeline makes them."""
    code, evidence, title, because = WHY[why]
    said = f"{because}: {evidence}. First choice: {SAID.format(code=code)}."
    found = alert(customer, seq=seq, reason=code, **given)
    return replace(
        found,
        episode_id=episode_id(customer, 0, 1),
        alert_id=alert_id(customer, 0, 1, seq),
        raised_at=iso(NOW_MS - int(hours_ago * HOUR_MS)),
        reasons=[replace(found.reasons[0], evidence=evidence)],
        actions=[Action(code, title, said)],
    )


def many() -> Iterator[tuple[Alert, str | None]]:
    """Give the alerts that nobody will touch, each with its owner: amounts up to 900."""
    random = Random(7)
    for number in range(MANY):
        yield (
            told(
                f"C-{number:05d}",
                hours_ago=24 * 20 * random.random(),
                why=number % len(WHY),
                amount=round(random.triangular(5, 900, 60), 2),
                segment=SEGMENTS[random.randrange(4)],
                band=("watch", "high", "critical")[random.randrange(3)],
                risk=round(0.6 + 0.4 * random.random(), 4),
            ),
            random.choice(OWNERS),
        )


def worked_on() -> Iterator[tuple[Alert, str | None]]:
    """Give the alerts of people who are worked on, at the top of the list by their amounts."""
    yield told(PERSON, amount=40_000.0, hours_ago=3.0, why=0), "Ann Reed"
    for language, customers in WORKED_ON.items():
        for place, customer in enumerate(customers):
            yield told(customer, amount=1_000.0 + place, why=place % 5, hours_ago=5.0 + place), f"Team {language}"


def hostile() -> Iterator[tuple[Alert, str | None]]:
    """Give an alert of each hostile customer, with hostile words wherever words can be."""
    for place, customer in enumerate(HOSTILE):
        told_by = told(customer, hours_ago=30, amount=10_000.0 + place)
        words = LONG if place == 0 else MARKUP
        yield (
            replace(
                told_by,
                segment="<b>loyal</b>" if place == 1 else "loyal",
                value_at_risk=ValueAtRisk(10_000.0 + place, None),
                reasons=[Reason("price", 0.6, words, {"discount_share_90d": 0.4})],
                actions=[Action("offer", MARKUP, words)],
            ),
            MARKUP,
        )


def message(settings: Settings, told_by: Alert, owner: str | None = None) -> Outgoing:
    """Return what the pipeline would send."""
    headers = [] if owner is None else [("churnwatch.owner", owner.encode())]
    return Outgoing(settings.topics().alerts, told_by.customer_id.encode(), encode(told_by), headers)


def scores(settings: Settings) -> Iterator[Outgoing]:
    """Give the latest scores of customers, as the compacted topic holds them."""
    random = Random(8)
    for number in range(SCORES):
        band: Any = random.choices(("low", "watch", "high", "critical"), (80, 12, 6, 2))[0]
        score = build(
            customer_id=f"C-{number:05d}", at_ms=NOW_MS, risk=0.5, band=band, previous_band=None,
            segment=SEGMENTS[random.randrange(4)], model=STAMP,
        )  # fmt: skip
        yield Outgoing(settings.topics().scores, score.customer_id.encode(), encode_score(score))


def letters(settings: Settings, texts: Sequence[str]) -> Iterator[Outgoing]:
    """Give dead letters that hold these texts."""
    topic = settings.topics().inputs["reviews"]
    for number, text in enumerate(texts):
        raw = RawRecord(topic, 0, number, 0, text.encode()[:100], text.encode())
        yield dead_letter(Rejected(raw, "malformed", "ValueError", f"not JSON: {text}", "decode"), NOW_MS)


def life(owner: str) -> Customer:
    """Return a customer who bought and logged in for two years, complained, and fell silent."""
    activity = Activity.empty()
    start_ms = NOW_MS - 730 * DAY_MS

    def common(name: str, at_ms: int) -> dict[str, Any]:
        return {"event_id": f"{name}{at_ms}", "customer_id": "c", "occurred_at": at_ms}

    for week in range(98):
        at_ms = start_ms + week * 7 * DAY_MS
        if week % 3 == 0:
            bought: dict[str, Any] = {"order_id": f"o{week}", "amount": 40.0 + 7 * (week % 5), "currency": "EUR"}
            apply(activity, "orders", Order(**common("o", at_ms), **bought))
        apply(activity, "logins", Login(**common("l", at_ms + HOUR_MS)))
    late_ms = start_ms + 690 * DAY_MS
    apply(activity, "reviews", Review(**common("r", late_ms), rating=1.5, text=MARKUP))
    ticket: dict[str, Any] = {"ticket_id": "t1", "status": "opened", "category": "delivery", "severity": "high"}
    apply(activity, "tickets", Ticket(**common("t", late_ms + DAY_MS), **ticket))
    profile = Attributes(NOW_MS - DAY_MS, "loyal", owner, owner if "<" in owner else "Plus", 1_250.0)
    return Customer(
        activity, attributes=profile, first_ms=start_ms, as_of_ms=NOW_MS, band="high", wake_ms=NOW_MS + DAY_MS
    )


async def _store(settings: Settings, customers: dict[str, Customer]) -> None:
    cluster = await describe(settings)
    count = cluster.count(settings.topics().inputs["orders"])
    async with open_redis(settings) as client:
        for partition in range(count):
            here = {
                name: found for name, found in customers.items() if partition_for(name.encode(), count) == partition
            }
            store = RedisStore(client, settings.redis_namespace, partition)
            await store.open()
            writes = {name: encode_customer(found) for name, found in here.items()}
            timers = {name: found.wake_ms for name, found in here.items()}
            await store.commit(Commit(encode_meta(Meta(commits=1)), writes, timers=timers))
            await store.close()
        learner = open_learner_store(client, settings)
        await learner.open()
        guides = [_guide(version) for version in range(1, 13)]
        await learner.commit(LearnerCommit(b"", 0, guides[-1].learnt_until_ms, guides))
        await learner.close()


def _guide(version: int) -> Any:
    quality = {
        "auc": 0.66 + 0.005 * version,
        "weekly_auc": 0.67 + 0.004 * version,
        "rule_auc": 0.61,
        "log_loss": 0.58,
        "ece": 0.02,
    }
    recent = {f"recent_{name}": figure for name, figure in quality.items()}
    return replace(
        first_guide(),
        version=version,
        examples=4_000 * version,
        learnt_until_ms=NOW_MS - (13 - version) * 7 * DAY_MS,
        quality=quality | recent,
        standing=replace(STANDING, verdict=judge(VERDICT)),
        ready=True,
    )


VERDICT: Final = {
    "recent_examples": 4_000.0,
    "recent_base_rate": 0.6,
    "recent_weekly_auc": 0.72,
    "recent_ece": 0.02,
    "recent_rule_auc": 0.61,
}


def store(settings: Settings, people: Sequence[str]) -> None:
    """Write people, hostile customers and a model to Redis, as workers and the learner would."""
    customers = {name: life("Ann Reed") for name in people} | {name: life(MARKUP[:200]) for name in HOSTILE}
    asyncio.run(_store(settings, customers))


def report(settings: Settings, alert: Alert, note: str) -> Outgoing:
    """Return what a CRM would send about an alert, with a note of somebody's own words."""
    at_ms = NOW_MS + HOUR_MS
    said = Outcome(
        event_id=f"n-{alert.alert_id}",
        customer_id=alert.customer_id,
        occurred_at=at_ms,
        alert_id=alert.alert_id,
        status="contacted",
        note=note,
    )
    return Outgoing(settings.topics().inputs["outcomes"], alert.customer_id.encode(), event_of(said))


def address(customer: str) -> str:
    """Return the address of a customer's page."""
    return f"/customer?id={quote(customer, safe='')}"
