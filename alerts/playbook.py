"""The playbook: which actions to suggest for an alert, ranked, each with its why.

    1. A play fits an alert by kind, band, segment, value at risk and reason. One that costs as much as is at stake never fits.
    2. Its rank is its strength times the weight of the reason that it answers (a play that answers none in particular
       counts as answering one of a third). Of equally good plays the earlier one comes first.
    3. Down the ranks, up to three actions are taken. Passed over is one that *rests* (it was suggested to this customer not
       long ago) and one that is *kept* for those with more at stake (about so many a day, and no more: `play_budget`).
    4. Where it was asked for, what was learnt of earlier customers may move one of those left to the front (`bandit`).

Suggestions only: nothing here contacts anybody. For customers who must not be contacted only the plays that need no contact
are left; for those held out of treatment and for resolved episodes there are none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from alerts.alert import Action, Reason
from alerts.bandit import Learnt, context_of
from alerts.episode import Transition
from alerts.play import Play
from alerts.play_words import chosen, kept, rests

ACTIONS_MAX: Final = 3
GENERAL_WEIGHT: Final = 1 / 3


class Case(NamedTuple):
    """Whom the suggestions are for.

    Attributes:
        value_at_risk: spend of a year that is expected to be lost.
        currency: ISO 4217 code of amounts, None where unknown.
        do_not_contact: whether the customer's profile forbids contact.
        suggested: action's code to when it was last suggested to this customer, in epoch milliseconds.
    """

    value_at_risk: float
    currency: str | None = None
    do_not_contact: bool = False
    suggested: Mapping[str, int] = {}


class Advice(NamedTuple):
    """What is suggested, and what would have been, were there enough of it for everybody.

    Attributes:
        actions: up to three, the best first.
        wanted: codes of those actions with a daily budget that were suggested, or kept for those with more at stake.
    """

    actions: list[Action]
    wanted: list[str]


def suggest(
    transition: Transition,
    reasons: Sequence[Reason],
    case: Case,
    plays: Sequence[Play],
    value_cuts: Mapping[str, float],
    learnt: Learnt | None = None,
) -> Advice:
    """Return up to three actions, the best first; none for those held out.

    Args:
        transition: what the alert is about.
        reasons: the alert's.
        case: whom it is for.
        plays: the playbook; of equally good plays the earlier one comes first.
        value_cuts: action's code to the value at risk from which it is suggested, for those with a daily budget that would
            otherwise be exceeded (`play_budget.cuts_in`).
        learnt: what is known of the actions, for alerts that open an episode; None where the playbook's ranks stand.
    """
    advice = Advice([], [])
    if transition.holdout:
        return advice
    ranked = _ranked(transition, reasons, case, plays)
    obstacles = {code: _obstacle(play, transition.at_ms, case, value_cuts) for code, (play, _) in ranked.items()}
    favourite = None
    if learnt is not None and reasons and transition.kind == "opened":
        left = [code for code in ranked if obstacles[code] is None]
        context = context_of(transition.segment, reasons[0].code)
        favourite = learnt.favourite(left, context, transition.alert_id)
        if favourite is not None:
            ranked = {favourite.code: ranked[favourite.code]} | ranked
    passed_over: list[str] = []
    for code, (play, answers) in ranked.items():
        if len(advice.actions) == ACTIONS_MAX:
            break
        obstacle = obstacles[code]
        if play.budget_per_day is not None and not _rests(play, transition.at_ms, case):
            advice.wanted.append(code)
        if obstacle is not None:
            passed_over.append(obstacle)
            continue
        said = play.why.replace("{evidence}", answers.evidence).rstrip(".")
        moved = favourite if favourite is not None and favourite.code == code else None
        words = chosen(len(advice.actions), play, answers, case.value_at_risk, case.currency, moved, passed_over)
        advice.actions.append(Action(code, play.title, f"{said}. {words}"))
        passed_over = []
    return advice


def _obstacle(play: Play, at_ms: int, case: Case, value_cuts: Mapping[str, float]) -> str | None:
    """Return in words why a play that fits is not suggested; None where it can be."""
    if _rests(play, at_ms, case):
        return rests(play, case.suggested[play.code] + play.cool_down_ms)
    cut = 0.0 if play.budget_per_day is None else value_cuts.get(play.code, 0.0)
    return kept(play, cut, case.currency) if case.value_at_risk < cut else None


def _rests(play: Play, at_ms: int, case: Case) -> bool:
    last_ms = case.suggested.get(play.code)
    return last_ms is not None and at_ms < last_ms + play.cool_down_ms


def remember(
    suggested: Mapping[str, int], actions: Sequence[Action], at_ms: int, plays: Sequence[Play]
) -> dict[str, int]:
    """Return when which action was last suggested, these included; those that rest no longer are left out.

    So it is bounded by the actions in the playbook, and empty for most customers.

    >>> plays = [Play("offer", "Offer", "…", 1.0, cool_down_ms=100), Play("note", "Note", "…", 1.0)]
    >>> remember({"gone": 5, "offer": 10}, [Action("note", "Note", "…")], 50, plays)
    {'offer': 10}
    """
    now = {action.code: at_ms for action in actions}
    cool_down_ms = {play.code: play.cool_down_ms for play in plays}
    return {
        code: last_ms for code, last_ms in ({**suggested, **now}).items() if at_ms < last_ms + cool_down_ms.get(code, 0)
    }


def _ranked(
    transition: Transition, reasons: Sequence[Reason], case: Case, plays: Sequence[Play]
) -> dict[str, tuple[Play, Reason]]:
    """Return, by action and the best first, the row that suggests it and the reason that it answers."""
    scored: list[tuple[float, Play, Reason]] = []
    for play in plays:
        if not _fits(play, transition, case):
            continue
        answered = [reason for reason in reasons if reason.code in play.reasons] if play.reasons else list(reasons)[:1]
        if answered:
            best = max(answered, key=lambda reason: reason.weight)
            scored.append((play.strength * (best.weight if play.reasons else GENERAL_WEIGHT), play, best))
    scored.sort(key=lambda item: -item[0])
    ranked: dict[str, tuple[Play, Reason]] = {}
    for _, play, best in scored:
        ranked.setdefault(play.code, (play, best))
    return ranked


def _fits(play: Play, transition: Transition, case: Case) -> bool:
    return (
        transition.kind in play.kinds
        and (not play.segments or transition.segment in play.segments)
        and (not play.bands or transition.band in play.bands)
        and case.value_at_risk >= play.value_at_risk_min
        and (case.value_at_risk > play.cost or not play.cost)
        and not (case.do_not_contact and play.contact)
    )
