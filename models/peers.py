"""What is usual among customers alike: the mean of every feature by segment, over all examples learnt.

A ticket is nothing unusual with somebody who orders daily. Sums are whole numbers (thousandths of the features as the model sees them), so they do not depend on how
the examples are divided into blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.block import Block
from models.guide import Scale
from streams.bounds import Count, Tally

SEGMENTS_MAX: Final = 16
UNIT: Final = 1_000
SEEN_MAX: Final = 1e4
"""What a model sees is clipped to this either way: one absurd value of scale linear must not carry the mean of all."""


class Peers(msgspec.Struct, array_like=True):
    """Examples by segment, and the sums of their features in units of 1 / `UNIT`."""

    rows: dict[str, Count] = {}
    sums: dict[str, list[Tally]] = {}

    def add(self, examples: Block, scales: Sequence[Scale]) -> None:
        """Count examples in; those of further segments than `SEGMENTS_MAX` are left out."""
        logs = np.array([scale == "log" for scale in scales])
        x = examples.inputs
        seen = np.where(logs, np.copysign(np.log1p(np.abs(x)), x), x).clip(-SEEN_MAX, SEEN_MAX)
        units: NDArray[np.int64] = np.rint(seen * UNIT).astype(np.int64)
        for segment in sorted(set(examples.segments.tolist())):
            if segment not in self.rows and len(self.rows) >= SEGMENTS_MAX:
                continue
            rows = examples.segments == segment
            before = self.sums.get(segment, [0] * len(scales))
            self.rows[segment] = self.rows.get(segment, 0) + int(rows.sum())
            self.sums[segment] = [a + b for a, b in zip(before, units[rows].sum(axis=0).tolist(), strict=True)]

    def fit(self, features: int) -> bool:
        """Tell whether they are of so many features, and of no segment without examples."""
        return self.rows.keys() == self.sums.keys() and all(
            rows > 0 and len(self.sums[segment]) == features for segment, rows in self.rows.items()
        )

    def means(self) -> dict[str, tuple[int, ...]]:
        """Return the mean customer of each segment, in units of 1 / `UNIT`."""
        return {
            segment: tuple(round(each / rows) for each in self.sums[segment])
            for segment, rows in sorted(self.rows.items())
        }
