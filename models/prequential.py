"""Prequential quality: every example first tests what was said at the time, and only then trains.

Kept as counts, not rows: for each class, how many examples had a risk in each of `BINS` bins. From that follow the
AUC (its error from binning is bounded and reported), PR AUC, calibration and lift. Sums of losses are integers in
millionths, so adding, taking away and merging are exact, whatever the order.

    all time        `model` and, apart from it, `rule` (what the silence rule said while no model was ready)
    by segment      of what the model said
    by cohort       the snapshots taken at one instant (a week's, by default), for the AUC within one; the newest
                    `COHORTS_MAX` of them together are the rolling figures (`recent_`)

Prequential evaluation: Dawid (1984); in streams: Gama, Sebastião and Rodrigues (2013).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import log
from operator import add, sub
from typing import Final, NamedTuple

import msgspec
import numpy as np

from models.labels import Example
from models.measures import ECE_BINS, RISK_MIN, Quality, binning_error, roc_auc, summarise

BINS: Final = 1000
COHORTS_MAX: Final = 13
"""Cohorts in the rolling figures; a quarter of weeks."""

SEGMENTS_MAX: Final = 16
_MILLION: Final = 1_000_000


def _zeros(size: int) -> list[int]:
    return [0] * size


class Outcome(NamedTuple):
    """An example as the sketches count it: bin of risk, label, and losses and risk in millionths."""

    place: int
    label: int
    log_loss: int
    brier: int
    said: int


def outcome(risk: float, label: int) -> Outcome:
    """Return what to count of an example: what was said (0 to 1) and what came (1 churned, 0 stayed).

    >>> outcome(0.25, 1)
    Outcome(place=250, label=1, log_loss=1386294, brier=562500, said=250000)
    """
    likelihood = risk if label else 1.0 - risk
    loss = -log(min(max(likelihood, RISK_MIN), 1.0 - RISK_MIN))
    place = min(int(risk * BINS), BINS - 1)
    return Outcome(place, label, round(loss * _MILLION), round((risk - label) ** 2 * _MILLION), round(risk * _MILLION))


class Sketch(msgspec.Struct, array_like=True):
    """Counts and sums of one set of examples.

    Attributes:
        churned, stayed: examples of each class per bin of risk.
        log_loss, brier: sums, in millionths.
        said: sum of risk per calibration bin, in millionths.
    """

    churned: list[int] = msgspec.field(default_factory=lambda: _zeros(BINS))
    stayed: list[int] = msgspec.field(default_factory=lambda: _zeros(BINS))
    log_loss: int = 0
    brier: int = 0
    said: list[int] = msgspec.field(default_factory=lambda: _zeros(ECE_BINS))

    def __post_init__(self) -> None:
        if {len(self.churned), len(self.stayed)} != {BINS} or len(self.said) != ECE_BINS:
            raise ValueError(f"a sketch has {BINS} bins of each class and {ECE_BINS} of calibration")

    def update(self, outcome: Outcome) -> None:
        """Count an example."""
        place = outcome.place
        (self.churned if outcome.label else self.stayed)[place] += 1
        self.log_loss += outcome.log_loss
        self.brier += outcome.brier
        self.said[place * ECE_BINS // BINS] += outcome.said

    def merge(self, other: Sketch) -> None:
        """Add the counts of another sketch."""
        self._combine(other, 1)

    def remove(self, other: Sketch) -> None:
        """Take away the counts of a sketch that was merged before."""
        self._combine(other, -1)

    def _combine(self, other: Sketch, sign: int) -> None:
        by = add if sign > 0 else sub
        self.churned = list(map(by, self.churned, other.churned))
        self.stayed = list(map(by, self.stayed, other.stayed))
        self.said = list(map(by, self.said, other.said))
        self.log_loss += sign * other.log_loss
        self.brier += sign * other.brier

    def quality(self) -> Quality:
        """Return the figures; log loss and Brier score are exact to a millionth."""
        rows = sum(self.churned) + sum(self.stayed)
        width = BINS // ECE_BINS
        came = np.asarray(self.churned, dtype=np.int64).reshape(ECE_BINS, width).sum(axis=1)
        off = np.abs(np.asarray(self.said, dtype=np.float64) / _MILLION - came).sum()
        return summarise(
            np.asarray(self.churned, dtype=np.int64),
            np.asarray(self.stayed, dtype=np.int64),
            log_loss=self.log_loss / _MILLION / rows if rows else None,
            brier=self.brier / _MILLION / rows if rows else None,
            ece=float(off) / rows if rows else None,
            auc_error=binning_error(self.churned, self.stayed),
        )


class Prequential(msgspec.Struct, array_like=True):
    """Quality of what was really said, all-time, rolling, by segment and within cohorts.

    Bounded: at most `SEGMENTS_MAX` segments (further ones are counted in the whole only) and `COHORTS_MAX` cohorts;
    about 60 kB as MessagePack.
    """

    model: Sketch = msgspec.field(default_factory=Sketch)
    rule: Sketch = msgspec.field(default_factory=Sketch)
    recent: Sketch = msgspec.field(default_factory=Sketch)
    segments: dict[str, Sketch] = {}
    cohorts: dict[int, Sketch] = {}
    past_auc_sum: float = 0.0
    past_cohorts: int = 0

    def update(self, example: Example) -> None:
        """Test what was said about an example. Cohorts older than the rolling window count in the whole only."""
        came = outcome(example.risk, example.label)
        if not example.version:
            self.rule.update(came)
            return
        self.model.update(came)
        segment = self.segments.get(example.segment)
        if segment is None and len(self.segments) < SEGMENTS_MAX:
            segment = self.segments[example.segment] = Sketch()
        if segment is not None:
            segment.update(came)
        cohort = self._cohort(example.taken_ms)
        if cohort is not None:
            cohort.update(came)
            self.recent.update(came)

    def _cohort(self, taken_ms: int) -> Sketch | None:
        found = self.cohorts.get(taken_ms)
        if found is not None:
            return found
        if len(self.cohorts) >= COHORTS_MAX:
            oldest = min(self.cohorts)
            if taken_ms < oldest:
                return None
            gone = self.cohorts.pop(oldest)
            self.recent.remove(gone)
            auc = roc_auc(gone.churned, gone.stayed)
            if auc is not None:
                self.past_auc_sum += auc
                self.past_cohorts += 1
        found = self.cohorts[taken_ms] = Sketch()
        return found

    def summary(self) -> dict[str, float]:
        """Return the figures by name, undefined ones left out.

        All-time as in `measures.Quality`; `recent_…` rolling; `rule_auc` and `rule_examples` of the silence rule;
        `weekly_auc` and `recent_weekly_auc` the mean AUC within a cohort, all-time and rolling.
        """
        figures = self.model.quality().as_dict() | self.recent.quality().as_dict("recent_")
        if self.rule_examples:
            figures["rule_examples"] = float(self.rule_examples)
            rule_auc = roc_auc(self.rule.churned, self.rule.stayed)
            if rule_auc is not None:
                figures["rule_auc"] = rule_auc
        recent = list(self._cohort_aucs())
        if recent:
            figures["recent_weekly_auc"] = sum(recent) / len(recent)
        if recent or self.past_cohorts:
            figures["weekly_auc"] = (self.past_auc_sum + sum(recent)) / (self.past_cohorts + len(recent))
        return figures

    @property
    def rule_examples(self) -> int:
        """Examples about which the silence rule had spoken."""
        return sum(self.rule.churned) + sum(self.rule.stayed)

    def _cohort_aucs(self) -> Iterator[float]:
        for taken_ms in sorted(self.cohorts):
            cohort = self.cohorts[taken_ms]
            auc = roc_auc(cohort.churned, cohort.stayed)
            if auc is not None:
                yield auc
