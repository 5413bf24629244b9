"""The answer of `churnwatch uplift`, in words, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from alerts.intervals import Interval
from alerts.ledger import Ledger
from alerts.uplift import By, Sums, Uplift, assess, assess_rows, done_in, months_in, trials_in
from alerts.uplift_verdict import ALPHA, ARM_MIN, MATTERS, Verdict
from churnwatch.terminal import say, say_table

RATE_MONTHS: Final = 3
WAIT_MONTHS_MAX: Final = 60

VERDICTS: Final = {
    "helped": "helped",
    "harmed": "did harm",
    "no_difference": "no difference",
    "unknown": "not yet enough to tell",
}
COLUMNS: Final = (
    "treated",
    "held out",
    "stayed",
    "of held out",
    "more stayed, points (95 %)",
    "more spent a customer (95 %)",
    "saved in all",
    "",
)
WHAT_IT_MEANS: Final = (
    f"An interval of 95 % holds the truth in 95 of 100 shops that look once. The verdict is stricter: however often one looks, "
    f"“helped” without any effect is ever said in fewer than {ALPHA / 2:.1%} of shops."
)


@dataclass(frozen=True, slots=True)
class Report:
    """What there is to tell.

    Attributes:
        horizon_days: how long a trial lasts.
        since: the first month whose trials count; None for all.
        per_month: trials that end in a month, of late.
        whole: all of them; None where none has ended.
        by: what `rows` are; None where there are none.
        rows: the same by that.
        done: by what the team says it did.
    """

    horizon_days: int
    since: str | None
    per_month: float
    whole: Uplift | None
    by: By | None
    rows: Mapping[str, Uplift]
    done: Mapping[str, Sums]


def report(ledger: Ledger, horizon_days: int, by: By | None = None, since: str | None = None) -> Report:
    """Return what the ledger's trials say; `since`: only of those that ended in this month (YYYY-MM) or later."""
    ended = months_in(ledger)
    months = {month: ended[month] for month in ended if since is None or month >= since}
    cells = trials_in(ledger, None, months).get("all")
    return Report(
        horizon_days=horizon_days,
        since=since,
        per_month=rate(list(ended.values())),
        whole=None if cells is None else assess(cells),
        by=by,
        rows={} if by is None else assess_rows(trials_in(ledger, by, months)),
        done=done_in(ledger, months),
    )


def rate(counts: Sequence[int]) -> float:
    """Return how many trials end in a month: the mean of the latest whole ones; the last month is under way.

    >>> rate([10, 40, 60, 80, 3])
    60.0
    """
    whole = counts[-1 - RATE_MONTHS : -1] or counts
    return sum(whole) / len(whole) if whole else 0.0


def sentences(found: Report) -> list[str]:
    """Return what a person should know, the verdict first."""
    whole, days = found.whole, found.horizon_days
    if whole is None:
        since = f" since {found.since}" if found.since else ""
        return [f"No trial has ended{since}: one ends {days} days after a customer's first alert."]
    if not whole.held:
        nobody = f"Nobody was held out among {whole.treated:,} customers, so nothing can be compared"
        return [f"{nobody}: CHURNWATCH_ALERT_HOLDOUT_SHARE sets the share, 0.1 unless it was changed."]
    said = [f"{_verdict(whole, found)} {_figures(whole, days)}"]
    if whole.value_saved is not None and whole.spend_saved is not None and whole.verdict.kind in ("helped", "harmed"):
        said.append(
            f"Measured in orders, the treated spent {_money(whole.spend_saved)} more within the {days} days than they "
            f"would have; going by their past, those saved were worth {_money(whole.value_saved)}. "
            f"Reported costs: {whole.cost:,.2f}."
        )
    if not whole.reached:
        said.append(
            "The team has reported nothing on churn.outcomes, so what acting does cannot be told from what alerting does."
        )
    elif whole.on_reached is not None:
        said.append(
            f"Something was done with {whole.reached:.0%} of the treated; among those it is {_points(whole.on_reached)}."
        )
        if whole.on_accepted is not None:
            said.append(
                f"{whole.accepted:.0%} accepted; if a contact that is not accepted does nothing, it is "
                f"{_points(whole.on_accepted)} among them."
            )
    if whole.held_reached:
        said.append(
            f"With {whole.held_reached:.0%} of those held out something was done all the same: that hides part of the effect."
        )
    return said


