"""The rivals that learn in batch: refitted every four weeks on all labels known by then, on the product's own feature vectors.

    rows matured by the refit --> transform --> fit --> risks of the snapshots taken in the four weeks that follow

A refit sees a label no sooner than the product does: once it has matured.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from churnwatch.compose import SCALES
from churnwatch.evaluation import CENSORED, Floats, Rows
from churnwatch.report.rivals import refits
from models.labels import INPUT_MAX

Matrix = NDArray[np.float64]
Make = Callable[[], Any]

CLASSES: Final = 2
THREADS: Final = 2
SEED: Final = 7


def matrix(rows: Rows) -> Matrix:
    """Return the features of every row as the product's models see them: clipped, log1p (sign kept) where the catalogue says so."""
    raw = np.frombuffer(b"".join(rows.vectors.tolist()), dtype="<f4").reshape(len(rows), len(SCALES))
    figures = np.clip(raw.astype(np.float64), -INPUT_MAX, INPUT_MAX)
    logs = np.array([scale == "log" for scale in SCALES])
    figures[:, logs] = np.sign(figures[:, logs]) * np.log1p(np.abs(figures[:, logs]))
    return figures


def logistic() -> Any:
    """Return an untrained logistic regression on standardised features."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(solver="newton-cholesky"))


def trees() -> Any:
    """Return untrained boosted trees: small ones with many rows a leaf, which did best on logs of this size."""
    from lightgbm import LGBMClassifier

    return LGBMClassifier(
        n_estimators=150,
        learning_rate=0.05,
        num_leaves=7,
        min_child_samples=500,
        n_jobs=THREADS,
        random_state=SEED,
        deterministic=True,
        verbose=-1,
    )


def by_batch(rows: Rows, figures: Matrix, from_ms: int, make: Make, step: Callable[[int], None]) -> Floats:
    """Return risks of the rows from `from_ms` on; NaN before, and where no refit had both outcomes to learn from yet.

    Args:
        rows: every scored snapshot, sorted by instant.
        figures: their features (`matrix`).
        from_ms: when the first refit may be.
        make: gives an untrained model with scikit-learn's `fit` and `predict_proba`.
        step: told the instant of each refit.
    """
    risk = np.full(len(rows), np.nan)
    for at_ms, mask in refits(rows.taken_ms, from_ms):
        step(at_ms)
        known = (rows.label != CENSORED) & (rows.matured_ms <= at_ms)
        if len(set(rows.label[known].tolist())) == CLASSES and mask.any():
            with np.errstate(
                invalid="ignore"
            ):  # the scaler takes the root of a constant's variance before it sets it aside
                model = make().fit(figures[known], rows.label[known])
            risk[mask] = model.predict_proba(figures[mask])[:, 1]
    return risk
