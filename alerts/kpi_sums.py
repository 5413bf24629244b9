"""The figures for goals and steering, from the ledger: counts added up by segment, reason, cohort or month, and what follows from them.

What they mean, and how far to trust them:

1. Retention is the share of answers to the model's own question (any order within the horizon?) that were `stayed`, in the
   months in which they became known. Told by reason it is of customers who were warned about: kept, of those whose trial is over.
2. Precision is of alerts whose horizon has passed (`trials`): the share that left. Treatment makes it look worse than it is, for
   whoever was saved counts as a mistake; so it is told of those held out, and of all only where too few are held out (then it is
   too low, if anything).
3. Acted upon: first reports of the months, of the alerts to be treated that opened in them.
4. Lead time is from the alert that opened to the customer's leaving: the cancellation, or the day on which the customer counts as gone.

Shares of fewer than `ENOUGH` are not told: `None`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final, Literal

import msgspec

from alerts import trials
from alerts.alert import CODES
from alerts.cohorts import fold
from alerts.kpi import MINUTE_MS
from alerts.ledger import Ledger
from alerts.segments import SEGMENTS

By = Literal["all", "month", "segment", "reason", "cohort"]
ENOUGH: Final = 30
WINDOW_MONTHS: Final = 3
"""The latest month booked and the two before it: what is told where nothing else is asked for."""

_PLACES: Final[dict[str, dict[str, int]]] = {
    "kpi_alert": {"segment": 3, "reason": 4},
    "kpi_alert_cohort": {"cohort": 3},
    "kpi_stake": {"segment": 0, "reason": 1},
    "kpi_lost": {"segment": 0, "reason": 1},
    "kpi_lead": {"segment": 0, "reason": 1},
    "kpi_acted": {"segment": 1, "reason": 2},
    "kpi_acted_cohort": {"cohort": 0},
    "kpi_acted_minutes": {"segment": 0, "reason": 1},
    "kpi_label": {"segment": 0, "cohort": 1},
    "kpi_won_back": {"segment": 0},
    trials.NAME: {"segment": 1},
    trials.BY_REASON: {"reason": 2},
}
"""Where in an entry's key stands what it is told by. What is told by neither cohort nor reason comes from the names with a segment."""


class Figures(msgspec.Struct):
    """Sums of one group; money in hundredths of the shop's currency.

    Attributes:
        opened: alerts that opened an episode; `opened_held`: those of them that are held out of treatment.
        escalated, reminded, resolved, false_alarms, churned: later alerts; false alarms are resolved ones too.
        stake: at risk a year, of those that opened. lost: worth a year, of those that churned.
        lead_days, lead_count: from opening to leaving, summed, and of how many.
        acted, acted_minutes: alerts with a first report, and from opening to that, summed.
        stayed, left: answers to the model's question.
        held, held_kept, treated, treated_kept: alerts whose trial is over, and those of them who were kept.
        won_back, won_value: churned customers who came back, and what they are worth a year.
    """

    opened: int = 0
    opened_held: int = 0
    escalated: int = 0
    reminded: int = 0
    resolved: int = 0
    false_alarms: int = 0
    churned: int = 0
    stake: int = 0
    lost: int = 0
    lead_days: int = 0
    lead_count: int = 0
    acted: int = 0
    acted_minutes: int = 0
    stayed: int = 0
    left: int = 0
    held: int = 0
    held_kept: int = 0
    treated: int = 0
    treated_kept: int = 0
    won_back: int = 0
    won_value: int = 0

    @property
    def retention(self) -> float | None:
        """Share that stayed; None where too few are known."""
        return share(self.stayed, self.stayed + self.left)

    @property
    def churn(self) -> float | None:
        """Share that left; None where too few are known."""
        return share(self.left, self.stayed + self.left)

    @property
    def precision_basis(self) -> Literal["held out", "all"]:
        """Of whom the precision is told."""
        return "held out" if self.held >= ENOUGH else "all"

    @property
    def precision(self) -> float | None:
        """Share of the alerted who left within the horizon; None where too few are known."""
        if self.precision_basis == "held out":
            return share(self.held - self.held_kept, self.held)
        ended = self.held + self.treated
        return share(ended - self.held_kept - self.treated_kept, ended)

    @property
    def acted_share(self) -> float | None:
        """Share of the alerts to be treated that were acted upon, 1 at most; None where too few opened."""
        found = share(self.acted, self.opened - self.opened_held)
        return None if found is None else min(found, 1.0)

    @property
    def time_to_action_ms(self) -> float | None:
        """Mean time from the alert to the first report; None where there was none."""
        return self.acted_minutes * MINUTE_MS / self.acted if self.acted else None

    @property
    def lead(self) -> float | None:
        """Mean days from the alert to the leaving; None where too few have left."""
        return self.lead_days / self.lead_count if self.lead_count >= ENOUGH else None


