"""The River model as data: its numbers taken out, and put back into fresh River objects.

No pickle: reading a snapshot can build numbers and nothing else, and does not break when River rewrites its classes
(river #1869). A model put back continues bit for bit as the one that was taken would have.

What is kept of each part:
    StandardScaler             count, mean and variance per feature
    LogisticRegression         weight per feature, intercept
    AdaGrad                    sum of squared gradients per feature, iterations
    BayesianLinearRegression   precision and covariance matrix (row by row), natural mean
"""

# ruff: noqa: SLF001 - River has no public way to take a model's numbers out and put them back

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from river.utils import VectorDict

from models.envelope import Envelope
from models.guide import Scale
from models.pipeline import CONSTANT, ChurnModel
from streams.errors import Corrupt, StateError

MODEL_SCHEMA: Final = 1


class ModelState(msgspec.Struct, array_like=True, frozen=True):
    """Numbers of a model over n features, of which k are awake (see `ChurnModel`).

    Shapes: resting (n); awake, means, variances, weights, squared_gradients (k), in the order of waking;
    natural_mean (m) and matrices (m, m), row by row as little-endian 64-bit floats: all features, the constant, and
    what room River leaves beyond (m > n). All are empty before the first example.
    """

    fingerprint: str
    examples: int
    resting: list[float]
    awake: list[int]
    means: list[float]
    variances: list[float]
    weights: list[float]
    intercept: float
    squared_gradients: list[float]
    precision: bytes
    covariance: bytes
    natural_mean: list[float]


def fingerprint(names: Sequence[str], scales: Sequence[Scale]) -> str:
    """Return what tells one list of features from another."""
    text = "\n".join(f"{name} {scale}" for name, scale in zip(names, scales, strict=True))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


_envelope = Envelope(ModelState, MODEL_SCHEMA, "the stored model state", "delete it to learn anew")


def dump_model(model: ChurnModel) -> bytes:
    """Return the model's numbers: about 60 kB for 60 features."""
    names = [model.names[place] for place in model.awake]
    weights = model.logistic.weights
    gradients = model.logistic.optimizer.g2
    regression: Any = model.regression
    state = ModelState(
        fingerprint=fingerprint(model.names, model.scales),
        examples=model.examples,
        resting=list(model.resting),
        awake=list(model.awake),
        means=[model.scaler.means[name] for name in names],
        variances=[model.scaler.vars[name] for name in names],
        weights=[weights[name] for name in names],
        intercept=float(model.logistic.intercept),
        squared_gradients=[gradients[name] for name in names],
        precision=_packed(regression._ss_arr),
        covariance=_packed(regression._ss_inv_arr),
        natural_mean=regression._eta_arr.tolist(),
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
    if state.examples:
        _check(state, len(names))
        _restore(model, state)
    return model


def _check(state: ModelState, features: int) -> None:
    awake, room = len(state.awake), len(state.natural_mean)
    per_awake = (state.means, state.variances, state.weights, state.squared_gradients)
    if (
        len(state.resting) != features
        or len(set(state.awake).intersection(range(features))) != awake
        or any(len(part) != awake for part in per_awake)
        or {len(state.precision), len(state.covariance)} != {8 * room * room}
        or room <= features
    ):
        raise Corrupt("the stored model state's parts do not fit together: delete it to learn anew")


def _restore(model: ChurnModel, state: ModelState) -> None:
    scaler, logistic = model.scaler, model.logistic
    regression: Any = model.regression
    model.examples = state.examples
    model.resting = tuple(state.resting)
    model.wake(state.awake)
    names = [model.names[place] for place in state.awake]
    scaler.means.update(zip(names, state.means, strict=True))
    scaler.vars.update(zip(names, state.variances, strict=True))
    logistic._weights = VectorDict(dict(zip(names, state.weights, strict=True)))
    logistic.intercept = state.intercept
    logistic.optimizer.g2.update(zip(names, state.squared_gradients, strict=True))
    logistic.optimizer.n_iterations = state.examples
    room = len(state.natural_mean)
    regression._idx = {name: place for place, name in enumerate((*model.names, CONSTANT))}
    regression._cap = room
    regression._ss_arr = _unpacked(state.precision, room)
    # River updates the covariance in place through BLAS, which needs it in columns.
    regression._ss_inv_arr = np.asfortranarray(_unpacked(state.covariance, room))
    regression._eta_arr = np.array(state.natural_mean)
    regression._m_dirty = True


def _packed(matrix: NDArray[np.float64]) -> bytes:
    return np.ascontiguousarray(matrix, dtype="<f8").tobytes()


def _unpacked(packed: bytes, size: int) -> NDArray[np.float64]:
    return np.frombuffer(packed, dtype="<f8").reshape(size, size).astype(np.float64)
