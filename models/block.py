"""Examples that are learnt together, as columns: a week's mature at one instant, and numpy counts them a hundred times quicker.

rows (n)  ->  risks, labels, versions, taken (n)   inputs (n, features)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from models.labels import INPUT_MAX, Example
from streams.bounds import Count, InstantMs, Share

Waiting = tuple[InstantMs, InstantMs, str, Annotated[int, Meta(ge=0, le=7)], Share, Count, str, bytes]
"""An example in the order of learning: matured, taken, customer, answer, risk, version, segment, vector.

The answer is the label and, twice, the reach (`labels.Reach`): so what an earlier release has stored can still be read.
"""


def makes_sense(example: Example, features: int) -> bool:
    """Tell whether an example can be learnt by a model of so many features."""
    return (
        len(example.vector) == 4 * features
        and example.label in {0, 1}
        and 0.0 <= example.risk <= 1.0
        and 0 <= example.taken_ms <= example.matured_ms
    )


def in_order(example: Example) -> Waiting:
    """Return the example with what decides its place in the order of learning in front."""
    return (
        example.matured_ms,
        example.taken_ms,
        example.customer,
        example.label + 2 * example.reach,
        example.risk,
        example.version,
        example.segment,
        example.vector,
    )


class Block(NamedTuple):
    """Columns of n examples, in the order of learning.

    Attributes:
        taken_ms, labels, versions: as in `labels.Example`; int64 (n).
        risks: what was said; float64 (n).
        segments: the customers' segments, as objects (n).
        inputs: the features, as they were; float64 (n, features), finite and within `labels.INPUT_MAX`.
        reaches: what reached each (`labels.Reach`); int64 (n).
    """

    taken_ms: NDArray[np.int64]
    labels: NDArray[np.int64]
    versions: NDArray[np.int64]
    risks: NDArray[np.float64]
    segments: NDArray[np.object_]
    inputs: NDArray[np.float64]
    reaches: NDArray[np.int64]

    def where(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Block:
        """Return the rows that are True in `rows`, or those at the places in it."""
        return Block(
            self.taken_ms[rows],
            self.labels[rows],
            self.versions[rows],
            self.risks[rows],
            self.segments[rows],
            self.inputs[rows],
            self.reaches[rows],
        )


def block(waiting: Sequence[Waiting]) -> Block:
    """Return the examples as columns; there must be one at least, and all vectors of one length."""
    _, taken_ms, _, answers, risks, versions, segments, vectors = zip(*waiting, strict=True)
    packed = np.frombuffer(b"".join(vectors), dtype="<f4").reshape(len(waiting), -1).astype(np.float64)
    answered = np.array(answers, dtype=np.int64)
    return Block(
        np.array(taken_ms, dtype=np.int64),
        answered % 2,
        np.array(versions, dtype=np.int64),
        np.array(risks, dtype=np.float64),
        np.array(segments, dtype=object),
        np.clip(np.nan_to_num(packed, nan=0.0, posinf=INPUT_MAX, neginf=-INPUT_MAX), -INPUT_MAX, INPUT_MAX),
        answered // 2,
    )
