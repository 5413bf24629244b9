"""A backtest in figures: what `--json` prints, and the terminal and the page are drawn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from alerts.segments import SEGMENTS
from churnwatch.alert_scores import alert_scores
from churnwatch.backtest import Backtest
from churnwatch.backtest_alerts import Warned, episodes
from churnwatch.backtest_alerts import summarise as summarise_alerts
from churnwatch.backtest_history import History
from churnwatch.evaluation import (
    CENSORED,
    Figures,
    Floats,
    Rows,
    Span,
    early_catch,
    figures_of,
    regulars_who_left,
)
from models.question import Question
from streams.time import iso

OUTCOMES: Final = ("read", "applied", "duplicate", "late", "dead_lettered")
CATCH_DAYS: Final = (30, 45)
CATCH_SHARES: Final = (0.1, 0.2)


@dataclass(frozen=True, slots=True)
class Judged:
    """A replay with all that is needed to judge it.

    Attributes:
        result, history: of the replay.
        span: what is evaluated.
        rows: every scored snapshot; `said` those that a model spoke about, `tested` those of them that are evaluated.
        news: what alerts rank the rows of `said` by.
        warned: the episodes.
    """

    result: Backtest
    history: History
    span: Span
    rows: Rows
    said: Rows
    tested: Rows
    news: Floats
    warned: list[Warned]


def evaluated_from(first_ms: int, last_ms: int, evaluate_from: str | int, burn_in_ms: int) -> int:
    """Return the first instant that is evaluated: half of the log, its start or an instant, but never within the burn-in."""
    if isinstance(evaluate_from, int):
        wanted_ms = evaluate_from
    else:
        wanted_ms = first_ms + (last_ms - first_ms) // 2 if evaluate_from == "half" else first_ms
    return max(wanted_ms, first_ms + burn_in_ms)


def judge(result: Backtest, from_ms: int, question: Question, earliness: float) -> Judged:
    """Hold what a replay said from `from_ms` on, alerted with that `earliness`, against what came: it has history and snapshots."""
    history = result.history
    history.finish()
    span = Span(from_ms, result.last_ms, question.horizon_ms, question.active_ms)
    rows = result.snapshots.rows(history.names)
    said = rows.where(np.asarray(rows.version >= 1))
    tested, news = rows.where(span.judged(rows)), alert_scores(said, question.horizon_days, earliness)
    return Judged(result, history, span, rows, said, tested, news, episodes(result.alerts, history, span))


def summary(judged: Judged) -> dict[str, Any]:
    """Return the answer for programs; every figure is a number, or None where it is not defined."""
    result, span = judged.result, judged.span
    guide = result.guide
    parts = segments(judged.tested)
    alerts = summarise_alerts(result.alerts, judged.warned, judged.history, span)
    return {
        "events": {outcome: result.events[outcome] for outcome in OUTCOMES},
        "first": iso(result.first_ms),
        "last": iso(result.last_ms),
        "seconds": round(result.seconds, 3),
        "snapshots": _snapshots(judged),
        "quality": _block(judged.tested),
        "segments": parts,
        "regulars": regulars(judged),
        "alerts": alerts | {"precision_by_chance": _by_chance(alerts, parts)},
        "model": None if guide is None else {"version": guide.version, "examples": guide.examples},
    }


def _by_chance(alerts: Mapping[str, Any], parts: Mapping[str, Figures]) -> float | None:
    """Return how many warnings would be right had as many customers of each segment been drawn by lot.

    Regulars are warned about far beyond their share, and leave far less often than others: held against the base rate of all
    customers, the very warnings that are worth the most would look like the worst.
    """
    bases = ((one["judged"], parts[name]["base_rate"]) for name, one in alerts["segments"].items())
    known = [(judged, base) for judged, base in bases if base is not None]
    whole = sum(judged for judged, _ in known)
    return sum(judged * base for judged, base in known) / whole if whole else None


def _snapshots(judged: Judged) -> dict[str, Any]:
    """Count how the scored snapshots came to be evaluated or not."""
    rows, span = judged.rows, judged.span
    complete = span.complete(rows.taken_ms) & (rows.label != CENSORED)
    inside = rows.taken_ms >= span.from_ms
    return {
        "scored": len(rows),
        "evaluated_from": iso(span.from_ms),
        "evaluated": len(judged.tested),
        "before": int((complete & ~inside).sum()),
        "by_rule": int((complete & inside & (rows.version < 1)).sum()),
        "censored": int((~complete).sum()),
    }


def _block(rows: Rows) -> Figures:
    return {name: value for name, value in figures_of(rows).items() if name != "precision_10"}


def segments(rows: Rows) -> dict[str, Figures]:
    """Return the figures of the regulars and of each segment; those of nobody have 0 examples."""
    named = {name: rows.where(np.asarray(rows.segment == name)) for name in sorted(SEGMENTS)}
    return {name: _block(part) for name, part in ({"regulars": rows.where(rows.regular)} | named).items()}


def regulars(judged: Judged) -> dict[str, Any]:
    """Return what matters about regulars: how right the riskiest tenth is, and how many leavers it caught in time.

    Leavers are counted twice: those who stayed away for the horizon (`quiet`), and those who did for the active window besides
    (`for_good`), few of whom would come back after the log's end.
    """
    span = judged.span
    return {
        "precision_10": figures_of(judged.tested.where(judged.tested.regular))["precision_10"],
        "quiet": _catch(judged, span.horizon_ms),
        "for_good": _catch(judged, span.for_good_ms),
    }


def _catch(judged: Judged, quiet_ms: int) -> dict[str, Any]:
    left = regulars_who_left(judged.history.orders, judged.span, quiet_ms)
    ranks = {f"top_{100 * share:.0f}": (judged.said.risk, share) for share in CATCH_SHARES}
    ranks["alert_score_10"] = (judged.news, CATCH_SHARES[0])
    return {"left": len(left)} | {
        name: {f"by_{days}_days": early_catch(judged.said, rank, left, days, share) for days in CATCH_DAYS}
        for name, (rank, share) in ranks.items()
    }
