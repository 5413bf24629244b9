"""A small shop for the star schema: orders, tickets, reviews, profiles and cancellations of eight months, what the product's own replay says
of them, what a team reports, and what the learner has come to. The same every time."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from alerts import score as scores
from alerts.alert import Alert, encode
from alerts.ledger import Ledger
from churnwatch import compose
from churnwatch.backtest import Backtest, replay
from churnwatch.ledger_read import ledger_in
from churnwatch.settings import Settings
from models.guide import Guide
from models.learner import Learner
from streams.outgoing import Outgoing
from streams.time import DAY_MS, HOUR_MS, parse_instant
from streams.topics import Topics
from tests.unit.churnwatch.test_backtest import SETTINGS, line

START_MS: Final = parse_instant("2025-01-06T00:00:00Z")
CUSTOMERS: Final = 60
WEEKS: Final = 30
TOLD_WEEKS: Final = 25
"""What was said later is left out, so that some episodes are open."""

OWNERS: Final = {0: "ann", 1: "bo"}
SHOP_SETTINGS: Final = SETTINGS.model_copy(update={"alert_holdout_share": 0.2})
HOSTILE: Final = "c'1\"; DROP TABLE fact_alert; --ÿ"

Line = dict[str, Any]


@dataclass(slots=True)
class Shop:
    """The lines of the log, by time; what was said of them; reports on that; and the learner at the end."""

    lines: list[Line]
    alerts: list[Alert]
    outcomes: list[Line]
    learner_state: bytes
    guides: list[Guide] = field(default_factory=list)

    def of(self, stream: str) -> list[Line]:
        """The lines of a stream."""
        return [line for line in self.lines if line["stream"] == stream]

    @property
    def ledger(self) -> Ledger:
        """What the learner has booked."""
        return ledger_in(self.learner_state, compose.policy(SHOP_SETTINGS))

    def messages(self, topics: Topics) -> Iterator[Outgoing]:
        """Everything as it stands on the topics, each customer's in order; alerts and scores as a worker writes them."""
        for one in (*self.lines, *self.outcomes):
            value = json.dumps({name: told for name, told in one.items() if name != "stream"}).encode()
            yield Outgoing(topics.inputs[one["stream"]], one["customer_id"].encode(), value)
        owners = {one["customer_id"]: one.get("owner") for one in self.of("profiles")}
        for alert in self.alerts:
            owner = owners.get(alert.customer_id)
            key, headers = alert.customer_id.encode(), [("churnwatch.owner", owner.encode())] if owner else []
            yield Outgoing(topics.alerts, key, encode(alert), headers)
            yield Outgoing(topics.scores, key, scores.encode(_score(alert)))


def shop(folder: Path) -> Shop:
    """Replay the shop's log, and have a team report on what was said."""
    lines = sorted(_lines(), key=lambda one: one["occurred_at"])
    log = folder / "shop.jsonl"
    log.write_text("".join(json.dumps(one) + "\n" for one in lines))
    result, learner = _replayed(SHOP_SETTINGS, log)
    assert learner is not None
    assert result.guide is not None
    # The way of its quality over time: what it was at the end, and a version before.
    before = {"version": result.guide.version - 1, "learnt_until_ms": result.guide.learnt_until_ms - 7 * DAY_MS}
    guides = [msgspec.structs.replace(result.guide, **before), result.guide]
    told_ms = START_MS + TOLD_WEEKS * 7 * DAY_MS
    alerts = [alert for alert in result.alerts if parse_instant(alert.raised_at) < told_ms]
    return Shop(lines, alerts, list(_reports(alerts)), learner.to_bytes(), guides)


def _replayed(settings: Settings, log: Path) -> tuple[Backtest, Learner | None]:
    seen: list[Learner] = []

    def keep(_: Backtest, __: int, learner: Learner | None) -> None:
        if learner is not None and not seen:
            seen.append(learner)

    now_ms = START_MS + 400 * DAY_MS
    return asyncio.run(replay(settings, [log], now_ms=now_ms, progress=keep)), seen[0] if seen else None


