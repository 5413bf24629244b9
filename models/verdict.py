"""What the figures come to, for somebody who does not read figures: one band, and one sentence that says why.

    not yet known   fewer than `LABELS_MIN` outcomes of the latest quarter, or `CLASS_MIN` of either kind
    poor            ranks no better than silence alone, or hardly better than chance, or says risks that are far off
    good            ranks clearly better than silence alone, and what it says comes about as often as it says
    fair            between the two

Judged on the rolling figures, on what was said at the time: how good the model once was helps nobody who calls today.
With 1,000 outcomes the AUC is known to about ±.02 (Hanley and McNeil, 1982), which is why the margins are no finer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

Band = Literal["not_yet_known", "poor", "fair", "good"]
VERDICTS: Final[tuple[Band, ...]] = ("not_yet_known", "poor", "fair", "good")

LABELS_MIN: Final = 1_000
CLASS_MIN: Final = 100

AUC_POOR: Final = 0.6
"""About what the days since the last order achieve alone, on the public logs that the model was measured on."""

AUC_GOOD: Final = 0.65
ABOVE_RULE_POOR: Final = 0.02
ABOVE_RULE_GOOD: Final = 0.05
ECE_POOR: Final = 0.1
ECE_GOOD: Final = 0.05


class Verdict(msgspec.Struct, array_like=True, frozen=True):
    """The band, and why in one sentence."""

    band: Band = "not_yet_known"
    reason: str = "No outcome of a prediction is known yet."

    @property
    def words(self) -> str:
        """The band as it is said.

        >>> Verdict().words
        'not yet known'
        """
        return self.band.replace("_", " ")


def judge(figures: Mapping[str, float]) -> Verdict:
    """Return the verdict on prequential figures as `Prequential.summary` names them.

    >>> judge({"recent_examples": 40.0, "recent_base_rate": 0.5}).reason
    'Only 40 outcomes of recent predictions are known; it takes 1,000, and 100 each of customers who left and who stayed.'
    """
    examples, base = figures.get("recent_examples", 0.0), figures.get("recent_base_rate", 0.0)
    auc = figures.get("recent_weekly_auc", figures.get("recent_auc"))
    ece = figures.get("recent_ece")
    if auc is None or ece is None or examples < LABELS_MIN or not CLASS_MIN <= base * examples <= examples - CLASS_MIN:
        return Verdict("not_yet_known", _too_few(examples))
    rule = figures.get("recent_rule_weekly_auc", figures.get("recent_rule_auc", 0.5))
    ranks = f"of 100 pairs of a customer who left and one who stayed it ranks {100 * auc:.0f} right"
    against = f"the silence rule {100 * rule:.0f}"
    points = round(100 * ece)
    off = f"its risks are off by {f'{points} points' if points > 1 else 'a point or less'} on average"
    band: Band
    known = f"{examples:,.0f} recent outcomes"
    if auc < rule + ABOVE_RULE_POOR:
        band, why = "poor", f"It tells hardly more than silence does: {ranks}, {against}"
    elif auc < AUC_POOR:
        band, why = "poor", f"It hardly tells who will leave: {ranks}, where guessing has 50"
    elif ece > ECE_POOR:
        band, why = "poor", f"Its risks cannot be taken at their word: {off}, though {ranks}"
    elif auc < AUC_GOOD or auc < rule + ABOVE_RULE_GOOD:
        band, why = "fair", f"It tells more than silence does, but not by far: {ranks}, {against}; {off}"
    elif ece > ECE_GOOD:
        band, why = "fair", f"It ranks well, yet take its risks with care: {ranks}, {against}; {off}"
    else:
        band, why = "good", f"Rely on it: {ranks}, {against}; {off}"
    return Verdict(band, f"{why} ({known}).")


def _too_few(examples: float) -> str:
    if not examples:
        return Verdict().reason
    return (
        f"Only {examples:,.0f} outcomes of recent predictions are known; it takes {LABELS_MIN:,}, "
        f"and {CLASS_MIN} each of customers who left and who stayed."
    )
