"""Goals: what an installation has set itself, and whether it is met. None set, no verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from alerts.kpi_sums import Figures

Verdict = Literal["met", "missed", "not yet enough to tell", ""]
Unit = Literal["share", "days", "milliseconds", "money"]


@dataclass(frozen=True, slots=True)
class Kpi:
    """One figure that may have a target: `more` tells whether more of it is better."""

    name: str
    title: str
    unit: Unit
    more: bool = True


KPIS: Final = (
    Kpi("retention", "retention rate", "share"),
    Kpi("precision", "alert precision", "share"),
    Kpi("lead_days", "lead time", "days"),
    Kpi("acted_share", "alerts acted upon", "share"),
    Kpi("time_to_action", "time to action", "milliseconds", more=False),
    Kpi("value_saved", "value saved", "money"),
)

Goals = Mapping[str, float]
"""Name of a figure to its target, in the figure's unit; those without one are left out."""


def figure(name: str, of: Figures, value_saved: float | None = None) -> float | None:
    """Return a group's figure by its name in `KPIS`; None where too little is known."""
    found: dict[str, float | None] = {
        "retention": of.retention,
        "precision": of.precision,
        "lead_days": of.lead,
        "acted_share": of.acted_share,
        "time_to_action": of.time_to_action_ms,
        "value_saved": value_saved,
    }
    return found[name]


def verdict(kpi: Kpi, found: float | None, goals: Goals) -> Verdict:
    """Tell whether a figure meets its target; empty where none is set.

    >>> verdict(KPIS[0], 0.71, {"retention": 0.7}), verdict(KPIS[4], 9e7, {"time_to_action": 8.64e7})
    ('met', 'missed')
    """
    target = goals.get(kpi.name)
    if target is None:
        return ""
    if found is None:
        return "not yet enough to tell"
    return "met" if (found >= target if kpi.more else found <= target) else "missed"
