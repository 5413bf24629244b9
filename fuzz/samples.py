"""The inputs to begin with: what the product itself writes, made anew at every start from a small shop with four streams of events."""

from __future__ import annotations

import asyncio
import json
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any, Final

from churnwatch.backtest import Backtest, replay
from churnwatch.settings import Settings
from models.guide import Scale
from models.labels import Example, ExampleBatch, encode_batch, pack_vector, pseudonym
from models.learner import Learner
from streams.time import DAY_MS, iso, parse_instant

START_MS: Final = parse_instant("2025-01-06T09:00:00Z")
DAYS: Final = 180
NOW_MS: Final = START_MS + DAYS * DAY_MS
CUSTOMERS: Final = 8

NAMES: Final = ("silence_days", "orders_30d", "age_days")
SCALES: Final[tuple[Scale, ...]] = ("log", "log", "linear")
"""The features of the small learner: a full one takes twenty times as long for each input."""


@dataclass(slots=True)
class Samples:
    """What a replay of the shop has left behind.

    Attributes:
        lines: its events as lines of a file.
        backtest: what it said, and the partition's state.
        learner: the bytes of the learner at the end.
        settings: what it ran with.
    """

    lines: list[bytes]
    backtest: Backtest
    learner: bytes
    settings: Settings


@lru_cache(maxsize=1)
def samples() -> Samples:
    """Replay the shop: half a year, eight customers; takes about a second."""
    # Nobody's environment or settings file may change what is fuzzed.
    settings = Settings.model_construct(**{name: info.get_default() for name, info in Settings.model_fields.items()})
    settings = settings.model_copy(update={"min_labels": 20, "alert_min_order_days": 1, "alert_daily_budget": 5.0})
    learners: list[Learner] = []

    def keep(result: Backtest, clock_ms: int, learner: Learner | None) -> None:  # noqa: ARG001 - as the replay calls it
        if learner is not None:
            learners[:] = [learner]

    lines = shop_lines()
    with tempfile.TemporaryDirectory(prefix="churnwatch-fuzz-") as folder:
        path = Path(folder) / "shop.jsonl"
        path.write_bytes(b"\n".join(lines))
        result = asyncio.run(replay(settings, [path], now_ms=NOW_MS + DAY_MS, progress=keep))
    return Samples(lines, result, learners[0].to_bytes(), settings)


def shop_lines() -> list[bytes]:
    """Return the shop's events of all seven streams, in order of time."""
    random = Random(7)
    events: list[tuple[int, dict[str, Any]]] = []
    for number in range(CUSTOMERS):
        at, leaves = START_MS + number * DAY_MS // 3, START_MS + random.randint(40, DAYS) * DAY_MS
        while at < min(leaves, NOW_MS):
            events.append((at, _event(random, f"c-{number}", at, len(events))))
            at += random.randint(1, 9) * DAY_MS // 2
    return [json.dumps(event, ensure_ascii=False).encode() for _, event in sorted(events, key=lambda pair: pair[0])]


def _event(random: Random, customer: str, at_ms: int, number: int) -> dict[str, Any]:
    stream = random.choices(
        ("orders", "logins", "tickets", "reviews", "profiles", "outcomes", "cancellations"), (40, 30, 10, 8, 6, 4, 1)
    )[0]
    fields: dict[str, dict[str, Any]] = {
        "orders": {
            "order_id": f"o-{number}",
            "amount": random.randint(1, 90_000) / 100,
            "currency": "EUR",
            "items": 2,
            "discount": 0.5,
            "status": "placed",
        },
        "logins": {"channel": random.choice(("web", "app")), "session_seconds": random.randint(0, 900)},
        "tickets": {
            "ticket_id": f"t-{number % 5}",
            "status": random.choice(("opened", "updated", "resolved")),
            "category": "delivery",
            "severity": "high",
            "satisfaction": 2,
        },
        "reviews": {
            "rating": random.randint(1, 5),
            "kind": "review",
            "topics": ["price", "delivery"],
            "text": "schön teuer",
        },
        "profiles": {
            "signed_up_at": iso(START_MS),
            "plan": "gold",
            "segment": "loyal",
            "owner": "ann",
            "annual_value": 420.5,
            "country": "DE",
            "do_not_contact": False,
        },
        "outcomes": {
            "alert_id": "0" * 32,
            "status": "snoozed",
            "action": "call",
            "snooze_until": at_ms + 3 * DAY_MS,
            "cost": 2.5,
            "note": "ok",
        },
        "cancellations": {"reason": "price", "effective_at": iso(at_ms + DAY_MS)},
    }
    when: str | int = iso(at_ms) if number % 5 else at_ms
    return {"stream": stream, "event_id": f"e-{number}", "customer_id": customer, "occurred_at": when, **fields[stream]}


def small_learner() -> Learner:
    """Return a learner of three features that has seen nothing, as in a replay."""
    return Learner(NAMES, SCALES, grid_ms=3 * DAY_MS, min_labels=4)


def small_batches() -> list[ExampleBatch]:
    """Return batches for it, of two sources, with labels of both kinds."""
    random = Random(11)
    batches = []
    for seq in range(1, 5):
        for source in range(2):
            mark_ms = START_MS + (60 + 7 * seq) * DAY_MS
            examples = []
            for number in range(3):
                vector = pack_vector([random.random() * 60, random.random() * 9, random.random() * 400])
                name, taken_ms = pseudonym(f"{source}-{number}"), mark_ms - 61 * DAY_MS
                examples.append(
                    Example(name, taken_ms, mark_ms - DAY_MS, (number + seq) % 2, random.random(), 0, "loyal", vector)
                )
            day = mark_ms // DAY_MS
            batches.append(
                ExampleBatch(source, 2, seq, mark_ms, False, examples, {day: [{"loyal": {41: 1, 87: -1}}, {3: 1}, 0]})
            )
    return batches


def taught_learner() -> Learner:
    """Return a small learner that has taken all of them in."""
    learner = small_learner()
    for batch in small_batches():
        learner.absorb(batch)
    learner.advance()
    return learner


def batch_bytes() -> list[bytes]:
    """Return the small learner's batches as they are sent."""
    return list(map(encode_batch, small_batches()))
