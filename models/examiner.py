"""Who tests every example before it is learnt, and says how the model stands.

1. `test` a block of examples against what was said about them at the time.
2. `close` the cohorts whose labels are all due.
3. `figures` and `standing` go with the guide that is cut then.
4. `keep` that guide in mind: the labels of what it says come a horizon later.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from models.block import Block
from models.candidates import Contest, Trials
from models.drift import Drift, DriftState
from models.guide import Guide, Scale
from models.input_counts import INPUT_BINS
from models.prequential import Prequential
from models.question import Question
from models.rule import RuleInputs
from models.shadow import Shadows
from models.standing import Standing
from models.verdict import judge
from streams.errors import Corrupt
from streams.time import DAY_MS, day_of

PROMOTIONS_TOLD: Final = 10
"""Changes of champion that travel with a guide; the learner remembers more."""

SLACK_GUIDES: Final = 4
"""Guides that may speak after their successor was cut: in replay a scoring uses the one of the epoch before."""


class Exam(msgspec.Struct, array_like=True):
    """What an examiner remembers: the counts of what was said, the guides that said it, the candidates, and what drifts."""

    prequential: Prequential = msgspec.field(default_factory=Prequential)
    shadows: Shadows = msgspec.field(default_factory=Shadows)
    trials: Trials = msgspec.field(default_factory=Trials)
    drift: DriftState = msgspec.field(default_factory=DriftState)


class Examiner:
    """See the module's text.

    Args:
        names: the features.
        scales: how each feature enters the model.
        question: what is asked; its delay tells when a cohort's labels are all due.
        rule: where the silence rule finds its inputs; None leaves it out.
        grid_ms: event time between two guides in replay; None for live.
        contest: how champions are made among the candidates.
        warning: features whose drift is warned of; None for all. What only grows with the age of the log had better not be.
    """

    def __init__(
        self,
        names: Sequence[str],
        scales: Sequence[Scale],
        *,
        question: Question | None = None,
        rule: RuleInputs | None = None,
        grid_ms: int | None = None,
        contest: Contest | None = None,
        warning: Collection[str] | None = None,
    ) -> None:
        question, contest = question or Question(), contest or Contest()
        self.exam = Exam(trials=Trials(champion=contest.recipe))
        self._names = tuple(names)
        self._logs = np.array([scale == "log" for scale in scales], dtype=bool)
        self._warning = frozenset(names if warning is None else warning)
        self._rule = rule
        self._contest = contest
        self._horizon_days = question.horizon_days
        self._delay_ms = question.matures_ms(question.anchor_ms) - question.anchor_ms
        self._overlap = -(-self._delay_ms // question.snapshot_ms) - 1
        self._span_ms = self._delay_ms + SLACK_GUIDES * max(grid_ms or 0, DAY_MS)
        self._told: tuple[dict[str, float], Standing] | None = None
        self._drift = Drift()
        self._drift_day: int | None = None

    def test(self, block: Block) -> None:
        """Test examples on what was said about them."""
        exam = self.exam
        exam.prequential.update(block, exam.shadows.thresholds(block), self._rule)
        if self._contest.promotion != "off" or self._contest.recipe == "stacked":
            self._judge(block)
        self._changed()

    def _judge(self, block: Block) -> None:
        """Judge every candidate on what it would have said at the time; where the silence rule spoke, nobody is judged."""
        exam = self.exam
        for version in np.unique(block.versions).tolist():
            shadow = exam.shadows.speaking(version) if version else None
            if shadow is None:
                continue
            for taken_ms in np.unique(block.taken_ms[block.versions == version]).tolist():
                rows = (block.versions == version) & (block.taken_ms == taken_ms)
                inputs = block.inputs[rows]
                logits = shadow.logits(np.where(self._logs, np.copysign(np.log1p(np.abs(inputs)), inputs), inputs))
                exam.trials.judge(taken_ms, logits, block.labels[rows], shadow.stacked)

    def count(self, inputs: Mapping[int, Any]) -> None:
        """Take in how the features of new snapshots are distributed; raises `Corrupt` for what is no such counts."""
        self.exam.drift.absorb(inputs, len(self._names))

    def close(self, boundary_ms: int) -> None:
        """Close what was taken so long before `boundary_ms` that all of its labels are due, and decide who speaks from now on."""
        exam, taken_ms = self.exam, boundary_ms - self._delay_ms
        just = exam.prequential.close(taken_ms)
        exam.trials.close(taken_ms)
        for closed_ms, tally in just.items():
            exam.drift.close(closed_ms, tally.model)
        decides = just or self._contest.promotion != "auto"
        change = exam.trials.decide(self._contest, boundary_ms, self._overlap) if decides else None
        if just or change is not None:
            self._changed()
        if just or day_of(boundary_ms) != self._drift_day:
            self._drift_day = day_of(boundary_ms)
            self._drift = exam.drift.drift(boundary_ms, self._names, self._warning)

    def recipe(self) -> tuple[str, tuple[float, float]]:
        """Return the champion's name, and how it blends the two logits now."""
        trials = self.exam.trials
        return trials.champion, trials.weights(trials.champion)

    def keep(self, guide: Guide) -> None:
        """Remember a guide that was cut just now."""
        exam = self.exam
        exam.shadows.keep(guide, exam.trials.weight(), self._span_ms)

    def resume(self, exam: Exam) -> None:
        """Go on from what another examiner remembered; raises `Corrupt` where that was of other features, or no numbers."""
        counts = INPUT_BINS * len(self._names)
        if not all(shadow.fits(len(self._names)) for shadow in exam.shadows.kept) or any(
            len(day) != counts for day in exam.drift.days.values()
        ):
            raise Corrupt(
                "what the learner remembers of its guides does not fit together: delete its state to learn anew"
            )
        self.exam = exam
        self._drift_day = None
        self._changed()

    def figures(self) -> dict[str, float]:
        """Return the prequential figures by name; see `Prequential.summary`."""
        return dict(self._known()[0])

    def standing(self) -> Standing:
        """Return how the model stands."""
        return msgspec.structs.replace(self._known()[1], drift=self._drift)

    def _known(self) -> tuple[dict[str, float], Standing]:
        """Work out figures and standing, but for the drift, once for each change: it takes some milliseconds."""
        if self._told is None:
            prequential, trials = self.exam.prequential, self.exam.trials
            recent = prequential.recent()
            figures = prequential.summary(self._horizon_days, recent)
            standing = Standing(
                verdict=judge(figures),
                segments=prequential.by_segment(self._horizon_days),
                reliability=recent.model.reliability(),
                trials=trials.standings(self._contest, self._overlap),
                promotions=trials.promotions[-PROMOTIONS_TOLD:],
            )
            self._told = figures, standing
        return self._told

    def _changed(self) -> None:
        self._told = None
