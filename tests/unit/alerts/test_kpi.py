"""What is booked for the goals: bounded keys, whole numbers."""

from typing import Any

import msgspec
import pytest

from alerts.alert import CODES
from alerts.counts import DayStats, StatsBuilder
from alerts.episode import Transition
from alerts.kpi import (
    HUNDREDTHS_MAX,
    book_alert,
    book_first_action,
    book_label,
    book_look,
    book_report,
    book_suggestions,
    book_voice,
    book_won_back,
    hundredths,
)
from alerts.segments import SEGMENTS
from streams.events import Review, Ticket, TicketStatus
from streams.time import DAY_MS

DAY = 10_000
OPENED = Transition(
    "opened", "rise", "ann", "e", "a", DAY * DAY_MS, 0.8, 0.6, "high", "loyal", basis="model", holdout=False
)


def booked(stats: StatsBuilder) -> dict[str, int]:
    (day,) = msgspec.convert(stats.take(), dict[int, DayStats]).values()
    return day.ledger


def alert(stats: StatsBuilder, step: Transition, reason: str = "price", opened_ms: int = DAY * DAY_MS) -> None:
    book_alert(stats, DAY, step, reason=reason, cohort="1997-05", opened_ms=opened_ms, annual_value=100.0, at_risk=80.0)


def test_an_opening_is_booked_with_what_is_at_stake() -> None:
    stats = StatsBuilder()
    alert(stats, OPENED)
    alert(stats, msgspec.structs.replace(OPENED, holdout=True))
    assert booked(stats) == {
        "kpi_alert|opened|rise|treated|loyal|price": 1,
        "kpi_alert|opened|rise|held|loyal|price": 1,
        "kpi_alert_cohort|opened|rise|treated|1997-05": 1,
        "kpi_alert_cohort|opened|rise|held|1997-05": 1,
        "kpi_stake|loyal|price": 16_000,
    }


def test_a_leaving_is_booked_with_the_days_since_the_warning() -> None:
    stats = StatsBuilder()
    gone = msgspec.structs.replace(OPENED, kind="churned", cause="gone", at_ms=OPENED.at_ms + 40 * DAY_MS + 5)
    alert(stats, gone)
    found = booked(stats)
    assert found["kpi_lead|loyal|price|days"] == 40
    assert found["kpi_lead|loyal|price|count"] == 1
    assert found["kpi_lost|loyal|price"] == 10_000
    assert "kpi_stake|loyal|price" not in found


def test_a_cancellation_that_nobody_had_been_warned_of_has_no_lead_time() -> None:
    stats = StatsBuilder()
    alert(stats, msgspec.structs.replace(OPENED, kind="churned", cause="cancelled"))
    assert not any(key.startswith("kpi_lead") for key in booked(stats))


def test_a_first_action_is_booked_with_the_minutes_that_it_took() -> None:
    stats = StatsBuilder()
    book_first_action(
        stats, DAY, "contacted", segment="new", reason="service", cohort="1997-05", waited_ms=90 * 60_000 + 1
    )
    book_first_action(stats, DAY, "contacted", segment="new", reason="service", cohort="1997-05", waited_ms=-5)
    assert booked(stats) == {
        "kpi_acted|contacted|new|service": 2,
        "kpi_acted_cohort|1997-05": 2,
        "kpi_acted_minutes|new|service": 90,
    }


def test_labels_looks_and_returns_are_booked_by_segment() -> None:
    stats = StatsBuilder()
    book_label(stats, DAY, segment="new", cohort="1997-05", churned=True)
    book_look(stats, DAY, segment="loyal", warned=True, expected=12.5)
    book_won_back(stats, DAY, segment="standard", annual_value=7.0)
    assert booked(stats) == {
        "kpi_label|new|1997-05|churned": 1,
        "kpi_expected|10000|loyal|open|customers": 1,
        "kpi_expected|10000|loyal|open|year": 1_250,
        "kpi_won_back|standard|count": 1,
        "kpi_won_back|standard|value": 700,
    }


def test_reviews_are_booked_by_topic_and_tickets_when_they_are_opened() -> None:
    stats = StatsBuilder()
    own: dict[str, Any] = {"event_id": "e", "customer_id": "ann", "occurred_at": 1}
    book_voice(stats, DAY, Review(**own, rating=2, topics=["price", "price", "product"]))
    book_voice(stats, DAY, Review(**own, nps=5))
    steps: tuple[TicketStatus, ...] = ("opened", "resolved")
    for status in steps:
        book_voice(stats, DAY, Ticket(**own, ticket_id="t", status=status, category="billing"))
    book_voice(stats, DAY, Ticket(**own, ticket_id="u", status="opened"))
    assert booked(stats) == {
        "kpi_review|price|count": 1,
        "kpi_review|price|rating": 200,
        "kpi_review|product|count": 1,
        "kpi_review|product|rating": 200,
        "kpi_review|none|count": 1,
        "kpi_review|none|rating": 300,
        "kpi_ticket|billing": 1,
        "kpi_ticket|other": 1,
    }


@pytest.mark.parametrize("code", ["", "x" * 33, "a|b"])
def test_no_text_of_others_becomes_a_key(code: str) -> None:
    stats = StatsBuilder()
    book_report(stats, DAY, "contacted", code)
    book_suggestions(stats, DAY, [code])
    alert(stats, msgspec.structs.replace(OPENED, segment=code), reason=code)
    found = booked(stats)
    assert found["kpi_report|contacted|other"] == found["kpi_suggested|other"] == 1
    assert found["kpi_alert|opened|rise|treated|other|other"] == 1


def test_money_is_kept_within_bounds() -> None:
    assert (hundredths(-3.0), hundredths(0.015), hundredths(float("inf"))) == (0, 2, HUNDREDTHS_MAX)


def test_the_alerts_of_a_month_have_a_few_hundred_keys() -> None:
    stats = StatsBuilder()
    for segment in SEGMENTS:
        for code in CODES:
            alert(stats, msgspec.structs.replace(OPENED, segment=segment), reason=code)
    assert len(booked(stats)) == 1 + 2 * len(SEGMENTS) * len(CODES)
