"""Prequential quality: every example first tests what was said at the time, and only then trains.

Kept as counts, not rows: for each class, how many examples had a risk in each of a thousand bins. From that follow the
AUC (its error from binning is bounded and reported), PR AUC, calibration and lift, for what the model said and, beside
it, for what the silence rule would have said of the same examples: the floor that a model must rise above.

    all time        everything that the model said
    by segment      the same, apart
    by cohort       the snapshots taken at one instant (a week's, by default), for the AUC within one; the newest
                    `COHORTS_MAX` closed ones together are the rolling figures (`recent_`)

A cohort is closed once the labels of all of it are due. An explicit cancellation is known at once, so of a cohort that is
still open only leavers have been heard of: it would make every rolling figure look as if everybody left.

Which examples count: those that the model learns from, as often. Where a team treats customers, the treated are left out and
the held-out stand in for them (`stand_ins`), so the figures speak of what comes of customers whom nobody touches.

Prequential evaluation: Dawid (1984); in streams: Gama, Sebastião and Rodrigues (2013).
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.alarms import Alarms
from models.block import Block
from models.measures import average_precision, roc_auc, top_precision
from models.rule import RuleInputs
from models.sketch import Outcomes, Sketch, outcomes
from streams.bounds import ClockMs, Count, Finite

COHORTS_MAX: Final = 13
"""Closed cohorts in the rolling figures; a quarter of weeks."""

OPEN_MAX: Final = 64
SEGMENTS_MAX: Final = 16


class Tally(msgspec.Struct, array_like=True):
    """What is counted of one set of examples: what the model said, what the rule would have, and the warnings."""

    model: Sketch = msgspec.field(default_factory=Sketch)
    floor: Sketch = msgspec.field(default_factory=Sketch)
    alarms: Alarms = msgspec.field(default_factory=Alarms)

    def merge(self, other: Tally) -> None:
        """Add the counts of another set."""
        self.model.merge(other.model)
        self.floor.merge(other.floor)
        self.alarms.merge(other.alarms)

    def figures(self, horizon_days: int) -> dict[str, float]:
        """Return the figures by name, undefined ones left out; those of the rule begin with `rule_`."""
        figures = self.model.quality().as_dict()
        churned, stayed = self.floor.churned, self.floor.stayed
        precision = top_precision(churned, stayed)
        rule = {
            "rule_auc": roc_auc(churned, stayed),
            "rule_pr_auc": average_precision(churned, stayed),
            "rule_precision_10": precision,
        }
        figures |= {name: value for name, value in rule.items() if value is not None}
        return figures | self.alarms.figures(horizon_days)


class _Rows:
    """A block with everything that is counted of it worked out once."""

    def __init__(self, block: Block, thresholds: NDArray[np.float64], rule: RuleInputs | None) -> None:
        self.block = block
        self.came = outcomes(block.risks, block.labels)
        self.floor: Outcomes | None = None
        self.silence: NDArray[np.float64] | None = None
        if rule is not None:
            self.floor = outcomes(rule.risks(block.inputs), block.labels)
            self.silence = rule.silence(block.inputs)
        self.known = ~np.isnan(thresholds)
        self.warned = block.risks >= np.where(self.known, thresholds, np.inf)

    def count(self, tally: Tally, rows: NDArray[np.bool_]) -> None:
        """Count the rows that are True in `rows`."""
        tally.model.update(self.came.where(rows))
        if self.floor is not None:
            tally.floor.update(self.floor.where(rows))
        judged = rows & self.known
        silence = None if self.silence is None else self.silence[judged]
        tally.alarms.update(self.warned[judged], self.block.labels[judged], silence)


class Prequential(msgspec.Struct, array_like=True):
    """Quality of what was really said, all-time, rolling, by segment and within cohorts.

    Bounded: at most `SEGMENTS_MAX` segments (further ones are counted in the whole only), `COHORTS_MAX` closed cohorts and
    `OPEN_MAX` open ones; about 200 kB as MessagePack.

    Attributes:
        rule: what the silence rule itself said while no model was ready.
        whole: everything that the model said.
        segments: the same by segment.
        cohorts: the same by the instant taken, open cohorts and the newest closed ones.
        closed_ms: cohorts taken up to here are closed.
        weeks: closed cohorts so far that have a weekly AUC; weekly_auc: the sum of theirs, and of the rule's.
    """

    rule: Sketch = msgspec.field(default_factory=Sketch)
    whole: Tally = msgspec.field(default_factory=Tally)
    segments: dict[str, Tally] = {}
    cohorts: dict[ClockMs, Tally] = {}
    closed_ms: ClockMs = -1
    weeks: tuple[Count, Count] = (0, 0)
    weekly_auc: tuple[Finite, Finite] = (0.0, 0.0)

    def update(self, block: Block, thresholds: NDArray[np.float64], rule: RuleInputs | None) -> None:
        """Test what was said about examples.

        Args:
            block: the examples (n).
            thresholds: the risk from which each counted as in danger when it was asked about (n); NaN where unknown.
            rule: where the silence rule finds its inputs; None leaves its figures out.
        """
        spoken = block.versions > 0
        if not spoken.all():
            silent = ~spoken
            self.rule.update(outcomes(block.risks[silent], block.labels[silent]))
            block, thresholds = block.where(spoken), thresholds[spoken]
        if not block.labels.size:
            return
        rows = _Rows(block, thresholds, rule)
        rows.count(self.whole, np.ones(block.labels.size, dtype=np.bool_))
        for segment in sorted(set(block.segments.tolist())):
            if segment in self.segments or len(self.segments) < SEGMENTS_MAX:
                rows.count(self.segments.setdefault(segment, Tally()), block.segments == segment)
        for taken_ms in np.unique(block.taken_ms).tolist():
            if taken_ms in self.cohorts or self._room(taken_ms):
                rows.count(self.cohorts.setdefault(taken_ms, Tally()), block.taken_ms == taken_ms)

    def _room(self, taken_ms: int) -> bool:
        return taken_ms > self.closed_ms and len(self.cohorts) < COHORTS_MAX + OPEN_MAX

    def close(self, taken_ms: int) -> dict[int, Tally]:
        """Close the cohorts taken up to `taken_ms`, the labels of which are all due; return those closed just now."""
        just = {at_ms: self.cohorts[at_ms] for at_ms in sorted(self.cohorts) if self.closed_ms < at_ms <= taken_ms}
        self.closed_ms = max(self.closed_ms, taken_ms)
        for tally in just.values():
            aucs = [roc_auc(sketch.churned, sketch.stayed) for sketch in (tally.model, tally.floor)]
            known = [auc is not None for auc in aucs]
            self.weeks = (self.weeks[0] + known[0], self.weeks[1] + known[1])
            self.weekly_auc = (self.weekly_auc[0] + (aucs[0] or 0.0), self.weekly_auc[1] + (aucs[1] or 0.0))
        for old_ms in [at_ms for at_ms in sorted(self.cohorts) if at_ms <= self.closed_ms][:-COHORTS_MAX]:
            del self.cohorts[old_ms]
        return just

    # -- what came of it -----------------------------------------------------------------------------------------------

    def recent(self) -> Tally:
        """Return the closed cohorts together."""
        together = Tally()
        for tally in self._closed():
            together.merge(tally)
        return together

    def _closed(self) -> list[Tally]:
        return [self.cohorts[at_ms] for at_ms in sorted(self.cohorts) if at_ms <= self.closed_ms]

    def summary(self, horizon_days: int, recent: Tally | None = None) -> dict[str, float]:
        """Return the figures by name, undefined ones left out; `recent` saves working out what `recent()` returns.

        As in `measures.Quality` and `alarms.Alarms.figures`; `rule_…` of the silence rule on the same examples;
        `weekly_auc` the mean AUC within a cohort; `recent_…` rolling. `rule_examples` counts those that it spoke on itself.
        """
        figures = self.whole.figures(horizon_days) | _weekly(self.weeks, self.weekly_auc)
        figures |= {f"recent_{name}": value for name, value in self._recently(horizon_days, recent).items()}
        spoke = self.rule.examples
        return figures | ({"rule_examples": float(spoke)} if spoke else {})

    def _recently(self, horizon_days: int, recent: Tally | None) -> dict[str, float]:
        closed = self._closed()
        if not closed:
            return {}
        models = [roc_auc(tally.model.churned, tally.model.stayed) for tally in closed]
        floors = [roc_auc(tally.floor.churned, tally.floor.stayed) for tally in closed]
        known = [[auc for auc in aucs if auc is not None] for aucs in (models, floors)]
        weekly = _weekly((len(known[0]), len(known[1])), (sum(known[0]), sum(known[1])))
        return (recent or self.recent()).figures(horizon_days) | weekly

    def by_segment(self, horizon_days: int) -> dict[str, dict[str, float]]:
        """Return the all-time figures of each segment."""
        return {name: self.segments[name].figures(horizon_days) for name in sorted(self.segments)}


def _weekly(weeks: tuple[int, int], sums: tuple[float, float]) -> dict[str, float]:
    names = ("weekly_auc", "rule_weekly_auc")
    return {name: total / count for name, count, total in zip(names, weeks, sums, strict=True) if count}
