"""Scoring with a guide: the River model of `pipeline.py` folded into two dot products.

    1. x_i  -> t_i = sign(x_i)·log1p(|x_i|) for features of scale log, x_i for linear ones
    2. l = logistic.at_mean + sum of logistic.slopes_i · (t_i - means_i)         a logit
    3. p = within.at_mean + sum of within.slopes_i · (t_i - means_i), clipped      a probability
    4. risk = sigmoid(w · l + v · logit(p)), with the guide's weights w and v

The means are folded into the constants. A feature that is 0 costs nothing, for t(0) = 0, nor does one that has been the same
in every example so far: its slopes are 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log, log1p

from models.batch import Batch
from models.guide import Guide
from models.labels import INPUT_MAX, unpack_vector
from models.logits import PROBABILITY_MAX, PROBABILITY_MIN, clipped_logit, transform
from models.peers import UNIT


class Scorer:
    """A guide as a function.

    >>> from models.guide import initial_guide
    >>> Scorer(initial_guide(["orders_30d"], ["log"])).risk([3.0])
    0.5
    """

    __slots__ = (
        "_batch",
        "_foreseen",
        "_logistic_at_zero",
        "_logs",
        "_terms",
        "_weights",
        "_within_at_zero",
        "bias",
        "guide",
    )

    def __init__(self, guide: Guide) -> None:
        self.guide = guide
        self._weights = guide.weights
        self._logs = tuple(scale == "log" for scale in guide.scales)
        slopes = zip(self._logs, guide.logistic.slopes, guide.within.slopes, strict=True)
        self._terms = tuple((place, is_log, u, v) for place, (is_log, u, v) in enumerate(slopes) if u or v)
        self._logistic_at_zero = guide.logistic.at_mean - _dot(guide.logistic.slopes, guide.means)
        self._within_at_zero = guide.within.at_mean - _dot(guide.within.slopes, guide.means)
        w, v = guide.weights
        self.bias = w * guide.logistic.at_mean + v * clipped_logit(guide.within.at_mean)
        """The logit of a customer who is average in everything."""
        self._foreseen: dict[bytes, float] = {}
        self._batch: Batch | None = None
        """Made when it is first wanted: not every scorer is asked about many."""

    def foresee(self, packed: Sequence[bytes]) -> None:
        """Score these vectors (`labels.pack_vector`) at once, for `risk_then`; what was foreseen before is forgotten."""
        if self._batch is None:
            self._batch = Batch(self.guide)
        self._foreseen = dict(zip(packed, self._batch.risks(packed), strict=True))

    def risk_then(self, packed: bytes) -> float:
        """Return the `risk` of a vector that was put aside; sooner where it was foreseen."""
        known = self._foreseen.get(packed)
        return self.risk(unpack_vector(packed)) if known is None else known

    def risk(self, vector: Sequence[float]) -> float:
        """Return the probability of churn, 0 to 1.

        Args:
            vector: the features in the order of `guide.names`; what is not finite or beyond `INPUT_MAX` is
                clipped as in learning.

        Raises:
            ValueError: the vector has another length than the guide.
        """
        logit = self.logit(vector)
        if logit >= 0.0:  # `sigmoid`, and in `logit` `clipped_logit`, in place: every look pays for a call
            return 1.0 / (1.0 + exp(-logit))
        grown = exp(logit)
        return grown / (1.0 + grown)

    def logit(self, vector: Sequence[float]) -> float:
        """Return the logit of the risk; see `risk`. About 3 µs where 30 features have a say."""
        if len(vector) != len(self._logs):
            raise ValueError(f"a vector of {len(vector)} features, but the guide has {len(self._logs)}")
        logit = self._logistic_at_zero
        p = self._within_at_zero
        for place, is_log, u, v in self._terms:
            x = vector[place]
            if x:
                # What `transform` does with nearly all there is, in place: a call per feature would double the time of a score.
                t = (log1p(x) if is_log else x) if 0.0 < x <= INPUT_MAX else transform(x, is_log=is_log)
                logit += u * t
                p += v * t
        if p < PROBABILITY_MIN:
            p = PROBABILITY_MIN
        elif p > PROBABILITY_MAX:
            p = PROBABILITY_MAX
        w, v = self._weights
        return w * logit + v * log(p / (1.0 - p))

    def contributions(self, vector: Sequence[float]) -> list[float]:
        """Return how much each feature moves the logit away from the average customer's (`bias`).

        They add up: bias + sum of contributions = logit. The logistic part is linear, so its shares are plain.
        The regression's shares, linear in the probability, are stretched by the slope of the secant of the logit
        between the average customer and this one.
        """
        return self._parts([transform(x, is_log=is_log) for x, is_log in zip(vector, self._logs, strict=True)])

    def usual(self, segment: str) -> list[float]:
        """Return the contributions of the mean customer of a segment; of the average customer, 0 all, where none is known."""
        means = self.guide.peers.get(segment)
        return [0.0] * len(self._logs) if means is None else self._parts([mean / UNIT for mean in means])

    def _parts(self, transformed: Sequence[float]) -> list[float]:
        guide = self.guide
        away = [x - mean for x, mean in zip(transformed, guide.means, strict=True)]
        shares = [slope * d for slope, d in zip(guide.within.slopes, away, strict=True)]
        moved = sum(shares)
        p = guide.within.at_mean
        if abs(moved) > 1e-9:
            stretch = (clipped_logit(p + moved) - clipped_logit(p)) / moved
        else:
            stretch = 1.0 / max(p * (1.0 - p), PROBABILITY_MIN * (1.0 - PROBABILITY_MIN))
        parts = zip(guide.logistic.slopes, away, shares, strict=True)
        w, v = guide.weights
        return [w * slope * d + v * stretch * share for slope, d, share in parts]


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))
