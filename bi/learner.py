"""The rows of what the learner keeps: its ledger and the history of its models. A snapshot: what is told anew replaces what was told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from alerts.kpi_sums import By, Figures, figures, months_of
from alerts.ledger import Ledger
from alerts.revenue import HORIZONS_DAYS, Expected, expected_revenue
from bi.cells import day, day_of, decimal, instant, text, whole
from bi.rows import Cells, Row
from bi.tables_learner import QUALITY
from models.store import Record
from streams.time import HOUR_MS

GROUPS: Final[tuple[By, ...]] = ("all", "segment", "reason", "cohort")
MONTHS_MAX: Final = 60
"""As many as the ledger reaches back."""


def kpi_rows(ledger: Ledger) -> Iterator[Row]:
    """Yield a row for each month that is booked and each group in it."""
    for month in months_of(ledger, MONTHS_MAX):
        for by in GROUPS:
            for group, found in figures(ledger, by, [month]).items():
                yield Row("fact_kpi", _keyed(month, by, group) | _counts(found) | _shares(found))


def revenue_rows(ledger: Ledger) -> Iterator[Row]:
    """Yield a row for each segment of the latest weekly look; none before the first."""
    found = expected_revenue(ledger)
    if found is None:
        return
    for segment, seen in found.segments.items():
        yield Row("fact_expected_revenue", {"day": day_of(found.day), "segment": text(segment)} | _expected(seen))


def quality_rows(history: Sequence[Record]) -> Iterator[Row]:
    """Yield a row for each version in the learner's history."""
    for record in history:
        # A learner that has not heard of any time stands before 1970.
        until_ms = record.learnt_until_ms if record.learnt_until_ms >= 0 else None
        told: Cells = {
            "version": whole(record.version),
            "learnt_until": None if until_ms is None else instant(until_ms),
            "learnt_until_day": None if until_ms is None else day(until_ms),
            "examples": whole(record.examples),
            "recipe": text(record.recipe),
            "verdict": record.band.replace("_", " "),
        }
        yield Row("fact_model_quality", told | {name: record.quality.get(name) for name in QUALITY})


def _keyed(month: str, by: By, group: str) -> Cells:
    return {"month": date.fromisoformat(f"{month}-01"), "told_by": by, "group_name": text(group)}


def _counts(found: Figures) -> Cells:
    return {
        "stayed": found.stayed,
        "left_count": found.left,
        "alerts_opened": found.opened,
        "alerts_held_out": found.opened_held,
        "escalated": found.escalated,
        "resolved": found.resolved,
        "false_alarms": found.false_alarms,
        "churned": found.churned,
        "came_back": found.won_back,
        "value_at_stake": decimal(found.stake / 100),
        "value_lost": decimal(found.lost / 100),
        "value_won_back": decimal(found.won_value / 100),
    }


def _shares(found: Figures) -> Cells:
    wait_ms = found.time_to_action_ms
    return {
        "retention": decimal(found.retention),
        "churn": decimal(found.churn),
        "precision_share": decimal(found.precision),
        "precision_of": None if found.precision is None else found.precision_basis,
        "lead_days": decimal(found.lead),
        "acted_share": decimal(found.acted_share),
        "hours_to_action": None if wait_ms is None else decimal(wait_ms / HOUR_MS),
    }


def _expected(seen: Expected) -> Cells:
    told: Cells = {"customers": seen.safe + seen.open, "customers_at_risk": seen.open}
    for days in HORIZONS_DAYS:
        told[f"revenue_{days}_days"] = decimal(seen.everybody(days))
        told[f"revenue_{days}_days_without"] = decimal(seen.without(days))
    return told
