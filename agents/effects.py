"""What a step of the pipeline wants done: nothing here has happened yet."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from alerts.counts import StatsBuilder
from models.input_counts import InputCounts
from models.labels import Example
from streams.outgoing import Outgoing


@dataclass(frozen=True, slots=True)
class AlertNote:
    """What the metrics need to know of an alert that goes out; `since_ms` is when its trigger was recorded, None for silence."""

    kind: str
    band: str
    segment: str
    reasons: tuple[str, ...]
    since_ms: int | None


@dataclass(slots=True)
class Effects:
    """State to be written, messages to be sent, and counts to be published once it has all been stored.

    Attributes:
        touched: customers whose state changed; deleted: those whose state goes.
        outgoing: messages, in order.
        examples, stats, inputs: for the learner.
        outcomes: (topic, outcome) to events; outcome is applied, duplicate, late or dead_lettered.
        dead_letters: (topic, reason) to events.
        scorings: cause (event, silence, snapshot) to scorings.
        reports: status of outcomes reported by the retention team.
        woken: wake-ups handled, wake_late_ms_max how late the latest of them was on the partition's clock.
        alerts: the alerts among `outgoing`.
        episodes_opened: episodes opened less those closed; customers_added: customers new less those expired.
        failures: records and wake-ups that could not be worked on (a fault of ours).
    """

    touched: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    outgoing: list[Outgoing] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)
    stats: StatsBuilder = field(default_factory=StatsBuilder)
    inputs: InputCounts = field(default_factory=InputCounts)
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    dead_letters: Counter[tuple[str, str]] = field(default_factory=Counter)
    scorings: Counter[str] = field(default_factory=Counter)
    reports: Counter[str] = field(default_factory=Counter)
    woken: int = 0
    wake_late_ms_max: int = 0
    alerts: list[AlertNote] = field(default_factory=list)
    episodes_opened: int = 0
    customers_added: int = 0
    failures: int = 0
