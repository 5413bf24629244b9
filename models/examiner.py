"""Who tests every example before it is learnt, and says how the model stands.

1. `test` a block of examples against what was said about them at the time.
2. `close` the cohorts whose labels are all due.
3. `figures` and `standing` go with the guide that is cut then.
4. `keep` that guide in mind: the labels of what it says come a horizon later.
"""

from __future__ import annotations

from typing import Final

import msgspec

from models.block import Block
from models.guide import Guide
from models.prequential import Prequential
from models.question import Question
from models.rule import RuleInputs
from models.shadow import Shadows
from models.standing import Standing
from models.verdict import judge
from streams.time import DAY_MS

SLACK_GUIDES: Final = 4
"""Guides that may speak after their successor was cut: in replay a scoring uses the one of the epoch before."""


class Exam(msgspec.Struct, array_like=True):
    """What an examiner remembers: the counts of what was said, and the guides that said it."""

    prequential: Prequential = msgspec.field(default_factory=Prequential)
    shadows: Shadows = msgspec.field(default_factory=Shadows)


class Examiner:
    """See the module's text.

    Args:
        question: what is asked; its delay tells when a cohort's labels are all due.
        rule: where the silence rule finds its inputs; None leaves it out.
        grid_ms: event time between two guides in replay; None for live.
    """

    def __init__(self, question: Question, rule: RuleInputs | None, grid_ms: int | None) -> None:
        self.exam = Exam()
        self._rule = rule
        self._horizon_days = question.horizon_days
        self._delay_ms = question.matures_ms(question.anchor_ms) - question.anchor_ms
        self._span_ms = self._delay_ms + SLACK_GUIDES * max(grid_ms or 0, DAY_MS)
        self._figures: dict[str, float] | None = None
        self._standing: Standing | None = None

    def test(self, block: Block) -> None:
        """Test examples on what was said about them."""
        exam = self.exam
        exam.prequential.update(block, exam.shadows.thresholds(block), self._rule)
        self._changed()

    def close(self, boundary_ms: int) -> None:
        """Close what was taken so long before `boundary_ms` that all of its labels are due."""
        if self.exam.prequential.close(boundary_ms - self._delay_ms):
            self._changed()

    def keep(self, guide: Guide) -> None:
        """Remember a guide that was cut just now."""
        self.exam.shadows.keep(guide, self._span_ms)

    def resume(self, exam: Exam) -> None:
        """Go on from what another examiner remembered."""
        self.exam = exam
        self._changed()

    def figures(self) -> dict[str, float]:
        """Return the prequential figures by name; see `Prequential.summary`."""
        if self._figures is None:
            self._figures = self.exam.prequential.summary(self._horizon_days)
        return dict(self._figures)

    def standing(self) -> Standing:
        """Return how the model stands."""
        if self._standing is None:
            prequential = self.exam.prequential
            self._standing = Standing(
                judge(self.figures()), prequential.by_segment(self._horizon_days), prequential.reliability()
            )
        return self._standing

    def _changed(self) -> None:
        self._figures = self._standing = None
