"""The study of reasons: a population that hides its causes, and the figures that are made of what was said."""

from collections import Counter
from typing import Any

import msgspec
import pytest

from alerts.alert import SILENCE, Alert, ModelStamp, Reason, ValueAtRisk
from streams.codec import Arrival, Limits, RawRecord, decode
from streams.time import DAY_MS, iso
from studies.phrases import COMPLAINTS, LANGUAGES
from studies.population import CAUSES, START_MS, Population, Truth, populate
from studies.reasons import pairs_of, summary, told


@pytest.fixture(scope="module")
def population() -> Population:
    return populate(7, customers=60, days=240)


def test_the_same_seed_gives_the_same_population(population: Population) -> None:
    again = populate(7, customers=60, days=240)
    assert (again.events, again.left) == (population.events, population.left)
    assert populate(8, customers=60, days=240).events != population.events


def test_every_event_is_one_that_the_product_reads(population: Population) -> None:
    for event in population.events:
        record = RawRecord(str(event["stream"]), 0, 0, 0, None, msgspec.json.encode(event))
        assert isinstance(decode(record, event["stream"], Limits(1 << 20, DAY_MS), 1 << 42, keyed=False), Arrival)
    times = [event["occurred_at"] for event in population.events]
    assert times == sorted(times)


def test_the_events_do_not_tell_the_cause(population: Population) -> None:
    assert {truth.cause for truth in population.left.values()} == set(CAUSES)
    fields = {name for event in population.events for name in event}
    assert not fields & {"cause", "onset_day", "last_day"}
    ordered = {event["customer_id"]: event["occurred_at"] for event in population.events if event["stream"] == "orders"}
    for customer, truth in population.left.items():
        assert truth.onset_day < truth.last_day
        assert customer in ordered


def test_there_are_complaints_in_every_language() -> None:
    assert set(COMPLAINTS) == set(CAUSES) - {"engagement"}
    assert all(len(COMPLAINTS[cause][language]) > 2 for cause in COMPLAINTS for language in LANGUAGES)


def alert(customer: str, day: float, code: Any, **fields: Any) -> Alert:
    given: dict[str, Any] = {
        "schema_version": 1, "alert_id": "a", "episode_id": "e", "customer_id": customer, "kind": "opened",
        "raised_at": iso(START_MS + int(day * DAY_MS)), "risk": 0.8, "threshold": 0.6, "band": "high", "segment": "loyal",
        "value_at_risk": ValueAtRisk(1.0, "EUR"), "reasons": [Reason(code, 1.0, "…", {})], "actions": [], "holdout": False,
        "model": ModelStamp("3", 900), "trigger": SILENCE,
    }  # fmt: skip
    return Alert(**given | fields)


def test_only_alerts_of_the_model_from_the_onset_on_are_looked_at() -> None:
    left = {"a": Truth("price", 100.0, 130.0)}
    alerts = [
        alert("a", 101, "price"),
        alert("a", 120, "engagement"),
        alert("a", 99, "service"),
        alert("b", 120, "service"),
        alert("a", 120, "service", kind="escalated"),
        alert("a", 120, "service", model=ModelStamp("rule-0", 0)),
    ]
    assert pairs_of(alerts, left) == {("price", "price"): 1, ("price", "engagement"): 1}


def test_the_figures_hold_only_where_every_family_does() -> None:
    good = Counter({(cause, cause): 9 for cause in CAUSES}) + Counter({("price", "service"): 1})
    figures = summary([good])
    assert figures["holds"]
    assert (figures["alerts"], figures["recall"]["price"]) == (46, 0.9)
    lame = good + Counter({("product", "engagement"): 9})
    assert summary([lame])["right"] > 0.8
    assert not summary([lame])["holds"]
    assert told(good).startswith("98% of 46 first reasons are right (engagement 100%, price 90%")
    assert not summary([Counter()])["holds"]
