"""How the model stands, beyond the figures of the whole: what travels with a guide for people and metrics to read."""

from __future__ import annotations

import msgspec

from models.candidates import Promotion, Trial
from models.drift import Drift
from models.measures import Reliability
from models.verdict import Verdict
from streams.bounds import Finite


class Standing(msgspec.Struct, frozen=True):
    """As of the guide that it travels with; nothing in it decides anything.

    Attributes:
        verdict: the band and its reason.
        segments: segment to all-time figures, named as in `Guide.quality`.
        reliability: the rolling reliability curve.
        trials: how every challenger stands against the champion.
        promotions: the latest changes of champion, oldest first.
        drift: what has moved away from what the model learnt from.
    """

    verdict: Verdict = Verdict()
    segments: dict[str, dict[str, Finite]] = {}
    reliability: list[Reliability] = []
    trials: list[Trial] = []
    promotions: list[Promotion] = []
    drift: Drift = Drift()