def share(part: int, whole: int) -> float | None:
    """Return a share; None of fewer than `ENOUGH`.

    >>> share(10, 40), share(1, 4)
    (0.25, None)
    """
    return part / whole if whole >= ENOUGH else None


def months_of(ledger: Ledger, count: int = WINDOW_MONTHS) -> list[str]:
    """Return the latest `count` months booked, oldest first."""
    return sorted(ledger.months)[-count:]


def figures(ledger: Ledger, by: By, months: Collection[str]) -> dict[str, Figures]:
    """Return the figures of some months, by group, in an order to be read in.

    Args:
        ledger: the learner's.
        by: `all` gives one group of that name; cohorts are those of the last month.
        months: which; see `months_of`.
    """
    last = max(months, default="")
    groups: dict[str, Figures] = {"all": Figures()} if by == "all" else {}
    if by == "segment":
        groups = {segment: Figures() for segment in SEGMENTS}
    if by == "reason":
        groups = {code: Figures() for code in CODES}
    for month, name, told_by, amount in _entries(ledger, months):
        group = _group(by, month, name, told_by, last)
        if group is None:
            continue
        found = groups.setdefault(group, Figures())
        for field in _fields(name, told_by):
            setattr(found, field, getattr(found, field) + amount)
    if by == "reason":
        for found in groups.values():  # nobody else has a reason: what is known of them is what became of their trials
            found.stayed = found.held_kept + found.treated_kept
            found.left = found.held + found.treated - found.stayed
    return groups if by in ("segment", "reason", "all") else dict(sorted(groups.items()))


def _entries(ledger: Ledger, months: Collection[str]) -> Iterator[tuple[str, str, list[str], int]]:
    for month in sorted(months):
        for key, amount in ledger.months.get(month, {}).items():
            name, *told_by = key.split("|")
            if name in _PLACES:
                yield month, name, told_by, amount


def _group(by: By, month: str, name: str, told_by: list[str], last: str) -> str | None:
    """The group that an entry belongs to; None where its name is not told by that."""
    places = _PLACES[name]
    if by in ("all", "month"):
        return None if "segment" not in places else by if by == "all" else month
    place = places.get(by)
    if place is None:
        return None
    return fold(told_by[place], last) if by == "cohort" else told_by[place]


def _fields(name: str, told_by: list[str]) -> tuple[str, ...]:
    """The figures that an entry adds to."""
    found: tuple[str, ...] = _PLAIN.get(name, ())
    match name, told_by:
        case (("kpi_alert" | "kpi_alert_cohort"), [kind, cause, arm, *_]):
            also = _ALSO.get((kind, arm)) or _ALSO.get((kind, cause))
            found = _INSTEAD.get(cause, (kind,) if also is None else (kind, also))
        case ((trials.NAME | trials.BY_REASON), [("held" | "treated") as arm, *_, ("n" | "kept") as what]):
            found = (arm if what == "n" else f"{arm}_kept",)
        case "kpi_lead", [*_, unit]:
            found = (f"lead_{unit}",)
        case "kpi_label", [*_, answer]:
            found = ("stayed" if answer == "stayed" else "left",)
        case "kpi_won_back", [*_, what]:
            found = ("won_back" if what == "count" else "won_value",)
    return tuple(field for field in found if field in Figures.__struct_fields__)


_ALSO: Final = {("opened", "held"): "opened_held", ("resolved", "false_alarm"): "false_alarms"}
_INSTEAD: Final[dict[str, tuple[str, ...]]] = {"untaken": ("reminded",), "snooze_over": ("reminded",), "won_back": ()}
"""Reminders go out as escalations, and a return after the customer had left, told by what it is worth, as a resolution."""
_PLAIN: Final[dict[str, tuple[str, ...]]] = {
    "kpi_stake": ("stake",),
    "kpi_lost": ("lost",),
    "kpi_acted": ("acted",),
    "kpi_acted_cohort": ("acted",),
    "kpi_acted_minutes": ("acted_minutes",),
}
