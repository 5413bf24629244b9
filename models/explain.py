"""Why a risk is what it is: the features that move it most, from a scorer's contributions."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cause:
    """A feature's part in a score.

    Attributes:
        name: the feature.
        value: its value, in its own unit.
        contribution: how far it moves the logit away from the average customer's.
        weight: its share of everything that moves the logit the same way, 0 to 1.
    """

    name: str
    value: float
    contribution: float
    weight: float


def causes(
    names: Sequence[str], values: Sequence[float], contributions: Sequence[float], *, limit: int, rising: bool = True
) -> list[Cause]:
    """Return the features that raise the risk most (or, not `rising`, lower it most), strongest first.

    Equal contributions come in the order of `names`. Features that do not move the risk that way are left out.

    >>> causes(["a", "b", "c"], [5.0, 1.0, 0.0], [0.25, -2.0, 0.75], limit=1)
    [Cause(name='c', value=0.0, contribution=0.75, weight=0.75)]
    """
    sign = 1.0 if rising else -1.0
    moving = [
        (sign * contribution, name, value)
        for name, value, contribution in zip(names, values, contributions, strict=True)
        if sign * contribution > 0.0
    ]
    total = sum(strength for strength, _, _ in moving)
    strongest = heapq.nlargest(limit, moving, key=lambda entry: entry[0])
    return [Cause(name, value, sign * strength, strength / total) for strength, name, value in strongest]
