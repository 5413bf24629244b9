"""The curves behind the plots: pure functions over arrays of risk, label and instant (sorted by instant)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

from churnwatch.evaluation import Floats, Ints, weeks
from models.measures import ECE_BINS

SHARES: Final = tuple(step / 20 for step in range(21))
TENTHS: Final = 10


class Bin(NamedTuple):
    """One bin of predictions: mean said, share that came, rows."""

    said: float
    came: float
    rows: int


def reliability(risk: Floats, label: Ints) -> list[Bin]:
    """Return ten bins of equal width of what was said, those without rows left out."""
    place = np.minimum((risk * ECE_BINS).astype(np.int64), ECE_BINS - 1)
    return [
        Bin(float(risk[here].mean()), float(label[here].mean()), int(here.sum()))
        for here in (place == number for number in range(ECE_BINS))
        if here.any()
    ]


def weekly_rates(risk: Floats, label: Ints, taken_ms: Ints) -> list[tuple[int, float, float]]:
    """Return (instant, mean said, share that came) of each instant."""
    return [(int(taken_ms[week][0]), float(risk[week].mean()), float(label[week].mean())) for week in weeks(taken_ms)]


def gain(risk: Floats, label: Ints, taken_ms: Ints, shares: Sequence[float] = SHARES) -> list[tuple[float, float]]:
    """Return (share, part of the churned among the riskiest `share` of each instant), over all instants together."""
    caught = np.zeros(len(shares))
    for week in weeks(taken_ms):
        up = np.concatenate([[0.0], np.cumsum(label[week][np.argsort(-risk[week], kind="stable")])])
        caught += np.interp(np.array(shares) * (up.size - 1), np.arange(up.size), up)
    total = float(label.sum())
    return [(share, float(hit / total)) for share, hit in zip(shares, caught, strict=True)] if total else []


def tenths(risk: Floats, label: Ints, taken_ms: Ints) -> list[float]:
    """Return the churn rate of each tenth of the instants' rows, the riskiest first; empty ones left out."""
    hits, rows = np.zeros(TENTHS), np.zeros(TENTHS)
    for week in weeks(taken_ms):
        ranked = label[week][np.argsort(-risk[week], kind="stable")]
        place = np.arange(ranked.size) * TENTHS // max(ranked.size, 1)
        hits += np.bincount(place, weights=ranked, minlength=TENTHS)
        rows += np.bincount(place, minlength=TENTHS)
    return [float(hit / count) for hit, count in zip(hits, rows, strict=True) if count]


def histogram(values: Iterable[float], width: float) -> list[tuple[float, int]]:
    """Return (from, count) of bins of `width`, gaps between them included.

    >>> histogram([1.0, 2.0, 11.0], 5.0)
    [(0.0, 2), (5.0, 0), (10.0, 1)]
    """
    counts = Counter(int(value // width) for value in values)
    return [(place * width, counts[place]) for place in range(min(counts), max(counts) + 1)] if counts else []
