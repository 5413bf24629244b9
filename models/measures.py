"""How good a ranking and its probabilities are: exact figures over arrays, and the same over counted groups.

Rows of equal risk form a group; a group counts as one step, so ties are worth half a pair in the AUC. Handing in
bins of risk instead of distinct values gives the same figures for the binned risks: that is what the sketch in
`prequential.py` does.

    risk  ->  0.1   0.4   0.4   0.8        churned = [0, 1, 1]
    label ->   0     1     0     1         stayed  = [1, 1, 0]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from streams.bounds import Count, Finite

RISK_MIN: Final = 1e-6
"""A risk is taken as at least this, and at most its complement, in the log loss."""

ECE_BINS: Final = 10
TOP_SHARE: Final = 0.1

Counts = Sequence[int] | NDArray[np.int64]


class Quality(msgspec.Struct, frozen=True):
    """What was said against what came, churned being the positive class. None: not defined for these rows.

    Attributes:
        examples: rows.
        base_rate: share of churned.
        auc: area under the ROC curve: the chance that a churned one had the higher risk (Hanley and McNeil, 1982).
        auc_error: bound on the error of `auc` that comes from counting in bins; 0 for exact figures.
        pr_auc: average precision, without interpolation (Davis and Goadrich, 2006).
        log_loss: mean negative log likelihood, in nats.
        brier: mean squared error of the probability (Brier, 1950).
        ece: expected calibration error over ten bins of equal width (Naeini et al., 2015).
        precision_10: share of churned among the riskiest tenth.
        lift_10: `precision_10` over `base_rate`.
    """

    examples: int
    base_rate: float | None
    auc: float | None
    auc_error: float
    pr_auc: float | None
    log_loss: float | None
    brier: float | None
    ece: float | None
    precision_10: float | None
    lift_10: float | None

    def as_dict(self, prefix: str = "") -> dict[str, float]:
        """Return the defined figures by name."""
        named = msgspec.structs.asdict(self)
        return {prefix + name: float(value) for name, value in named.items() if value is not None}


class Reliability(msgspec.Struct, array_like=True, frozen=True):
    """One point of the reliability curve: of `examples` whose risk lay in a bin, the mean risk `said` and the share that `came`.

    `place` is the bin's number: 0 for risks below .1, 9 for those from .9 on.
    """

    place: Count
    said: Finite
    came: Finite
    examples: Count


def roc_auc(churned: Counts, stayed: Counts) -> float | None:
    """Return the area under the ROC curve from counts per group, in the order of rising risk.

    >>> roc_auc([0, 1, 1], [1, 1, 0])
    0.875
    """
    up, down = _floats(churned), _floats(stayed)
    pairs = up.sum() * down.sum()
    if not pairs:
        return None
    below = np.cumsum(down) - down
    return float(np.dot(up, below + 0.5 * down) / pairs)


def average_precision(churned: Counts, stayed: Counts) -> float | None:
    """Return the average precision from counts per group, in the order of rising risk.

    >>> round(average_precision([0, 1, 1], [1, 1, 0]), 4)
    0.8333
    """
    up = _floats(churned)[::-1]
    taken = np.cumsum(up + _floats(stayed)[::-1])
    hits = np.cumsum(up)
    if not up.size or not hits[-1]:
        return None
    precision = np.divide(hits, taken, out=np.zeros_like(hits), where=taken > 0)
    return float(np.dot(up, precision) / hits[-1])


def top_precision(churned: Counts, stayed: Counts, share: float = TOP_SHARE) -> float | None:
    """Return the share of churned among the riskiest `share` of the rows.

    The group at the edge counts with the part of it that is needed, so the order within ties does not matter.
    """
    up = _floats(churned)[::-1]
    size = up + _floats(stayed)[::-1]
    wanted = share * size.sum()
    if not wanted:
        return None
    above = np.cumsum(size) - size
    part = np.clip((wanted - above) / np.where(size > 0, size, 1.0), 0.0, 1.0)
    return float(np.dot(part, up) / wanted)


def binning_error(churned: Counts, stayed: Counts) -> float:
    """Return how far the AUC can be off for not knowing the order within groups."""
    up, down = _floats(churned), _floats(stayed)
    pairs = up.sum() * down.sum()
    return float(0.5 * np.dot(up, down) / pairs) if pairs else 0.0


def exact_quality(risks: ArrayLike, labels: ArrayLike) -> Quality:
    """Return the exact figures for rows of risk (0 to 1) and label (0 or 1).

    >>> exact_quality([0.1, 0.4, 0.4, 0.8], [0, 1, 0, 1]).auc
    0.875
    """
    risk = np.asarray(risks, dtype=np.float64)
    label = np.asarray(labels, dtype=np.float64)
    values, group = np.unique(risk, return_inverse=True)
    churned = np.bincount(group, weights=label, minlength=values.size)
    stayed = np.bincount(group, minlength=values.size) - churned
    rows = risk.size
    said = np.clip(risk, RISK_MIN, 1.0 - RISK_MIN)
    likelihood = np.where(label > 0, said, 1.0 - said)
    bins = np.minimum((risk * ECE_BINS).astype(np.int64), ECE_BINS - 1)
    off = np.bincount(bins, weights=risk - label, minlength=ECE_BINS)
    return summarise(
        churned,
        stayed,
        log_loss=float(-np.log(likelihood).mean()) if rows else None,
        brier=float(((risk - label) ** 2).mean()) if rows else None,
        ece=float(np.abs(off).sum() / rows) if rows else None,
        auc_error=0.0,
    )


def summarise(
    churned: Counts,
    stayed: Counts,
    *,
    log_loss: float | None,
    brier: float | None,
    ece: float | None,
    auc_error: float,
) -> Quality:
    """Return all figures from counts per group (rising risk) and the three that need more than counts."""
    positives, negatives = int(sum(churned)), int(sum(stayed))
    rows = positives + negatives
    precision = top_precision(churned, stayed)
    return Quality(
        examples=rows,
        base_rate=positives / rows if rows else None,
        auc=roc_auc(churned, stayed),
        auc_error=auc_error,
        pr_auc=average_precision(churned, stayed),
        log_loss=log_loss,
        brier=brier,
        ece=ece,
        precision_10=precision,
        lift_10=precision * rows / positives if precision is not None and positives else None,
    )


def _floats(counts: Counts) -> NDArray[np.float64]:
    return np.asarray(counts, dtype=np.float64)
