"""The logs that the rounds are about: customers of the example log, and a made-up shop as badly delivered as can be.

| log | what it holds |
| --- | --- |
| example | some customers of data/cdnow.jsonl.gz, whole, in event-time order |
| wild | four streams, profiles, cancellations and outcomes; events swapped within the lateness, repeated, late, too late, poisoned |

Both are functions of their seed, and every partition gets its records in the same order in every round, so that the offsets are the same.
"""

import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Final

from bench.synthetic import shop
from chaos.topics import produce
from churnwatch.settings import Settings
from streams.murmur2 import murmur2
from streams.outgoing import Outgoing
from streams.time import DAY_MS, iso, parse_instant

EXAMPLE: Final = Path(__file__).parents[1] / "data" / "cdnow.jsonl.gz"
PARTITIONS: Final = 12
HOUR_MS: Final = DAY_MS // 24

ALERTING: Final[dict[str, Any]] = {
    "min_labels": 100,
    "alert_daily_budget": 20.0,
    "alert_floor_new": 0.3,
    "alert_floor_standard": 0.3,
    "alert_floor_loyal": 0.3,
    "alert_floor_high_value": 0.3,
    "alert_cool_down_ms": "3d",
}
QUICK: Final[dict[str, Any]] = ALERTING | {
    "horizon_ms": "14d",
    "active_ms": "28d",
    "expiry_ms": "60d",
    "model_interval_ms": "7d",
}
"""Settings under which labels ripen and alerts are raised within a log of three months."""

SLOW: Final[dict[str, Any]] = ALERTING | {"model_interval_ms": "28d"}
"""The same for one of a year and a half."""

POISON: Final = (
    b"",
    b"not JSON",
    b'{"event_id": "e',
    b"[]",
    b"\xff\xfe",
    b'{"event_id": 7}',
    b"\x00\x00\x00\x00\x07avro",
)
"""Values that no topic takes for an event."""

REPEATED_SHARE: Final = 0.05
SWAPPED_SHARE: Final = 0.2
SWAPPED_MS_MAX: Final = 4 * DAY_MS
"""How much later than its time an event comes, well within CHURNWATCH_LATENESS."""

LATE_EVENTS: Final = 12
LATE_MS: Final = 30 * DAY_MS
TOO_LATE_MS: Final = 400 * DAY_MS


@dataclass(frozen=True, slots=True)
class Sent:
    """A record as it is published: `event` is what it says, None where it is poison."""

    stream: str
    key: bytes
    value: bytes
    event: dict[str, Any] | None

    @property
    def partition(self) -> int:
        """Where Kafka's partitioner puts it."""
        return partition_of(self.key)


@dataclass(frozen=True, slots=True)
class ChaosLog:
    """A log: its records in the order of publishing, the settings to run it under, and where event time ends."""

    name: str
    settings: dict[str, Any]
    records: Sequence[Sent]
    last_ms: int
    ordered: bool

    def publish(self, settings: Settings) -> None:
        """Write it to the input topics; returns when all is acknowledged."""
        inputs = settings.topics().inputs
        produce(settings, (Outgoing(inputs[sent.stream], sent.key, sent.value, []) for sent in self.records))

    def files(self, folder: Path, partition: int | None = None) -> list[Path]:
        """Write the events (of one partition) to a file each stream, in the order of publishing, for the backtest."""
        folder.mkdir(parents=True, exist_ok=True)
        lines: dict[str, list[str]] = {}
        for sent in self.records:
            if sent.event is not None and partition in {None, sent.partition}:
                lines.setdefault(sent.stream, []).append(json.dumps(sent.event) + "\n")
        paths = []
        for stream in sorted(lines):
            paths.append(folder / f"{stream}.jsonl")
            paths[-1].write_text("".join(lines[stream]))
        return paths


@cache
def partition_of(key: bytes) -> int:
    """The partition of a key."""
    return (murmur2(key) & 0x7FFFFFFF) % PARTITIONS


def example_log(customers: int | None, seed: int = 1) -> ChaosLog:
    """The example log; of that many customers only, if given, drawn by the seed."""
    with gzip.open(EXAMPLE, "rt", encoding="utf-8") as lines:
        events = [json.loads(line) for line in lines]
    names = sorted({event["customer_id"] for event in events})
    kept = set(names if customers is None else Random(seed).sample(names, customers))
    chosen = [event for event in events if event["customer_id"] in kept]
    return ChaosLog(
        "example", SLOW | _until(_last_ms(chosen)), [_sent(event) for event in chosen], _last_ms(chosen), ordered=True
    )


