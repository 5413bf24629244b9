"""The values of the metrics of goals and steering, from the learner's ledger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from agents.uplift_figures import uplift_samples
from alerts.goals import KPIS, Goals
from alerts.kpi_sums import Figures, figures, months_of
from alerts.ledger import Ledger
from alerts.revenue import HORIZONS_DAYS, expected_revenue
from alerts.uplift import assess, trials_in
from streams.time import DAY_MS, SECOND_MS

Sample = tuple[str, float, tuple[str, ...]]
"""Metric, value, and the values of its labels."""

DAY_SECONDS: Final = DAY_MS // SECOND_MS


def goal_samples(ledger: Ledger, goals: Goals) -> Iterator[Sample]:
    """Give what there is to export; figures of too few cases are left out.

    Args:
        ledger: the learner's.
        goals: the targets that are set (`alerts.goals`).
    """
    months = months_of(ledger)
    groups = figures(ledger, "all", months) | figures(ledger, "segment", months)
    for group, found in groups.items():
        for name, value in _group(found):
            if value is not None:
                yield f"churnwatch_kpi_{name}", value, (group,)
    for code, found in figures(ledger, "reason", months).items():
        if found.retention is not None:
            yield "churnwatch_kpi_warned_retention_ratio", found.retention, (code,)
    yield from _saved(ledger, months)
    yield from uplift_samples(ledger)
    yield from _revenue(ledger)
    units = {kpi.name: kpi.unit for kpi in KPIS}
    for name, target in goals.items():
        scale = {"days": DAY_SECONDS, "milliseconds": 1 / SECOND_MS}.get(units[name], 1)
        yield "churnwatch_kpi_target", target * scale, (name,)


def _group(found: Figures) -> Iterator[tuple[str, float | None]]:
    waited_ms = found.time_to_action_ms
    yield "retention_ratio", found.retention
    yield "precision_ratio", found.precision
    yield "lead_seconds", None if found.lead is None else found.lead * DAY_SECONDS
    yield "alerts_acted_ratio", found.acted_share
    yield "time_to_action_seconds", None if waited_ms is None else waited_ms / SECOND_MS


def _saved(ledger: Ledger, months: list[str]) -> Iterator[Sample]:
    trials = trials_in(ledger, None, dict.fromkeys(months)).get("all")
    saved = None if trials is None else assess(trials).value_saved
    if saved is not None:
        for bound, value in (("estimate", saved.estimate), ("low", saved.low), ("high", saved.high)):
            yield "churnwatch_kpi_value_saved", value / len(months), (bound,)


def _revenue(ledger: Ledger) -> Iterator[Sample]:
    seen = expected_revenue(ledger)
    if seen is not None:
        for days in HORIZONS_DAYS:
            yield "churnwatch_kpi_expected_revenue", seen.whole.everybody(days), (f"{days}d", "with")
            yield "churnwatch_kpi_expected_revenue", seen.whole.without(days), (f"{days}d", "without")
