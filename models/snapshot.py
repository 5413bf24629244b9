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
from streams.bounds import ClockMs, Count, Finite
from streams.errors import Corrupt, StateError

MODEL_SCHEMA: Final = 2

NUMBER_MAX: Final = 1e36
"""Inputs are within 1e9, so no sum of their squares gets here."""

SLOPE_MAX: Final = 1e20
"""Below what a guide may hold."""

MISFIT: Final = "the stored model state's parts do not fit together: delete it to learn anew"


class ModelState(msgspec.Struct, array_like=True, frozen=True):
    """Numbers of a model over n features, as little-endian 64-bit floats.

    Shapes: means, variances, weights, squares, sums, churned_sums, between_labels (n); products and between
    (n (n + 1) / 2), the upper triangles row by row; groups: key to rows, churned, sums (n).
    """

    fingerprint: str
    examples: Count
    means: bytes
    variances: bytes
    weights: bytes
    squares: bytes
    intercept: Finite
    rows: Count
    churned: Count
    products: bytes
    sums: bytes
    churned_sums: bytes
    between: bytes
    between_labels: bytes
    groups: dict[ClockMs, tuple[Count, Count, bytes]]


def fingerprint(names: Sequence[str], scales: Sequence[Scale]) -> str:
    """Return what tells one list of features from another."""
    text = "\n".join(f"{name} {scale}" for name, scale in zip(names, scales, strict=True))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


_envelope = Envelope(ModelState, MODEL_SCHEMA, "the stored model state", "delete it to learn anew", oldest=MODEL_SCHEMA)


def dump_model(model: ChurnModel) -> bytes:
    """Return the model's numbers: about 60 kB for 73 features."""
    scaler, logistic, within = model.scaler, model.logistic, model.within
    upper = np.triu_indices(len(model.names))
    state = ModelState(
        fingerprint=fingerprint(model.names, model.scales),
        examples=scaler.count,
        means=_packed(scaler.means),
        variances=_packed(scaler.variances),
        weights=_packed(logistic.weights),
        squares=_packed(logistic.squares),
        intercept=logistic.intercept,
        rows=within.rows,
        churned=within.churned,
        products=_packed(within.products[upper]),
        sums=_packed(within.sums),
        churned_sums=_packed(within.churned_sums),
        between=_packed(within.between[upper]),
        between_labels=_packed(within.between_labels),
        groups={key: (rows, churned, _packed(sums)) for key, (rows, churned, sums) in sorted(within.groups.items())},
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
    scaler, logistic, within = model.scaler, model.logistic, model.within
    upper = np.triu_indices(size)
    scaler.count = state.examples
    scaler.means = _unpacked(state.means, size)
    scaler.variances = _unpacked(state.variances, size)
    logistic.weights = _unpacked(state.weights, size)
    logistic.squares = _unpacked(state.squares, size)
    logistic.intercept = state.intercept
    within.rows, within.churned = state.rows, state.churned
    within.products[upper] = _unpacked(state.products, len(upper[0]))
    within.sums = _unpacked(state.sums, size)
    within.churned_sums = _unpacked(state.churned_sums, size)
    within.between[upper] = _unpacked(state.between, len(upper[0]))
    within.between_labels = _unpacked(state.between_labels, size)
    within.groups = {key: (rows, churned, _unpacked(sums, size)) for key, (rows, churned, sums) in state.groups.items()}
    _check(model)
    return model


def _check(model: ChurnModel) -> None:
    """Raise `Corrupt` where the numbers can be no model's: it would go on to learn, and say, nonsense."""
    scaler, logistic, within = model.scaler, model.logistic, model.within
    possible = min(scaler.variances.min(), logistic.squares.min(), np.diagonal(within.products).min()) >= 0.0
    possible = possible and all(rows > 0 for rows, _, _ in within.groups.values()) and within.churned <= within.rows
    if not possible or (np.abs(within.folded()[1]) > SLOPE_MAX).any():
        raise Corrupt(MISFIT)


def _packed(numbers: Vector) -> bytes:
    return np.ascontiguousarray(numbers, dtype="<f8").tobytes()


def _unpacked(packed: bytes, size: int) -> Vector:
    if len(packed) == 8 * size:
        numbers = np.frombuffer(packed, dtype="<f8").astype(np.float64)
        if (np.abs(numbers) <= NUMBER_MAX).all():  # which what is no number is not, either
            return numbers
    raise Corrupt(MISFIT)
