"""A backtest's summary on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from churnwatch.settings import Settings
from churnwatch.terminal import say, say_table
from streams.time import DAY_MS

COLUMNS: Final = ("roc_auc", "weekly_auc", "pr_auc", "lift_10", "log_loss", "brier", "ece")


def draw(told: Mapping[str, Any], settings: Settings) -> None:
    """Say the summary (`backtest_summary.summary`) in lines and tables."""
    events, snapshots, alerts = told["events"], told["snapshots"], told["alerts"]
    outcomes = ", ".join(f"{count:,} {outcome.replace('_', '-')}" for outcome, count in events.items())
    say(f"{told['first']} to {told['last']}: {outcomes} events, in {told['seconds']:.1f} s")
    say(
        f"{snapshots['scored']:,} scored snapshots, {snapshots['evaluated']:,} evaluated "
        f"(from {snapshots['evaluated_from'][:10]} on). Not evaluated: {snapshots['before']:,} before that, "
        f"{snapshots['by_rule']:,} said by the silence rule, {snapshots['censored']:,} whose "
        f"{settings.horizon_ms // DAY_MS} days had not passed when the log ended"
    )
    blocks = {"all": told["quality"]} | told["segments"]
    rows = [
        (name, f"{block['examples']:,}", number(block["base_rate"]), *(number(block[column]) for column in COLUMNS))
        for name, block in blocks.items()
    ]
    say_table("Quality of what was said at the time", ("customers", "examples", "base_rate", *COLUMNS), rows)
    _regulars(told["regulars"], settings)
    _alerts(alerts, settings)


_AMONG: Final = {"top_10": "10 %", "top_20": "20 %", "alert_score_10": "10 %, as alerts rank them"}


def _regulars(told: Mapping[str, Any], settings: Settings) -> None:
    horizon, active = settings.horizon_ms // DAY_MS, settings.active_ms // DAY_MS
    rows = [
        (f"silent for {days} days", f"{block['left']:,}", _AMONG[top], *map(number, by.values()))
        for days, block in ((horizon, told["quiet"]), (horizon + active, told["for_good"]))
        for top, by in block.items()
        if top != "left"
    ]
    say_table(
        f"Regulars: {number(told['precision_10'])} of the riskiest tenth of a week churned; of those who left, caught",
        ("left", "customers", "among the riskiest", "by 30 days after the last order", "by 45 days"),
        rows,
    )


def _alerts(alerts: Mapping[str, Any], settings: Settings) -> None:
    columns = ("opened", "per_day", "judged", "precision", "lead_days_median", "after_last_order_days_median")
    blocks = {"all": alerts} | alerts["segments"]
    rows = [(name, *(number(block[column]) for column in columns)) for name, block in blocks.items()]
    say_table("Warnings in the evaluated span", ("segment", *columns), rows)
    if alerts["precision_by_chance"] is not None:
        say(
            f"As many customers of each segment drawn by lot: {number(alerts['precision_by_chance'])} would have been right"
        )
    if alerts["leavers_warned_share"] is not None:
        say(
            f"{alerts['leavers']:,} customers left in it; {alerts['leavers_warned_share']:.0%} of them were warned about"
        )
    counts = [(by, what, n) for by in ("kind", "band", "segment", "reason") for what, n in sorted(alerts[by].items())]
    title = f"Alerts in the whole log: {alerts['total']:,}, at a budget of {settings.alert_daily_budget:g} a day"
    say_table(title, ("by", "", "alerts"), counts)


def number(value: float | None) -> str:
    """Write a figure for people: four digits, a dash where it is not defined.

    >>> number(0.71234), number(1200), number(None)
    ('0.7123', '1,200', '-')
    """
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
