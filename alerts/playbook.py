"""The playbook: which actions to suggest for an alert, ranked, each with its why.

A play fits an alert by kind, band, segment, value at risk and reason. Its rank is its strength times the weight of the
reason that it answers (a play that answers none in particular counts as answering one of a third). Suggestions only:
nothing here contacts anybody. For customers who must not be contacted only the plays that need no contact are left; for
those held out of treatment and for resolved episodes there are none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from alerts.alert import Action, Code, Reason
from alerts.bands import Band
from alerts.episode import Kind, Transition

ACTIONS_MAX: Final = 3
GENERAL_WEIGHT: Final = 1 / 3


@dataclass(frozen=True, slots=True)
class Play:
    """One row of the playbook; an empty tuple means any.

    Attributes:
        code: name for programs.
        title: name for people.
        why: one sentence; `{evidence}` stands for the evidence of the reason that the play answers.
        strength: how much it is preferred to others that answer the same reason, 0 to 1.
        reasons: the reasons that it answers.
        segments: for these.
        kinds: at these steps of an episode.
        bands: in these.
        value_at_risk_min: only where at least so much is at stake, in the customer's currency.
        contact: whether it means writing to the customer or calling.
    """

    code: str
    title: str
    why: str
    strength: float
    reasons: tuple[Code, ...] = ()
    segments: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ("opened", "escalated")
    bands: tuple[Band, ...] = ()
    value_at_risk_min: float = 0.0
    contact: bool = True


def suggest(
    transition: Transition,
    reasons: Sequence[Reason],
    *,
    value_at_risk: float,
    do_not_contact: bool,
    plays: Sequence[Play],
) -> list[Action]:
    """Return up to three actions, the best first; none for those held out.

    Args:
        transition: what the alert is about.
        reasons: the alert's.
        value_at_risk: spend of a year that is expected to be lost.
        do_not_contact: whether the customer's profile forbids contact.
        plays: the playbook; of equally good plays the earlier one comes first.
    """
    if transition.holdout:
        return []
    ranked: list[tuple[float, Play, str]] = []
    for play in plays:
        if not _fits(play, transition, value_at_risk) or (do_not_contact and play.contact):
            continue
        answered = [reason for reason in reasons if reason.code in play.reasons] if play.reasons else list(reasons)[:1]
        if answered:
            best = max(answered, key=lambda reason: reason.weight)
            ranked.append((play.strength * (best.weight if play.reasons else GENERAL_WEIGHT), play, best.evidence))
    ranked.sort(key=lambda item: -item[0])
    chosen: dict[str, Action] = {}
    for _, play, evidence in ranked:
        if len(chosen) < ACTIONS_MAX and play.code not in chosen:
            chosen[play.code] = Action(play.code, play.title, play.why.replace("{evidence}", evidence))
    return list(chosen.values())


def _fits(play: Play, transition: Transition, value_at_risk: float) -> bool:
    return (
        transition.kind in play.kinds
        and (not play.segments or transition.segment in play.segments)
        and (not play.bands or transition.band in play.bands)
        and value_at_risk >= play.value_at_risk_min
    )
