"""Many scores by one guide at once: the same numbers as `Scorer.risk` gives one by one, bit for bit, in a third of the time where they are many.

    1. packed vectors         -> x, one row for each feature that has a say; (features, vectors)
    2. x of scale log         -> sign(x)·log1p(|x|); whole numbers below `WHOLE_MAX`, nearly all of them, by a table
    3. products               -> u·row and v·row, behind a row of what all begin with; (1 + features, 2, vectors)
    4. sums, row after row    -> the two logits of each vector -> its risk, as `Scorer.risk` ends

Every addition is the scorer's own, in its order, and so is every log1p: NumPy's may differ from Python's in the last bit, and does on
processors with AVX-512. A feature that is 0 adds 0 here and nothing there. NumPy adds pairwise, in another order, only along the axis
that lies together in memory, which is never that of the features: so how many are scored together changes no bit (`tests/properties`).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log1p
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.guide import Guide
from models.labels import INPUT_MAX
from models.logits import clipped_logit, sigmoid

WHOLE_MAX: Final = 2_048
"""Days and counts are whole numbers; up to here their logarithms are looked up."""

_LOG1P: Final = np.array([log1p(whole) for whole in range(WHOLE_MAX)])

Rows = NDArray[np.float64]


class Batch:
    """A guide as a function of many vectors.

    >>> from models.guide import initial_guide
    >>> from models.labels import pack_vector
    >>> Batch(initial_guide(["orders_30d"], ["log"])).risks([pack_vector([3.0]), pack_vector([0.0])])
    [0.5, 0.5]
    """

    __slots__ = ("_at_zero", "_logs", "_places", "_size", "_slopes", "_weights")

    def __init__(self, guide: Guide) -> None:
        both = zip(guide.logistic.slopes, guide.within.slopes, strict=True)
        terms = [(place, slopes) for place, slopes in enumerate(both) if any(slopes)]
        self._size = len(guide.names)
        self._places = np.array([place for place, _ in terms], dtype=np.int64)
        self._logs = np.array([guide.scales[place] == "log" for place, _ in terms], dtype=bool)
        self._slopes: Rows = np.array([slopes for _, slopes in terms], dtype=np.float64).reshape(len(terms), 2, 1)
        at_zero = (
            guide.logistic.at_mean - _dot(guide.logistic.slopes, guide.means),
            guide.within.at_mean - _dot(guide.within.slopes, guide.means),
        )
        self._at_zero: Rows = np.array(at_zero).reshape(2, 1)
        self._weights = guide.weights

    def risks(self, packed: Sequence[bytes]) -> list[float]:
        """Return the probability of churn, 0 to 1, of each vector (`labels.pack_vector`) of the guide's features.

        Raises:
            ValueError: a vector has another length than the guide.
        """
        if set(map(len, packed)) - {4 * self._size}:
            raise ValueError(f"a vector of another length than the guide's, which has {self._size} features")
        count = len(packed)
        if not count:
            return []
        numbers = np.frombuffer(b"".join(packed), "<f4")
        rows = numbers.reshape(count, self._size).T.take(self._places, axis=0).astype(np.float64)
        if rows.size and not np.abs(rows).max() <= INPUT_MAX:  # nor is what is not a number
            rows = np.clip(np.nan_to_num(rows, nan=0.0), -INPUT_MAX, INPUT_MAX)
        rows[self._logs] = _signed_log1p(rows[self._logs])
        terms = np.empty((len(rows) + 1, 2, count))
        terms[0] = self._at_zero
        np.multiply(self._slopes, rows[:, np.newaxis], out=terms[1:])
        logits, shares = np.add.reduce(terms, axis=0).tolist()
        w, v = self._weights
        both = zip(logits, shares, strict=True)
        return [sigmoid(w * logit + v * clipped_logit(share)) for logit, share in both]


def _signed_log1p(values: Rows) -> Rows:
    sizes = np.abs(values)
    whole = np.minimum(sizes, WHOLE_MAX - 1).astype(np.int64)
    known = whole == sizes
    logs: Rows = _LOG1P[whole]
    rest = sizes[~known]
    logs[~known] = np.fromiter(map(log1p, rest.tolist()), np.float64, rest.size)
    signed: Rows = np.copysign(logs, values)
    return signed


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))
