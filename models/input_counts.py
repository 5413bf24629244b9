"""How features are distributed over the snapshots, as they are taken: counts in fixed bins, which add up in any order.

Labels come a horizon later, so the learner would hear of a change in its inputs two months late; these counts travel to
it with the next batch of examples. They cost a microsecond a snapshot and some two kilobytes a day and partition.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.labels import INPUT_MAX

EDGES: Final = np.array(
    [-8, -4, -1.5, -0.5, 0, 1e-9, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 8, 13, 21, 34, 55, 90, 150, 250, 500, 1_000, 3_000]
)
"""Bounds of the bins: fine enough for shares and ratios around 1 as well as for counts, days and amounts; 0 has its own."""

INPUT_BINS: Final = len(EDGES) + 1


class InputCounts:
    """Counts one partition's snapshots between two batches of examples: UTC day to counts by feature and bin.

    >>> from models.labels import pack_vector
    >>> counts = InputCounts()
    >>> counts.add(10_000, pack_vector([0.0]))
    >>> [place for place, count in enumerate(counts.take()[10_000]) if count]
    [5]
    """

    __slots__ = ("_days",)

    def __init__(self) -> None:
        self._days: dict[int, list[bytes]] = {}

    def add(self, day: int, vector: bytes) -> None:
        """Count a snapshot taken on a UTC day; features as `labels.pack_vector` packs them."""
        self._days.setdefault(day, []).append(vector)

    def take(self) -> dict[int, list[int]]:
        """Return the counts, feature by feature `INPUT_BINS` of them, and start anew."""
        taken = {day: counted(vectors).tolist() for day, vectors in self._days.items()}
        self._days = {}
        return taken


def counted(vectors: Sequence[bytes]) -> NDArray[np.int64]:
    """Return how many of the vectors have each feature in each bin; (features times bins)."""
    values = np.frombuffer(b"".join(vectors), dtype="<f4").reshape(len(vectors), -1)
    values = np.nan_to_num(values, nan=0.0, posinf=INPUT_MAX, neginf=-INPUT_MAX)
    features = values.shape[1]
    places = np.searchsorted(EDGES, values, side="right") + INPUT_BINS * np.arange(features)
    return np.bincount(places.ravel(), minlength=INPUT_BINS * features)
