"""What was said and what came, counted in bins of risk: small, mergeable, exact but for the order within a bin.

Sums of losses are integers in millionths, so adding, taking away and merging are exact, whatever the order.
"""

from __future__ import annotations

from operator import add, sub
from typing import Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.measures import ECE_BINS, RISK_MIN, Quality, Reliability, binning_error, summarise
from streams.bounds import Count, Sum

BINS: Final = 1000
MILLION: Final = 1_000_000


def _zeros(size: int) -> list[int]:
    return [0] * size


class Outcomes(NamedTuple):
    """Examples as the sketches count them: bins of risk, labels, and losses and risks in millionths; int64 (n) each."""

    places: NDArray[np.int64]
    labels: NDArray[np.int64]
    log_loss: NDArray[np.int64]
    brier: NDArray[np.int64]
    said: NDArray[np.int64]

    def where(self, rows: NDArray[np.bool_]) -> Outcomes:
        """Return the rows that are True in `rows`."""
        return Outcomes(*(column[rows] for column in self))


def outcomes(risks: ArrayLike, labels: ArrayLike) -> Outcomes:
    """Return what to count of examples: what was said (0 to 1) and what came (1 churned, 0 stayed).

    >>> [int(column[0]) for column in outcomes([0.25], [1])]
    [250, 1, 1386294, 562500, 250000]
    """
    risk = np.asarray(risks, dtype=np.float64)
    label = np.asarray(labels, dtype=np.int64)
    likelihood = np.clip(np.where(label == 1, risk, 1.0 - risk), RISK_MIN, 1.0 - RISK_MIN)
    return Outcomes(
        np.minimum((risk * BINS).astype(np.int64), BINS - 1),
        label,
        millionths(-np.log(likelihood)),
        millionths((risk - label) ** 2),
        millionths(risk),
    )


def millionths(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return values as whole millionths, so that their sums do not depend on the order of adding."""
    return np.rint(values * MILLION).astype(np.int64)


class Sketch(msgspec.Struct, array_like=True):
    """Counts and sums of one set of examples; 2 to 6 kB as MessagePack.

    Attributes:
        churned, stayed: examples of each class per bin of risk.
        log_loss, brier: sums, in millionths.
        said: sum of risk per calibration bin, in millionths.
    """

    churned: list[Count] = msgspec.field(default_factory=lambda: _zeros(BINS))
    stayed: list[Count] = msgspec.field(default_factory=lambda: _zeros(BINS))
    log_loss: Sum = 0
    brier: Sum = 0
    said: list[Sum] = msgspec.field(default_factory=lambda: _zeros(ECE_BINS))

    def __post_init__(self) -> None:
        if {len(self.churned), len(self.stayed)} != {BINS} or len(self.said) != ECE_BINS:
            raise ValueError(f"a sketch has {BINS} bins of each class and {ECE_BINS} of calibration")

    @property
    def examples(self) -> int:
        """How many examples were counted."""
        return sum(self.churned) + sum(self.stayed)

    def update(self, came: Outcomes) -> None:
        """Count examples."""
        # Only bins that something falls into are touched: a lone example must not cost two thousand additions.
        found, counts = np.unique(came.places * 2 + came.labels, return_counts=True)
        for key, count in zip(found.tolist(), counts.tolist(), strict=True):
            (self.churned if key & 1 else self.stayed)[key >> 1] += count
        self.log_loss += int(came.log_loss.sum())
        self.brier += int(came.brier.sum())
        # Sums in floats, yet exact: a week's risks in millionths stay far below 2^53.
        said = np.bincount(came.places * ECE_BINS // BINS, weights=came.said, minlength=ECE_BINS)
        self.said = [before + int(more) for before, more in zip(self.said, said, strict=True)]

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

    def reliability(self) -> list[Reliability]:
        """Return per calibration bin that holds examples how much was said and how much came."""
        width = BINS // ECE_BINS
        churned, stayed = (
            np.asarray(part).reshape(ECE_BINS, width).sum(axis=1) for part in (self.churned, self.stayed)
        )
        rows = zip(self.said, churned.tolist(), (churned + stayed).tolist(), strict=True)
        return [
            Reliability(place, said / MILLION / count, came / count, count)
            for place, (said, came, count) in enumerate(rows)
            if count
        ]

    def quality(self) -> Quality:
        """Return the figures; log loss and Brier score are exact to a millionth."""
        rows = self.examples
        off = sum(abs(found.said - found.came) * found.examples for found in self.reliability())
        return summarise(
            np.asarray(self.churned, dtype=np.int64),
            np.asarray(self.stayed, dtype=np.int64),
            log_loss=self.log_loss / MILLION / rows if rows else None,
            brier=self.brier / MILLION / rows if rows else None,
            ece=off / rows if rows else None,
            auc_error=binning_error(self.churned, self.stayed),
        )
