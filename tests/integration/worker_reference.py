"""What workers must have made of a log: what the backtest makes of the same file, compared byte for byte."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.record import Customer, decode_customer
from alerts.alert import encode
from churnwatch.backtest import Backtest, replay
from churnwatch.settings import Settings
from models.guide import encode_guide
from tests.integration.cli_runner import read
from tests.integration.worker_harness import Installation, in_order, unique
from tests.integration.worker_logs import QUICK, shop, write

FAR_MS = 1 << 60


@dataclass(frozen=True)
class Reference:
    """The log, what the backtest made of it while learning, and what it made of it with the model learnt."""

    path: Path
    events: list[dict[str, Any]]
    model: Path
    learning: Backtest
    frozen: Backtest

    @property
    def last_ms(self) -> int:
        return self.learning.last_ms


def reference(folder: Path) -> Reference:
    """Make the shop's log and replay it twice."""
    events = shop()
    path = write(folder / "shop.jsonl", events)
    settings = Settings(clock="replay", **QUICK)
    now_ms = time.time_ns() // 1_000_000
    learning = asyncio.run(replay(settings, [path], now_ms=now_ms))
    assert learning.guide is not None
    assert learning.guide.ready
    frozen = asyncio.run(replay(settings, [path], now_ms=now_ms, frozen=learning.guide))
    assert {alert.kind for alert in frozen.alerts} == {"opened", "escalated", "resolved", "churned"}
    model = folder / "model"
    model.write_bytes(encode_guide(learning.guide))
    return Reference(path, events, model, learning, frozen)


def assert_same(lab: Installation, expected: Backtest, events: list[dict[str, Any]]) -> None:
    """Compare state, wake-ups, examples and alerts."""
    held = lab.held()
    states = expected.partition.states
    assert held.customers.keys() == states.keys()
    wrong = differing(held.customers, states)
    assert not wrong, wrong
    assert held.timers == dict(expected.partition.timers.get(FAR_MS, len(states) + 1))
    assert sum(meta.customers for meta in held.metas.values()) == len(states)
    assert in_order(lab.examples()) == in_order(expected.examples)
    said = said_by(lab)
    wanted = spoken(map(encode, expected.alerts), lambda told: events[told["offset"]]["event_id"])
    assert said.keys() == wanted.keys()
    assert [alert for alert, text in said.items() if text != wanted[alert]] == []


def differing(held: Mapping[str, bytes], wanted: Mapping[str, bytes]) -> dict[str, list[str]]:
    """Customers whose state differs, and in what: field, what is held, what it should be."""
    return {
        customer: [
            f"{name}: {getattr(one, name)} instead of {getattr(other, name)}"
            for one, other in [(decode_customer(value), decode_customer(wanted[customer]))]
            for name in Customer.__struct_fields__
            if getattr(one, name) != getattr(other, name)
        ]
        for customer, value in held.items()
        if value != wanted[customer]
    }


def said_by(lab: Installation) -> dict[str, bytes]:
    """The alerts on the topic by id."""
    ids = {
        (record.topic, record.partition, record.offset): json.loads(record.value)["event_id"]
        for topic in lab.settings.topics().inputs.values()
        for record in read(lab.settings, topic)
    }
    values = unique(lab.alerts(), lambda value: str(json.loads(value)["alert_id"])).values()
    return spoken(values, lambda told: ids[told["topic"], told["partition"], told["offset"]])


def spoken(values: Iterable[bytes], event_of: Callable[[dict[str, Any]], str]) -> dict[str, bytes]:
    """Alerts by id, byte for byte, save that the trigger names its event instead of where that lies."""
    found = {}
    for value in values:
        trigger = json.loads(value)["trigger"]
        place = json.dumps(trigger, separators=(",", ":")).encode()
        assert value.count(place) == 1
        event = b"" if trigger["kind"] == "silence" else event_of(trigger).encode()
        found[str(json.loads(value)["alert_id"])] = value.replace(place, event)
    return found
