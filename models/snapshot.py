"""The model as data: its numbers taken out, and put back into a fresh one.

No pickle: reading a snapshot can build numbers and nothing else, and does not break when River rewrites its classes
(river #1869). A model put back continues bit for bit as the one that was taken would have.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from models.envelope import Envelope
from models.guide import Scale
from models.linear import Vector
from models.pipeline import ChurnModel
from streams.errors import Corrupt, StateError

MODEL_SCHEMA: Final = 1


class ModelState(msgspec.Struct, array_like=True, frozen=True):
    """Numbers of a model over n features, as little-endian 64-bit floats.

    Shapes: means, variances, weights, squares (n); natural_mean (n + 1); precision ((n + 1)(n + 2) / 2), the upper
    triangle of the matrix row by row.
    """

    fingerprint: str
    examples: int
    means: bytes
    variances: bytes
    weights: bytes
    squares: bytes
    intercept: float
    natural_mean: bytes
    precision: bytes


def fingerprint(names: Sequence[str], scales: Sequence[Scale]) -> str:
    """Return what tells one list of features from another."""
    text = "\n".join(f"{name} {scale}" for name, scale in zip(names, scales, strict=True))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


_envelope = Envelope(ModelState, MODEL_SCHEMA, "the stored model state", "delete it to learn anew")


def dump_model(model: ChurnModel) -> bytes:
    """Return the model's numbers: about 17 kB for 60 features."""
    scaler, logistic, regression = model.scaler, model.logistic, model.regression
    state = ModelState(
        fingerprint=fingerprint(model.names, model.scales),
        examples=scaler.count,
        means=_packed(scaler.means),
        variances=_packed(scaler.variances),
        weights=_packed(logistic.weights),
        squares=_packed(logistic.squares),
        intercept=logistic.intercept,
        natural_mean=_packed(regression.natural_mean),
        precision=_packed(regression.precision[np.triu_indices(len(model.names) + 1)]),
    )
    return _envelope.encode(state)


def load_model(value: bytes, names: Sequence[str], scales: Sequence[Scale]) -> ChurnModel:
    """Return the model whose numbers `dump_model` wrote.

    Raises:
        NewerSchema: a newer Churnwatch wrote it.
        Corrupt: it is not such a snapshot.
        StateError: it is of other features than `names` and `scales`.
    """
    state = _envelope.decode(value)
    if state.fingerprint != fingerprint(names, scales):
        raise StateError("the stored model was learnt from other features: delete its state to learn anew")
    model = ChurnModel(names, scales)
    size = len(names)
    scaler, logistic, regression = model.scaler, model.logistic, model.regression
    scaler.count = state.examples
    scaler.means = _unpacked(state.means, size)
    scaler.variances = _unpacked(state.variances, size)
    logistic.weights = _unpacked(state.weights, size)
    logistic.squares = _unpacked(state.squares, size)
    logistic.intercept = state.intercept
    regression.natural_mean = _unpacked(state.natural_mean, size + 1)
    upper = np.triu_indices(size + 1)
    regression.precision[upper] = _unpacked(state.precision, len(upper[0]))
    return model


def _packed(numbers: Vector) -> bytes:
    return np.ascontiguousarray(numbers, dtype="<f8").tobytes()


def _unpacked(packed: bytes, size: int) -> Vector:
    if len(packed) == 8 * size:
        numbers = np.frombuffer(packed, dtype="<f8").astype(np.float64)
        if np.isfinite(numbers).all():
            return numbers
    raise Corrupt("the stored model state's parts do not fit together: delete it to learn anew")
