"""How good predictions were, exactly: figures over rows of scored snapshots. Pure, on numpy arrays.

A row is one snapshot of one customer: what was said at the instant (`risk`) and what came of it (`label`). Rows are sorted by
instant, so that those of one instant (a week's, by default) stand together:

    taken_ms   t1 t1 t1 | t2 t2 t2 t2 | t3 …        figures "within a week" are means over such groups
    customer    0  4  7    0  2  4  9    1

Ranks are exact here; the live figures of `models.prequential` come from a sketch with a stated error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.measures import exact_quality, roc_auc, top_precision
from streams.time import DAY_MS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Figures = dict[str, float | int | None]

REGULAR_ORDER_DAYS: Final = 5
"""From so many order days on a customer is a regular: one of those worth saving."""

BEFORE_DAYS: Final = 30
"""A warning so long before the last order counts as having caught the leaver."""

CENSORED: Final = -1


@dataclass(frozen=True, slots=True)
class Rows:
    """Scored snapshots, sorted by instant, then customer. All arrays have one entry a row.

    Attributes:
        names: customer ids; `customer` are places in it.
        customer: whose.
        taken_ms: instant of the snapshot.
        matured_ms: when its label was known; 0 where it is not.
        risk: what was said, 0 to 1.
        version: of the model that said it; 0 for the silence rule.
        label: 1 churned, 0 stayed, `CENSORED` not known.
        segment: the customer's then.
        order_days: days with an order until then.
        silence_days: whole days since the last of them.
        gap_days: mean gap between them, 0 below two.
        vectors: the packed features then.
    """

    names: tuple[str, ...]
    customer: Ints
    taken_ms: Ints
    matured_ms: Ints
    risk: Floats
    version: Ints
    label: Ints
    segment: NDArray[np.str_]
    order_days: Ints
    silence_days: Floats
    gap_days: Floats
    vectors: NDArray[np.object_]

    def __len__(self) -> int:
        return self.taken_ms.size

    def where(self, mask: Mask) -> Rows:
        """Return the rows for which `mask` is true, in the same order."""
        arrays = {name: getattr(self, name)[mask] for name in self.__slots__ if name != "names"}
        return replace(self, **arrays)

    @property
    def regular(self) -> Mask:
        """Which rows are of regulars."""
        return self.order_days >= REGULAR_ORDER_DAYS


@dataclass(frozen=True, slots=True)
class Span:
    """What is evaluated: snapshots taken from `from_ms` on whose horizon had passed when the log ended, at `last_ms`.

    `active_ms` is for how long after the last order customers are looked at, as in the question.
    """

    from_ms: int
    last_ms: int
    horizon_ms: int
    active_ms: int

    @property
    def for_good_ms(self) -> int:
        """Silence after which a customer counts as having left for good: past the last look, and the horizon after that."""
        return self.horizon_ms + self.active_ms

    def complete(self, taken_ms: Ints) -> Mask:
        """Which snapshots' horizons had passed by the end.

        The others are censored, even where a cancellation has told the label early: of them, only those who left would count.
        """
        return np.asarray(taken_ms + self.horizon_ms <= self.last_ms)

    def judged(self, rows: Rows) -> Mask:
        """Which rows are evaluated: in the span, complete, labelled, and said by a model rather than the silence rule."""
        known = (rows.label != CENSORED) & self.complete(rows.taken_ms)
        return np.asarray(known & (rows.taken_ms >= self.from_ms) & (rows.version >= 1))


def weeks(taken_ms: Ints) -> Iterator[slice]:
    """Give the rows of each instant, of sorted instants.

    >>> list(weeks(np.array([7, 7, 14])))
    [slice(0, 2, None), slice(2, 3, None)]
    """
    starts = np.flatnonzero(np.diff(taken_ms, prepend=taken_ms[:1] - 1)).tolist()
    yield from (slice(start, end) for start, end in pairwise([*starts, taken_ms.size]))


def groups(risk: Floats, label: Ints) -> tuple[Ints, Ints]:
    """Count (churned, stayed) per distinct risk, rising, as `models.measures` wants them."""
    values, place = np.unique(risk, return_inverse=True)
    churned = np.bincount(place, weights=label, minlength=values.size).astype(np.int64)
    return churned, np.bincount(place, minlength=values.size) - churned


def weekly(
    measure: Callable[[Ints, Ints], float | None], risk: Floats, label: Ints, taken_ms: Ints
) -> list[tuple[int, float]]:
    """Return (instant, measure) for each instant for which it is defined; see `groups` for what the measure gets."""
    found = ((int(taken_ms[week][0]), measure(*groups(risk[week], label[week]))) for week in weeks(taken_ms))
    return [(at_ms, value) for at_ms, value in found if value is not None]


def lift(churned: Ints, stayed: Ints) -> float | None:
    """Return the churn rate of the riskiest tenth over that of all; None where nobody churned.

    >>> lift(np.array([0, 1]), np.array([9, 0]))
    10.0
    """
    hit, base = top_precision(churned, stayed), churned.sum()
    return float(hit * (base + stayed.sum()) / base) if hit is not None and base else None


def mean(found: list[tuple[int, float]]) -> float | None:
    """Return the mean of weekly figures; None of none."""
    return sum(value for _, value in found) / len(found) if found else None


def figures(risk: Floats, label: Ints, taken_ms: Ints, *, probability: bool = True) -> Figures:
    """Return the figures of one block, `None` where one is not defined.

    Args:
        risk: what was said; any number where `probability` is false, then log loss, Brier score and ECE are None.
        label: 1 churned, 0 stayed.
        taken_ms: instants, ascending.
        probability: whether the risks are meant as probabilities.

    Returns:
        `roc_auc`, `pr_auc`, `log_loss`, `brier`, `ece` over all rows; `weekly_auc` and `lift_10` (the riskiest tenth) as
        means over the instants; `precision_10`, that tenth's churn rate, likewise; `examples` and `base_rate`.
    """
    whole = exact_quality(risk, label)
    return {
        "roc_auc": whole.auc,
        "weekly_auc": mean(weekly(roc_auc, risk, label, taken_ms)),
        "pr_auc": whole.pr_auc,
        "lift_10": mean(weekly(lift, risk, label, taken_ms)),
        "log_loss": whole.log_loss if probability else None,
        "brier": whole.brier if probability else None,
        "ece": whole.ece if probability else None,
        "precision_10": mean(weekly(top_precision, risk, label, taken_ms)),
        "examples": whole.examples,
        "base_rate": whole.base_rate,
    }


def figures_of(rows: Rows) -> Figures:
    """Return the figures of what was really said."""
    return figures(rows.risk, rows.label, rows.taken_ms)


def riskiest(risk: Floats, taken_ms: Ints, share: float) -> Mask:
    """Which rows are among the riskiest `share` of their instant (at least one a week); of ties, the first rows."""
    chosen = np.zeros(risk.size, dtype=np.bool_)
    for week in weeks(taken_ms):
        count = max(1, int((week.stop - week.start) * share + 0.5))
        chosen[week.start + np.argsort(-risk[week], kind="stable")[:count]] = True
    return chosen


def regulars_who_left(orders: Mapping[str, list[tuple[int, float]]], span: Span, quiet_ms: int) -> dict[str, int]:
    """Return customer to last order, of regulars whose last order lies in the span with `quiet_ms` of log or more after it."""
    last = {customer: placed[-1][0] for customer, placed in orders.items() if placed}
    return {
        customer: last_ms
        for customer, last_ms in last.items()
        if span.from_ms <= last_ms <= span.last_ms - quiet_ms
        and len({at_ms // DAY_MS for at_ms, _ in orders[customer]}) >= REGULAR_ORDER_DAYS
    }


def early_catch(rows: Rows, risk: Floats, left: Mapping[str, int], days: int, share: float = 0.1) -> float | None:
    """Return the share of regulars who left for good that were warned about in time; None where none left.

    Warned about means: among the riskiest `share` of the regulars of an instant between `BEFORE_DAYS` before and `days` after
    the last order. `rows` are all rows that a model spoke about, censored ones too: a ranking needs no label.
    """
    if not left:
        return None
    mask = rows.regular
    regular, risk = rows.where(mask), risk[mask]
    last_ms = np.array([left.get(name, -1) for name in rows.names], dtype=np.int64)[regular.customer]
    after_ms = regular.taken_ms - last_ms
    hit = riskiest(risk, regular.taken_ms, share) & (last_ms >= 0)
    hit &= (after_ms >= -BEFORE_DAYS * DAY_MS) & (after_ms <= days * DAY_MS)
    return len(set(regular.customer[hit].tolist())) / len(left)
