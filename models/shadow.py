"""What spoke when: a memory of the guides cut, for as long as labels of what they said are due.

An example tells the version that spoke about it, weeks ago. What that guide held as dangerous is looked up here, and
what each of its base learners said on its own. In replay guides are days apart, and all are kept; live there may be hundreds a day, so
the first of each UTC day stands for those cut after it: it knew no more than they did.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.block import Block
from models.guide import Guide, Linear
from models.logits import PROBABILITY_MIN
from streams.bounds import ClockMs, Count, Share
from streams.time import day_of

SHADOWS_MAX: Final = 256


class Shadow(msgspec.Struct, array_like=True, frozen=True):
    """What is kept of a guide.

    Attributes:
        version, cut_ms: its version, and the event time that it was cut at.
        thresholds: by segment.
        stacked: the weight that the stacked recipe would have given the logistic regression.
        logistic, within: the base learners: value at zero, then slopes; 64-bit floats (1 + features).
    """

    version: Count
    cut_ms: ClockMs
    thresholds: dict[str, Share]
    stacked: Share
    logistic: bytes
    within: bytes

    def fits(self, features: int) -> bool:
        """Tell whether the base learners are of so many features, and numbers."""
        parts = self.logistic, self.within
        return all(
            len(part) == 8 * (1 + features) and np.isfinite(np.frombuffer(part, dtype="<f8")).all() for part in parts
        )

    def logits(self, transformed: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what the base learners say of transformed features (n, features), as `scorer.Scorer` would; (n, 2)."""
        logistic, within = (np.frombuffer(part, dtype="<f8") for part in (self.logistic, self.within))
        # Row by row, not as one matrix product: that may round differently for another number of rows.
        a = (transformed * logistic[1:]).sum(axis=1) + logistic[0]
        p = np.clip((transformed * within[1:]).sum(axis=1) + within[0], PROBABILITY_MIN, 1.0 - PROBABILITY_MIN)
        return np.stack([a, np.log(p / (1.0 - p))], axis=1)


class Shadows(msgspec.Struct, array_like=True):
    """The guides kept, oldest first; at most `SHADOWS_MAX`."""

    kept: list[Shadow] = []

    def keep(self, guide: Guide, stacked: float, span_ms: int) -> None:
        """Remember a newly cut guide, and forget what is older than `span_ms` but for the one that speaks from there on."""
        if self.kept and day_of(self.kept[-1].cut_ms) == day_of(guide.learnt_until_ms):
            return
        parts = (_at_zero(linear, guide.means) for linear in (guide.logistic, guide.within))
        self.kept.append(Shadow(guide.version, guide.learnt_until_ms, guide.thresholds, stacked, *parts))
        gone = bisect_right(self.kept, guide.learnt_until_ms - span_ms, key=lambda shadow: shadow.cut_ms) - 1
        del self.kept[: max(gone, len(self.kept) - SHADOWS_MAX, 0)]

    def speaking(self, version: int) -> Shadow | None:
        """Return what is kept of this version, or of the newest before it; None if it is forgotten."""
        place = bisect_right(self.kept, version, key=lambda shadow: shadow.version)
        return self.kept[place - 1] if place else None

    def thresholds(self, block: Block) -> NDArray[np.float64]:
        """Return the risk from which each example (n) counted as in danger when asked about; NaN where it is not known."""
        found = np.full(block.risks.size, np.nan)
        for version in np.unique(block.versions).tolist():
            shadow = self.speaking(version) if version else None
            if shadow is not None:
                rows = block.versions == version
                found[rows] = [shadow.thresholds.get(segment, np.nan) for segment in block.segments[rows]]
        return found


def _at_zero(linear: Linear, means: Sequence[float]) -> bytes:
    slopes = np.array(linear.slopes)
    return np.append(linear.at_mean - slopes @ np.array(means), slopes).astype("<f8").tobytes()
