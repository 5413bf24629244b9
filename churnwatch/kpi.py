"""The answer of `churnwatch kpi`: the whole shop, or by segment, reason or cohort, held against the targets that are set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from alerts.goals import KPIS, Goals, figure, verdict
from alerts.kpi_sums import By, Figures, figures, months_of
from alerts.ledger import Ledger
from alerts.revenue import HORIZONS_DAYS, Expected, Revenue, expected_revenue
from alerts.uplift import Uplift, assess, trials_in
from churnwatch.kpi_view import Column, Judged, Raw, Table, View
from churnwatch.uplift_told import VERDICTS
from streams.time import DAY_MS

TITLES: Final[dict[By, str]] = {"segment": "segment", "reason": "reason", "cohort": "first order in", "month": "month"}
NOTHING: Final = (
    "Nothing has been booked yet: the first figures come with the first labels and alerts, and a worker that learns."
)
UNREPORTED: Final = (
    "Nothing was reported on churn.outcomes of the alerts to be treated, so what is done about them cannot be told."
)


@dataclass(frozen=True, slots=True)
class Steering:
    """What all views are made from.

    Attributes:
        ledger: the learner's.
        months: which of its months are told, oldest first.
        goals: the targets that are set (`alerts.goals`).
        horizon_days: the question's.
        whole: the figures of all customers together.
        saved: treated against held out; None where no trial has ended in these months.
        revenue: of the latest weekly look; None before the first.
    """

    ledger: Ledger
    months: Sequence[str]
    goals: Goals
    horizon_days: int
    whole: Figures
    saved: Uplift | None
    revenue: Revenue | None

    @property
    def saved_a_month(self) -> float | None:
        """Value saved a month; None where it is not yet known whether acting helps at all."""
        if self.saved is None or self.saved.value_saved is None or self.saved.verdict.kind == "unknown":
            return None
        return self.saved.value_saved.estimate / max(len(self.months), 1)


def steering(ledger: Ledger, goals: Goals, horizon_days: int, months: int) -> Steering:
    """Return what there is to tell of the latest `months` months booked."""
    told = months_of(ledger, months)
    trials = trials_in(ledger, None, dict.fromkeys(told)).get("all")
    return Steering(
        ledger,
        told,
        goals,
        horizon_days,
        figures(ledger, "all", told)["all"],
        None if trials is None else assess(trials),
        expected_revenue(ledger),
    )


def overall(of: Steering) -> View:
    """Return the view of the whole shop: each goal, the months, the expected revenue."""
    return View("all", _words(of), [goals_table(of), groups_table(of, "month"), revenue_table(of)])


def by_group(of: Steering, by: By) -> View:
    """Return the view by segment, reason or cohort."""
    words = _words(of)
    if by == "reason":
        words.append("Only those who were warned about have a reason: retention is of them, treated or not.")
    return View(by, words, [groups_table(of, by)])


def goals_table(of: Steering) -> Table:
    """Return each figure that may have a target, the target, and whether it is met."""
    rows: list[list[Raw]] = []
    for kpi in KPIS:
        found = figure(kpi.name, of.whole, of.saved_a_month)
        target: Raw = Judged(of.goals[kpi.name], unit=kpi.unit) if kpi.name in of.goals else "none set"
        judged = verdict(kpi, found, of.goals)
        rows.append([kpi.name, kpi.title, Judged(found, unit=kpi.unit), target, judged, _cases(kpi.name, of)])
    columns = (
        Column("kpi", "goal"),
        Column("title", "what"),
        Column("found", "is"),
        Column("target", "target"),
        Column("verdict", "verdict"),
        Column("cases", "of"),
    )
    return Table("goals", f"Goals, {_span(of)}", columns, rows)


def groups_table(of: Steering, by: By, only: Sequence[str] = ()) -> Table:
    """Return a row for each segment, reason, cohort or month; `only` these where any are given."""
    groups = figures(of.ledger, by, of.months)
    rows = [_row(name, found, of.goals, by) for name, found in groups.items() if name in only or not only]
    columns = [
        Column(by, TITLES[by]),
        Column("known", "answers known"),
        Column("retention", "retention", "share"),
        Column("churn", "churn", "share"),
        Column("opened", "alerts"),
        Column("precision", "precision", "share"),
        Column("precision_of", "of"),
        Column("lead_days", "lead time", "days"),
        Column("acted_share", "acted upon", "share"),
        Column("time_to_action", "time to action", "milliseconds"),
        Column("left", "left after a warning"),
    ]
    if by == "cohort":  # the trials and the lead times are not told by cohort
        columns = [column for column in columns if column.name not in NOT_BY_COHORT]
    return Table(f"{by}s", f"By {TITLES[by]}, {_span(of)}", tuple(columns), rows)


NOT_BY_COHORT: Final = ("precision", "precision_of", "lead_days", "time_to_action")


def _row(name: str, found: Figures, goals: Goals, by: By) -> list[Raw]:
    judged = {
        kpi.name: Judged(figure(kpi.name, found), verdict(kpi, figure(kpi.name, found), goals)) for kpi in KPIS[:-1]
    }
    basis = found.precision_basis if found.precision is not None else ""
    of_goals: list[Raw] = [judged["precision"], basis, judged["lead_days"]]
    row: list[Raw] = [name, found.stayed + found.left, judged["retention"], found.churn, found.opened]
    if by == "cohort":
        return [*row, judged["acted_share"], found.churned]
    return [*row, *of_goals, judged["acted_share"], judged["time_to_action"], found.churned]


def revenue_table(of: Steering) -> Table:
    """Return expected revenue of the next 3 and 12 months, with and without the customers at risk, by segment and in all."""
    columns = [Column("segment", "segment"), Column("customers", "active customers"), Column("at_risk", "at risk")]
    for days, title in zip(HORIZONS_DAYS, ("3 months", "12 months"), strict=True):
        columns += [
            Column(f"with_{days}d", f"{title} with them", "money"),
            Column(f"without_{days}d", "without", "money"),
        ]
    found = of.revenue
    rows = [] if found is None else [_revenue(name, seen) for name, seen in found.segments.items()]
    if found is not None:
        rows.append(_revenue("all", found.whole))
    as_of = "" if found is None else f", as of {_date(found.day)}"
    return Table("revenue", f"Expected revenue{as_of}", tuple(columns), rows)


def _revenue(name: str, seen: Expected) -> list[Raw]:
    row: list[Raw] = [name, seen.safe + seen.open, seen.open]
    for days in HORIZONS_DAYS:
        row += [round(seen.everybody(days), 2), round(seen.without(days), 2)]
    return row


def saved_words(of: Steering) -> str:
    """Tell the value that acting has saved, with its interval."""
    saved = of.saved
    if saved is None or saved.value_saved is None:
        return "Value saved: no trial with both arms has ended in these months; `churnwatch uplift` says more."
    found = saved.value_saved
    said = f"Value saved, {_span(of)}: {found.estimate:,.0f} (95 %: {found.low:,.0f} to {found.high:,.0f})"
    return f"{said}; does acting help at all? {VERDICTS[saved.verdict.kind].capitalize()}."


def _words(of: Steering) -> list[str]:
    if not of.months:
        return [NOTHING]
    silent = of.whole.opened and not of.whole.acted
    return [saved_words(of), UNREPORTED] if silent else [saved_words(of)]


def _cases(name: str, of: Steering) -> str:
    """How many cases a figure rests on, in words."""
    whole = of.whole
    precision = (
        f"{whole.held:,} held out" if whole.precision_basis == "held out" else f"{whole.held + whole.treated:,} alerted"
    )
    words = {
        "retention": f"{whole.stayed + whole.left:,} answers, {of.horizon_days} days each",
        "precision": f"{precision}, {of.horizon_days} days on",
        "lead_days": f"{whole.lead_count:,} who left",
        "acted_share": f"{whole.opened - whole.opened_held:,} alerts to be treated",
        "time_to_action": f"{whole.acted:,} alerts acted upon",
        "value_saved": "a month, treated against held out",
    }
    return words[name]


def _span(of: Steering) -> str:
    if not of.months:
        return "no month yet"
    return of.months[0] if len(of.months) == 1 else f"{of.months[0]} to {of.months[-1]}"


def _date(day: int) -> str:
    return datetime.fromtimestamp(day * DAY_MS // 1000, UTC).date().isoformat()
