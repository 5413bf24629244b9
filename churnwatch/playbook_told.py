"""A playbook told to people, as rows of two tables, and to programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, Final

from alerts.play import Play
from alerts.wording import number
from churnwatch.settings_load import span

ACTION_COLUMNS: Final = ("action", "title", "channel", "contact", "rests", "cost", "a day")
WHEN_COLUMNS: Final = ("action", "strength", "reasons", "segments", "kinds", "bands", "at stake", "why")


def play_told(play: Play) -> dict[str, Any]:
    """Return a play for programs; the cool-down in milliseconds, an empty list for any."""
    return asdict(play)


def action_rows(plays: Sequence[Play]) -> list[tuple[str, ...]]:
    """Return a row for each action, in the order of the playbook."""
    return [
        (
            play.code,
            play.title,
            play.channel,
            "yes" if play.contact else "no",
            span(play.cool_down_ms) if play.cool_down_ms else "-",
            number(play.cost) if play.cost else "-",
            "any" if play.budget_per_day is None else number(play.budget_per_day),
        )
        for play in {play.code: play for play in plays}.values()
    ]


def when_rows(plays: Iterable[Play]) -> list[tuple[str, ...]]:
    """Return a row for each case in which an action is suggested."""
    return [
        (
            play.code,
            number(play.strength),
            _listed(play.reasons),
            _listed(play.segments),
            _listed(play.kinds),
            _listed(play.bands),
            f"from {number(play.value_at_risk_min)}" if play.value_at_risk_min else "any",
            play.why,
        )
        for play in plays
    ]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "any"
