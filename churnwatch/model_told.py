"""A model told to people and to programs: the tables and the JSON of `churnwatch model`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from churnwatch.terminal import say, say_table
from models.candidates import Promotion, Trial
from models.drift import Drift, Shift
from models.guide import Guide
from models.measures import ECE_BINS, Reliability
from models.store import Head, Record
from streams.time import iso

FIGURES: Final = ("auc", "rule_auc", "weekly_auc", "log_loss", "ece", "lift_10", "alarm_precision", "base_rate")
"""What the tables have room for; --json gives all."""

INPUTS_TOLD: Final = 5
"""Features in the table of drift, those that moved most; --json gives all."""

CHANGES: Final = ("at", "from", "to", "by", "log loss lower by", "t", "labels", "weeks")


def _when(at_ms: int) -> str:
    """Write an instant; before 1970 is where a learner stands that has not heard of any."""
    return iso(at_ms) if at_ms >= 0 else "the beginning"


def guide_told(head: Head, guide: Guide) -> dict[str, object]:
    """Return all there is to say of a model, as plain data."""
    standing = guide.standing
    return {
        "version": guide.version,
        "newest": head.version,
        "pinned": head.pinned,
        "ready": guide.ready,
        "recipe": guide.recipe,
        "weights": {"logistic": guide.weights[0], "within": guide.weights[1]},
        "examples": guide.examples,
        "learnt_until": _when(guide.learnt_until_ms),
        "base_rate": guide.base_rate,
        "verdict": {"band": standing.verdict.band, "reason": standing.verdict.reason},
        "quality": guide.quality,
        "segments": standing.segments,
        "reliability": [
            {"risk_from": point.place / ECE_BINS, "said": point.said, "came": point.came, "examples": point.examples}
            for point in standing.reliability
        ],
        "challengers": {
            trial.recipe: {
                "gain": trial.gain,
                "t": trial.t,
                "labels": trial.labels,
                "weeks": trial.weeks,
                "wins": trial.wins,
            }
            for trial in standing.trials
        },
        "promotions": promotions_told(standing.promotions),
        "drift": {
            "warnings": standing.drift.warnings(),
            "inputs": standing.drift.inputs,
            "base_rate": _shift(standing.drift.base_rate),
            "excess_loss": _shift(standing.drift.errors),
        },
        "thresholds": guide.thresholds,
        "value_cut": guide.value_cut,
        "kept": [version for _, version in head.guides],
    }


def _shift(shift: Shift | None) -> dict[str, float] | None:
    return None if shift is None else {"before": shift.before, "now": shift.now}


def promotions_told(promotions: Sequence[Promotion]) -> list[dict[str, object]]:
    """Return changes of champion as plain data, oldest first."""
    return [
        {
            "at": _when(change.at_ms),
            "from": change.before,
            "to": change.after,
            "by": change.by,
            "gain": change.gain,
            "t": change.t,
            "labels": change.labels,
            "weeks": change.weeks,
        }
        for change in promotions
    ]


def record_told(record: Record, *, kept: bool) -> dict[str, object]:
    """Return an entry of the history as plain data."""
    return {
        "version": record.version,
        "learnt_until": _when(record.learnt_until_ms),
        "examples": record.examples,
        "recipe": record.recipe,
        "verdict": record.band,
        "kept": kept,
        "quality": record.quality,
    }


def say_guide(head: Head, guide: Guide) -> None:
    """Tell a person about a model."""
    standing = guide.standing
    scores = guide.version == (head.pinned or head.version)
    pinned = " (pinned)" if guide.version == head.pinned else ""
    until = _when(guide.learnt_until_ms)
    say(f"Model {guide.version}{pinned}, learnt from {guide.examples:,} examples up to {until}")
    if not guide.ready:
        say("Too few labels yet: alerts rest on the silence rule.")
    else:
        say("It scores." if scores else f"Model {head.pinned or head.version} scores now; this one is kept.")
    say(f"How far to trust it: {standing.verdict.words.upper()}. {standing.verdict.reason}")
    for warning in standing.drift.warnings().values():
        say(f"Drift: {warning}")
    logistic, within = guide.weights
    say(f"Champion: {guide.recipe} ({logistic:g} × logistic regression, {within:g} × regression within weeks)\n")
    say_table("Quality of what was said at the time", ("figure", "latest weeks", "all time"), _windows(guide.quality))
    say_table(
        "By segment, all time", ("segment", *FIGURES), [(name, *cells(f)) for name, f in standing.segments.items()]
    )
    say_table("Said and came, latest weeks", ("risk", "said", "came", "examples"), _curve(standing.reliability))
    say_table("Challengers, on the same examples", ("recipe", *CHANGES[4:], ""), list(_trials(standing.trials)))
    say_changes(standing.promotions)
    say_table("Drift", ("", "before", "now"), list(_drift(standing.drift)))
    thresholds = [(name, f"{value:.4g}") for name, value in sorted(guide.thresholds.items())]
    say_table("Alert thresholds", ("segment", "risk"), thresholds)


def say_changes(promotions: Sequence[Promotion]) -> None:
    """Tell a person who became champion when; nothing where nobody did."""
    rows = [
        (_when(c.at_ms), c.before, c.after, c.by, f"{c.gain:.4f}", f"{c.t:.1f}", f"{c.labels:,}", c.weeks)
        for c in promotions
    ]
    if rows:
        say_table("Changes of champion", CHANGES, rows)


def cells(figures: dict[str, float], names: Sequence[str] = FIGURES, prefix: str = "") -> list[str]:
    """Return figures as a table shows them, blank where undefined."""
    return [f"{figures[prefix + name]:.4g}" if prefix + name in figures else "" for name in names]


def _windows(quality: dict[str, float]) -> list[tuple[str, str, str]]:
    names = sorted({name.removeprefix("recent_") for name in quality})
    return list(zip(names, cells(quality, names, "recent_"), cells(quality, names), strict=True))


def _curve(points: Sequence[Reliability]) -> list[tuple[str, str, str, str]]:
    return [
        (f"from {point.place / ECE_BINS:.1f}", f"{point.said:.3f}", f"{point.came:.3f}", f"{point.examples:,}")
        for point in points
    ]


def _trials(trials: Sequence[Trial]) -> Iterator[tuple[str, ...]]:
    for trial in trials:
        better = "better: CHURNWATCH_MODEL_RECIPE makes it champion" if trial.wins else ""
        yield trial.recipe, f"{trial.gain:+.4f}", f"{trial.t:.1f}", f"{trial.labels:,}", str(trial.weeks), better


def _drift(drift: Drift) -> Iterator[tuple[str, str, str]]:
    for name, shift in (("share that leaves", drift.base_rate), ("log loss beyond expectation", drift.errors)):
        if shift is not None:
            yield name, f"{shift.before:.3f}", f"{shift.now:.3f}"
    most = sorted(drift.inputs.items(), key=lambda item: (-item[1], item[0]))[:INPUTS_TOLD]
    for name, index in most:
        yield f"{name} (stability index)", "", f"{index:.3f}"
