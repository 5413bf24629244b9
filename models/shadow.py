"""What spoke when: a memory of the guides cut, for as long as labels of what they said are due.

An example tells the version that spoke about it, weeks ago. What that guide held as dangerous is looked up here.
In replay every guide is kept, for they are days apart; live there may be hundreds a day, so the first of each UTC day
stands for those cut after it: it knew no more than they did.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.block import Block
from models.guide import Guide
from streams.time import day_of

SHADOWS_MAX: Final = 256


class Shadow(msgspec.Struct, array_like=True, frozen=True):
    """What is kept of a guide: its version, the event time that it was cut at, its thresholds by segment."""

    version: int
    cut_ms: int
    thresholds: dict[str, float]


class Shadows(msgspec.Struct, array_like=True):
    """The guides kept, oldest first; at most `SHADOWS_MAX`."""

    kept: list[Shadow] = []

    def keep(self, guide: Guide, span_ms: int) -> None:
        """Remember a newly cut guide, and forget what is older than `span_ms` but for the one that speaks from there on."""
        if self.kept and day_of(self.kept[-1].cut_ms) == day_of(guide.learnt_until_ms):
            return
        self.kept.append(Shadow(guide.version, guide.learnt_until_ms, guide.thresholds))
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