def tidy_shop(customers: int, days: int, seed: int = 1) -> list[dict[str, Any]]:
    """A shop's events in event-time order: four streams, profiles, cancellations, and a login at the very end in each partition."""
    random = Random(seed)
    events = shop(customers, days, seed)
    last: dict[str, int] = {}
    for event in events:
        last[event["customer_id"]] = _at_ms(event)
    end_ms = max(last.values()) + HOUR_MS
    own = count()

    def add(stream: str, customer: str, at_ms: int, **fields: Any) -> None:
        told = {"event_id": f"own-{next(own)}", "occurred_at": iso(at_ms), "stream": stream, "customer_id": customer}
        events.append(told | fields)

    for customer, last_ms in last.items():
        add(
            "profiles",
            customer,
            _first_ms(end_ms, days) + random.randrange(DAY_MS),
            plan=random.choice(("free", "gold")),
        )
        if last_ms < end_ms - 20 * DAY_MS and random.random() < 0.15:
            add("cancellations", customer, last_ms + 3 * DAY_MS, reason="price")
    for customer in _one_each():
        add("logins", customer, end_ms, channel="web", session_seconds=60)
    return sorted(events, key=_at_ms)


def with_outcomes(events: Iterable[dict[str, Any]], alerts: Iterable[Any], seed: int = 1) -> list[dict[str, Any]]:
    """Add what a retention team reports of every third of these alerts."""
    random = Random(seed)
    added = list(events)
    end_ms = _last_ms(added)
    for number, alert in enumerate(alerts):
        at_ms = parse_instant(alert.raised_at) + random.randrange(1, 3 * DAY_MS)
        if number % 3 == 0 and at_ms < end_ms:
            status = random.choice(("contacted", "accepted", "declined", "false_alarm", "snoozed"))
            told = {"stream": "outcomes", "event_id": f"out-{number}", "customer_id": alert.customer_id}
            added.append(told | {"occurred_at": iso(at_ms), "alert_id": alert.alert_id, "status": status})
    return sorted(added, key=_at_ms)


def wild_log(events: Sequence[dict[str, Any]], seed: int = 1) -> ChaosLog:
    """Deliver a tidy log badly: swapped, repeated, late, too late, and with poison in between."""
    random = Random(seed)
    end_ms = _last_ms(events)
    arriving: list[tuple[int, Sent]] = []
    for event in events:
        at_ms = _at_ms(event)
        swapped = random.random() < SWAPPED_SHARE and at_ms < end_ms
        arriving.append((at_ms + swapped * random.randrange(SWAPPED_MS_MAX), _sent(event)))
        if random.random() < REPEATED_SHARE:
            arriving.append((at_ms + random.randrange(SWAPPED_MS_MAX), _sent(event)))
    orders = [event for event in events if event["stream"] == "orders"]
    for behind_ms in (LATE_MS, TOO_LATE_MS):
        for number, event in enumerate(random.sample(orders, LATE_EVENTS)):
            late = {"event_id": f"late-{behind_ms // DAY_MS}-{number}", "occurred_at": iso(_at_ms(event) - behind_ms)}
            late["order_id"] = late["event_id"]
            arriving.append((_at_ms(event), _sent(event | late)))
    for event, value in zip(random.sample(orders, 3 * len(POISON)), 3 * POISON, strict=True):
        arriving.append((_at_ms(event), Sent("orders", event["customer_id"].encode(), value, None)))
    arriving.sort(key=lambda arrival: arrival[0])
    return ChaosLog("wild", QUICK | _until(end_ms), [sent for _, sent in arriving], end_ms, ordered=False)


def _sent(event: dict[str, Any]) -> Sent:
    value = json.dumps({name: told for name, told in event.items() if name != "stream"}, ensure_ascii=False)
    return Sent(event["stream"], event["customer_id"].encode(), value.encode(), event)


def _until(last_ms: int) -> dict[str, Any]:
    return {"clock": "replay", "replay_until_ms": last_ms}


def _one_each() -> list[str]:
    found: dict[int, str] = {}
    for number in count():
        name = f"beacon-{number}"
        found.setdefault(partition_of(name.encode()), name)
        if len(found) == PARTITIONS:
            break
    return sorted(found.values())


def _at_ms(event: dict[str, Any]) -> int:
    return parse_instant(event["occurred_at"])


def _first_ms(end_ms: int, days: int) -> int:
    return end_ms - days * DAY_MS


def _last_ms(events: Sequence[dict[str, Any]]) -> int:
    return max(map(_at_ms, events))