def say_report(found: Report) -> None:
    """Tell a person."""
    for sentence in sentences(found):
        say(sentence)
    if found.whole is None:
        return
    rows = [(name, *_cells(row)) for name, row in found.rows.items()]
    say("")
    say_table("Treated against held out", (found.by or "", *COLUMNS), [*rows, ("all", *_cells(found.whole))])
    if found.done:
        done = [
            (name, f"{row.n:,}", f"{row.kept / max(row.n, 1):.0%}", f"{row.cost / 100:,.2f}")
            for name, row in sorted(found.done.items())
        ]
        say("")
        say_table(
            "What was done (chosen by the team, so no comparison)", ("action", "customers", "stayed", "cost"), done
        )
    say("")
    say(WHAT_IT_MEANS)


def told(found: Report) -> dict[str, Any]:
    """Return it as plain data."""
    return {
        "said": sentences(found),
        "horizon_days": found.horizon_days,
        "since": found.since,
        "trials_a_month": round(found.per_month, 1),
        "all": None if found.whole is None else _plain(found.whole),
        "by": found.by,
        "rows": {name: _plain(row) for name, row in found.rows.items()},
        "done": {
            name: {"customers": row.n, "stayed": row.kept, "cost": row.cost / 100}
            for name, row in sorted(found.done.items())
        },
    }


def _verdict(row: Uplift, found: Report) -> str:
    kind, more = row.verdict.kind, row.verdict.more
    if kind == "helped":
        return "It helped."
    if kind == "harmed":
        return "It did harm: look at what is done to the treated."
    if kind == "no_difference":
        return f"It made no difference that matters: less than {MATTERS * 100:g} points either way."
    if min(row.treated, row.held) < ARM_MIN:
        return f"Not yet enough to tell: {row.held:,} held out so far, at least {ARM_MIN} are needed."
    months = None if more is None or not found.per_month else more / found.per_month
    if more is None or months is None or months > WAIT_MONTHS_MAX:
        return "Not yet enough to tell: if the difference is as it looks, it would take years."
    wait = f"{months:.0f} months" if months >= 2 else "a month or two"
    return (
        f"Not yet enough to tell: if the difference is as it looks, about {more:,} more customers, "
        f"{wait} at the present rate of {found.per_month:,.0f} a month."
    )


def _figures(row: Uplift, days: int) -> str:
    said = f"Of {row.treated:,} treated {row.treated_kept:.1%} stayed over {days} days, of {row.held:,} held out {row.held_kept:.1%}"
    if row.retention is None or row.customers_saved is None:
        return f"{said}."
    low, high = row.customers_saved.low, row.customers_saved.high
    return f"{said}: {_points(row.retention)}, about {row.customers_saved.estimate:,.0f} customers ({low:,.0f} to {high:,.0f})."


def _points(interval: Interval) -> str:
    low, high = interval.low * 100, interval.high * 100
    return f"{interval.estimate * 100:+.1f} points (95 % interval {low:+.1f} to {high:+.1f})"


def _money(interval: Interval) -> str:
    return f"{interval.estimate:,.2f} ({interval.low:,.2f} to {interval.high:,.2f})"


def _cells(row: Uplift) -> tuple[str, ...]:
    retention, spend, saved = row.retention, row.spend, row.spend_saved
    return (
        f"{row.treated:,}",
        f"{row.held:,}",
        f"{row.treated_kept:.1%}",
        f"{row.held_kept:.1%}" if row.held else "",
        f"{retention.estimate * 100:+.1f} ({retention.low * 100:+.1f} to {retention.high * 100:+.1f})"
        if retention
        else "",
        f"{spend.estimate:+,.2f} ({spend.low:+,.2f} to {spend.high:+,.2f})" if spend else "",
        f"{saved.estimate:,.0f}" if saved else "",
        VERDICTS[row.verdict.kind],
    )


def _plain(row: Uplift) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in row.__slots__}
    return {name: value._asdict() if isinstance(value, Interval | Verdict) else value for name, value in values.items()}
