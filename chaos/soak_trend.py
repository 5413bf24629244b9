"""Does a series grow? The slope by Theil and Sen, its interval, and what that means for memory. Pure.

1. The series is cut into `BLOCKS` stretches of time, and the median of each is taken: a sample in the middle of a commit, a
   collection or a compaction does not count, and neighbours that say the same thing do not count twice.
2. The slope is the median of the slopes between all pairs of blocks (Theil 1950, Sen 1968).
3. Its interval is Sen's, by the variance of Kendall's tau: the slopes at the ranks (N ± z sqrt(n (n - 1)(2 n + 5) / 18)) / 2.

Memory is *flat* where the slope is below a share of the level per ten minutes, or where all that it comes to over the whole stretch is
less than the unit in which memory is had; it *grows* where the slope is above and the interval leaves 0 out; else nobody can tell, and
a longer run is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import floor, sqrt
from statistics import median
from typing import Final, Literal

BLOCKS: Final = 30
POINTS_MIN: Final = 6
Z: Final = 1.96
TEN_MINUTES: Final = 600.0

Word = Literal["flat", "grows", "unknown"]
Points = Sequence[tuple[float, float]]
"""(seconds, value), in the order of time."""


@dataclass(frozen=True, slots=True)
class Trend:
    """A line through a series.

    Attributes:
        level: median of the series, in its own unit.
        slope, low, high: growth a second, and its 95 % interval.
        seconds: the stretch of time.
        points: blocks that it rests on.
    """

    level: float
    slope: float
    low: float
    high: float
    seconds: float
    points: int

    def share(self, slope: float) -> float:
        """Give a slope as a share of the level per ten minutes."""
        return slope * TEN_MINUTES / self.level if self.level else 0.0


def blocks(points: Points, count: int = BLOCKS) -> list[tuple[float, float]]:
    """Give the median time and value of each of `count` equal stretches of time that hold a sample.

    >>> blocks([(0, 5.0), (1, 7.0), (2, 90.0), (10, 8.0)], count=2)
    [(1, 7.0), (10, 8.0)]
    """
    if not points:
        return []
    first, last = points[0][0], points[-1][0]
    width = (last - first) / count or 1.0
    found: list[list[tuple[float, float]]] = [[] for _ in range(count)]
    for at, value in points:
        found[min(count - 1, int((at - first) / width))].append((at, value))
    return [(median(at for at, _ in block), median(value for _, value in block)) for block in found if block]


def trend(points: Points) -> Trend | None:
    """Fit a line; None where there are fewer than `POINTS_MIN` blocks.

    >>> found = trend([(second, 100.0 + second / 10) for second in range(61)])
    >>> found and (round(found.slope, 3), round(found.level))
    (0.1, 103)
    """
    found = blocks(points)
    n = len(found)
    if n < POINTS_MIN:
        return None
    slopes = sorted((b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(found, 2) if b[0] > a[0])
    spread = Z * sqrt(n * (n - 1) * (2 * n + 5) / 18)
    low = max(0, floor((len(slopes) - spread) / 2))
    high = min(len(slopes) - 1, len(slopes) - 1 - low)
    level = median(value for _, value in found)
    return Trend(level, median(slopes), slopes[low], slopes[high], points[-1][0] - points[0][0], n)


def judge(found: Trend | None, share_max: float, grain: float) -> Word:
    """Say whether the series grows.

    Args:
        found: its trend.
        share_max: most growth allowed, as a share of the level per ten minutes.
        grain: the unit in which memory is had, in the series' own unit: less than that over the whole stretch is nothing.

    >>> judge(Trend(100.0, 0.0, -1e-4, 1e-4, 600, 30), 0.01, grain=0.0)
    'flat'
    >>> judge(Trend(100.0, 0.01, 0.009, 0.011, 600, 30), 0.01, grain=1.0)
    'grows'
    >>> judge(Trend(100.0, 0.01, -0.02, 0.04, 600, 30), 0.01, grain=1.0)
    'unknown'
    """
    if found is None:
        return "unknown"
    if found.share(found.slope) < share_max or found.slope * found.seconds < grain:
        return "flat"
    return "grows" if found.low > 0 else "unknown"
