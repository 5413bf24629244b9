"""What the learner tells every worker: how to score, and what is known of all customers together.

A guide is data: a few kilobytes of numbers, learnt from the examples that had matured by one instant of event
time. Workers that hold the same guide decide alike. `scorer.Scorer` turns it into a fast function.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from models.envelope import Envelope
from models.standing import Standing
from streams.bounds import ClockMs, Count, Finite, Share, Tally
from streams.errors import Corrupt, StateError

GUIDE_SCHEMA: Final = 2
"""2: blended by `weights`; a program that knows 1 would take halves, and say other risks than the learner judges."""

Scale = Literal["log", "linear"]
"""How a feature enters the model: `log` as sign(x)·log1p(|x|), `linear` as it is."""


class Linear(msgspec.Struct, array_like=True, frozen=True):
    """A linear function of the transformed features, centred on the population.

    Attributes:
        at_mean: its value for a customer whose every feature is the population's mean.
        slopes: change per unit of each transformed feature (the scaler's division is folded in).
    """

    at_mean: Finite
    slopes: tuple[Finite, ...]


class Guide(msgspec.Struct, frozen=True):
    """Everything that a worker needs to score and decide, as of one instant of event time.

    Attributes:
        version: 0 for the initial guide, then rising.
        learnt_until_ms: examples matured up to here have been learnt, statistics up to here counted.
        examples: labels learnt so far.
        base_rate: share of churned among them; 0.5 while there are none.
        ready: enough labels were seen for alerts to rest on the model; until then the silence rule speaks.
        names: the features, in the order of the vectors.
        scales: how each enters the model.
        means: mean of each transformed feature in the population.
        logistic: the logistic regression; its value is a logit.
        within: the regression on 0/1 within weeks; its value is a probability before clipping.
        recipe: name of the champion among the candidates (`candidates`), which blends the two.
        weights: how: what the logistic regression's logit counts, and the regression's within weeks.
        thresholds: segment to the risk from which a customer counts; empty while unknown.
        value_cut: value from which a customer counts as of high value; None while unknown.
        extra: whatever else the injected statistics (`learner.Extra`) derive; plain data.
        quality: prequential figures of what was said, by name.
        standing: what else is to be told of the model; nothing is decided by it.
        peers: segment to its mean customer, in thousandths of the transformed features (`peers`).
    """

    version: Count
    learnt_until_ms: ClockMs
    examples: Count
    base_rate: Share
    ready: bool
    names: tuple[str, ...]
    scales: tuple[Scale, ...]
    means: tuple[Finite, ...]
    logistic: Linear
    within: Linear
    recipe: str = "mean"
    weights: tuple[Finite, Finite] = (0.5, 0.5)
    thresholds: dict[str, Share] = {}
    value_cut: Finite | None = None
    extra: dict[str, Any] = {}
    quality: dict[str, Finite] = {}
    standing: Standing = Standing()
    peers: dict[str, tuple[Tally, ...]] = {}


def initial_guide(names: Sequence[str], scales: Sequence[Scale]) -> Guide:
    """Return the guide of version 0, from before anything was learnt. Its risk is 0.5 for everybody.

    >>> initial_guide(["orders_30d"], ["log"]).ready
    False
    """
    flat = (0.0,) * len(names)
    return Guide(
        version=0,
        learnt_until_ms=0,
        examples=0,
        base_rate=0.5,
        ready=False,
        names=tuple(names),
        scales=tuple(scales),
        means=flat,
        logistic=Linear(0.0, flat),
        within=Linear(0.5, flat),
    )


def check_features(guide: Guide, names: Sequence[str], scales: Sequence[Scale]) -> None:
    """Raise `StateError` unless the guide was learnt from just these features: it would score nonsense."""
    if guide.names != tuple(names) or guide.scales != tuple(scales):
        raise StateError(
            f"model {guide.version} was learnt from other features than this program computes: "
            "run the same version of it everywhere, or delete the learner's keys to learn anew"
        )


_envelope = Envelope(
    Guide, GUIDE_SCHEMA, "the stored model", "delete it, and the model before it scores", oldest=GUIDE_SCHEMA
)


def encode_guide(guide: Guide) -> bytes:
    """Return the guide's bytes: about 4 kB for 73 features, and more with what `standing` tells."""
    return _envelope.encode(guide)


def decode_guide(value: bytes) -> Guide:
    """Return the guide in `value`. Only data is read: no code can run.

    Raises:
        NewerSchema: a newer Churnwatch wrote it.
        Corrupt: it is not a guide, or its parts do not fit together.
    """
    guide = _envelope.decode(value)
    parts = (guide.scales, guide.means, guide.logistic.slopes, guide.within.slopes, *guide.peers.values())
    if any(len(part) != len(guide.names) for part in parts):
        raise Corrupt("the stored model's parts differ in length: delete it, and the model before it scores")
    return guide
