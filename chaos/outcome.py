"""What a log has led to: every customer's state and wake-up, the alerts, the examples, the dead letters; and how two such differ."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from agents.record import Customer, decode_customer
from alerts.alert import encode
from chaos.installation import Installation, in_order, unique
from chaos.topics import read
from churnwatch.backtest import Backtest
from models.labels import Example
from models.store import decode_record
from streams.deadletter import CONNECT, REASON

FAR_MS: Final = 1 << 60
SHOWN_MAX: Final = 5
"""Differences of one kind that are written out."""

EventOf = Callable[[dict[str, Any]], str]
"""Gives the id of the event that an alert's trigger names."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What there was in the end.

    Attributes:
        customers: state by customer.
        timers: next wake-up by customer.
        alerts: alerts by id, each as `spoken` gives it.
        examples: labelled examples, as `in_order` gives them.
        dead: reason by place (topic without its prefix, partition, offset) of every record that was dead-lettered.
        quality: the newest guide's prequential figures; empty where nothing is learnt, or where they are not looked at.
        repeated: messages on the alert topic that came again.
        faults: what no outcome may have: one id with two contents, messages left unsent.
    """

    customers: Mapping[str, bytes]
    timers: Mapping[str, int]
    alerts: Mapping[str, bytes]
    examples: Sequence[Example]
    dead: Mapping[str, str] = field(default_factory=dict)
    quality: Mapping[str, float] = field(default_factory=dict)
    repeated: int = 0
    faults: Sequence[str] = ()

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits over state, wake-ups, alerts and examples."""
        digest = hashlib.sha256()
        for part in (self.customers, self.timers, self.alerts):
            digest.update(repr(sorted(part.items())).encode())
        digest.update(repr(list(self.examples)).encode())
        return digest.hexdigest()[:12]


def of_backtests(results: Iterable[tuple[Backtest, EventOf]]) -> Outcome:
    """Put together what backtests of different partitions have led to."""
    customers: dict[str, bytes] = {}
    timers: dict[str, int] = {}
    alerts: dict[str, bytes] = {}
    examples: list[Example] = []
    for result, event_of in results:
        customers |= result.partition.states
        timers |= dict(result.partition.timers.get(FAR_MS, len(result.partition.states) + 1))
        alerts |= spoken(map(encode, result.alerts), event_of)
        examples += result.examples
    return Outcome(customers, timers, alerts, in_order(examples))


def of_workers(lab: Installation) -> Outcome:
    """Look at what workers have left behind."""
    held = lab.held()
    faults = [f"{len(held.outbox)} messages were never sent"] if held.outbox else []
    counted = sum(meta.customers for meta in held.metas.values())
    if counted != len(held.customers):
        faults.append(f"{counted} customers counted, {len(held.customers)} held")
    records = lab.alerts()
    try:
        alerts = said_by(lab)
        examples = in_order(lab.examples())
    except AssertionError as error:
        return Outcome(held.customers, held.timers, {}, [], faults=[*faults, str(error)])
    repeated = len(records) - len(alerts)
    dead, two_reasons = _dead(lab)
    return Outcome(
        held.customers, held.timers, alerts, examples, dead, _quality(lab), repeated, [*faults, *two_reasons]
    )


def differences(found: Outcome, wanted: Outcome, *, dead: bool = True) -> list[str]:
    """Say in what an outcome differs from what it should be, a line each; `dead`: look at dead letters and quality as well."""
    said = list(found.faults)
    said += _keys("customers", found.customers, wanted.customers)
    said += [
        f"customer {name}: {'; '.join(how)}"[:2000]
        for name, how in differing(found.customers, wanted.customers).items()
    ][:SHOWN_MAX]
    said += _values("wake-up", found.timers, wanted.timers)
    said += _values("alert", found.alerts, wanted.alerts)
    said += _examples(found.examples, wanted.examples)
    if dead:
        said += _values("dead letter", found.dead, wanted.dead)
        said += _values("quality", found.quality, wanted.quality)
    return said


def differing(held: Mapping[str, bytes], wanted: Mapping[str, bytes]) -> dict[str, list[str]]:
    """Customers of both whose state differs, and in what: field, what is held, what it should be."""
    return {
        customer: [
            f"{name}: {getattr(one, name)} instead of {getattr(other, name)}"
            for one, other in [(decode_customer(held[customer]), decode_customer(wanted[customer]))]
            for name in Customer.__struct_fields__
            if getattr(one, name) != getattr(other, name)
        ]
        for customer in sorted(held.keys() & wanted.keys())
        if held[customer] != wanted[customer]
    }


def said_by(lab: Installation) -> dict[str, bytes]:
    """The alerts on the topic by id."""
    ids = {
        (record.topic, record.partition, record.offset): record.value
        for record in read(lab.settings, *lab.settings.topics().inputs.values())
    }
    values = unique(lab.alerts(), lambda value: str(json.loads(value)["alert_id"])).values()
    return spoken(
        values, lambda told: str(json.loads(ids[told["topic"], told["partition"], told["offset"]])["event_id"])
    )


def spoken(values: Iterable[bytes], event_of: EventOf) -> dict[str, bytes]:
    """Alerts by id, byte for byte, save that the trigger names its event instead of where that lies."""
    found = {}
    for value in values:
        trigger = json.loads(value)["trigger"]
        place = json.dumps(trigger, separators=(",", ":")).encode()
        assert value.count(place) == 1
        event = b"" if trigger["kind"] == "silence" else event_of(trigger).encode()
        found[str(json.loads(value)["alert_id"])] = value.replace(place, event)
    return found


def _dead(lab: Installation) -> tuple[dict[str, str], list[str]]:
    topics, prefix = lab.settings.topics(), lab.settings.topic_prefix
    found: dict[str, str] = {}
    faults = []
    for record in read(lab.settings, *map(topics.dlq, topics.inputs.values())):
        told = {name: value.decode() for name, value in record.headers}
        topic = told[f"{CONNECT}topic"].removeprefix(prefix)
        place = f"{topic}[{told[f'{CONNECT}partition']}]@{told[f'{CONNECT}offset']}"
        if found.setdefault(place, told[REASON]) != told[REASON]:
            faults.append(f"dead letter {place}: {found[place]} and {told[REASON]}")
    return found, faults


def _quality(lab: Installation) -> dict[str, float]:
    with lab.redis() as client:
        newest = client.lindex(f"{lab.settings.redis_namespace}:{{learn}}:history", -1)
    return {} if newest is None else decode_record(newest).quality


def _keys(what: str, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    said = []
    for kind, names in (("missing", wanted.keys() - found.keys()), ("too many", found.keys() - wanted.keys())):
        if names:
            said.append(f"{what}: {len(names)} of {len(wanted)} {kind}: {', '.join(sorted(names)[:SHOWN_MAX])}")
    return said


def _values(what: str, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    wrong = [name for name in sorted(found.keys() & wanted.keys()) if found[name] != wanted[name]]
    said = [f"{what} {name}: {found[name]!r} instead of {wanted[name]!r}" for name in wrong[:SHOWN_MAX]]
    return [*_keys(f"{what}s", found, wanted), *said, *([f"{what}: {len(wrong)} differ"] if wrong else [])]


def _examples(found: Sequence[Example], wanted: Sequence[Example]) -> list[str]:
    mine, theirs = (Counter(map(repr, examples)) for examples in (found, wanted))
    lost, more = theirs - mine, mine - theirs
    said = [f"examples: {lost.total()} of {len(wanted)} missing: {next(iter(lost))}"] if lost else []
    return said + ([f"examples: {more.total()} too many: {next(iter(more))}"] if more else [])
