"""Counterfactual: the smallest change that would bring the risk under the threshold, in words.

It is what the model says of a customer who is the same but for that change (Wachter, Mittelstadt and Russell, "Counterfactual
explanations without opening the black box", 2018), not a promise: a model of who leaves does not know what an action brings about.
That the holdout tells. Where none of the changes tried suffices, nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from alerts.alert import Reason
from alerts.episode import Transition


@dataclass(frozen=True, slots=True)
class Change:
    """A change that could be made: in words, as the subject of a sentence, and the risk it would leave."""

    what: str
    risk: Callable[[], float]


def outlook(transition: Transition, changes: Iterable[Change]) -> str | None:
    """Return the clause on the first of `changes` (the smallest first) that would do; None where none does, or the alert warns of nothing.

    Only a model can be asked, so under the rule there is none.
    """
    if transition.kind not in ("opened", "escalated") or transition.basis != "model":
        return None
    before = f"{transition.risk:.2f}"
    for change in changes:
        risk = change.risk()
        if risk < transition.threshold and f"{risk:.2f}" < before:
            return f"{change.what} would bring the risk from {before} to {risk:.2f}"
    return None


def with_outlook(reasons: Sequence[Reason], clause: str | None) -> list[Reason]:
    """Return the reasons with the clause at the end of the first one's evidence."""
    first, *rest = reasons
    return [first if clause is None else replace(first, evidence=f"{first.evidence}; {clause}"), *rest]