def _lines() -> Iterator[Line]:
    numbers = iter(range(1_000_000))
    for customer in range(CUSTOMERS):
        told: Line = {"owner": OWNERS.get(customer % 3), "plan": "gold" if customer % 5 == 0 else None}
        told |= {"segment": {0: "loyal", 1: "high_value", 2: "partner"}.get(customer % 8)}
        yield line("profiles", name(customer), START_MS, next(numbers), **{k: v for k, v in told.items() if v})
    for week in range(WEEKS):
        for customer in range(CUSTOMERS):
            if _orders(customer, week):
                at_ms = START_MS + week * 7 * DAY_MS + customer * HOUR_MS // 4
                yield from _visit(customer, week, at_ms, numbers)
    for customer in (9, 12):
        at_ms = START_MS + (TOLD_WEEKS - 1) * 7 * DAY_MS
        yield line("cancellations", name(customer), at_ms, next(numbers), reason="price")


def name(customer: int) -> str:
    """A customer's id; one of them is not nice."""
    return HOSTILE if customer == 1 else f"c{customer}"


def _orders(customer: int, week: int) -> bool:
    """Every third leaves sooner or later, some pause, and they come in waves."""
    gone = customer % 3 == 0 and week > 6 + customer // 3
    pause = customer % 7 == 1 and week % 9 > 4
    return week >= customer % 5 * 3 and not gone and not pause


def _visit(customer: int, week: int, at_ms: int, numbers: Iterator[int]) -> Iterator[Line]:
    paid = {"amount": 20 + 5 * customer % 90, "discount": 10 if customer % 4 == 0 else 0}
    yield line("orders", name(customer), at_ms, next(numbers), **paid)
    if customer % 11 == 5 and week % 6 == 0:
        back = {"order_id": f"back{week}", "status": "returned"}
        yield line("orders", name(customer), at_ms + 2 * HOUR_MS, next(numbers), **paid | back)
    if customer % 6 == 2 and week % 4 == 0:
        ticket = {"ticket_id": f"t{customer}-{week}", "category": "delivery", "severity": "high"}
        yield line("tickets", name(customer), at_ms + HOUR_MS, next(numbers), status="opened", **ticket)
        solved = {"status": "resolved", "satisfaction": 2}
        yield line("tickets", name(customer), at_ms + 50 * HOUR_MS, next(numbers), **ticket | solved)
    if customer % 6 == 4 and week % 5 == 0:
        said = {"rating": 1 + customer % 5, "topics": ["product", "price"][: 1 + customer % 2]}
        yield line("reviews", name(customer), at_ms + HOUR_MS, next(numbers), **said)


def _reports(alerts: list[Alert]) -> Iterator[Line]:
    """What the team says of alerts: of some nothing, of most that they called, of fewer that it was of use."""
    heard_ms = START_MS + (TOLD_WEEKS - 2) * 7 * DAY_MS + 6 * HOUR_MS  # nobody has come to later ones yet
    told = [alert for alert in alerts if parse_instant(alert.raised_at) < heard_ms]
    to_treat = [alert for alert in told if alert.kind == "opened" and not alert.holdout]
    for number, alert in enumerate(to_treat):
        at_ms = parse_instant(alert.raised_at)
        action = {"action": alert.actions[0].code} if alert.actions else {}
        for status, hours, wanted in (
            ("acknowledged", 1, number % 4 > 0),
            ("contacted", 3 + number % 40, number % 4 > 1),
            ("accepted", 50, number % 8 == 3),
            ("declined", 50, number % 8 == 7),
            ("false_alarm", 60, number % 16 == 2),
        ):
            if wanted:
                report = {"alert_id": alert.alert_id, "status": status, **action}
                cost = {"cost": 6} if status == "contacted" else {}
                when = at_ms + hours * HOUR_MS
                yield line("outcomes", alert.customer_id, when, 0, **report, **cost) | {
                    "event_id": f"{alert.alert_id}-{status}"
                }


def _score(alert: Alert) -> scores.Score:
    return scores.build(
        customer_id=alert.customer_id,
        at_ms=parse_instant(alert.raised_at),
        risk=alert.risk,
        band=alert.band if alert.kind in ("opened", "escalated") else "low",
        previous_band=None,
        segment=alert.segment,
        model=alert.model,
    )
