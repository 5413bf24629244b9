"""What other thresholds and budgets would have given: warnings replayed over the weekly snapshots, once in a spell of silence.

A spell is a customer's time from one order to the next. Under a threshold somebody is warned about at the first snapshot of a
spell with a risk at or above it; under a budget every week's riskiest are, of those not yet warned about in their spell.

    risk   .4  .6  .7 | .2 .5            threshold .5: two warnings, at .6 and at .5
           spell      | spell (after an order)

It leaves out what the product does beside (floors, cool-downs, looks between the snapshots), so read how the rows compare.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from churnwatch.evaluation import Floats, Ints, Mask, Rows, weeks
from streams.time import DAY_MS

THRESHOLDS: Final = tuple(step / 20 for step in range(6, 20))
FACTORS: Final = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True, slots=True)
class Point:
    """What one threshold or budget gives.

    Attributes:
        at: the threshold (0 to 1) or budget (warnings a day).
        per_day: warnings a day.
        precision: share of the warnings after which nothing came for the horizon; None without warnings.
        recall: share of the spells that ended so which were warned about; None without any.
    """

    at: float
    per_day: float
    precision: float | None
    recall: float | None


@dataclass(frozen=True, slots=True)
class Spells:
    """Evaluated rows with the spell that each belongs to, and the highest risk earlier in it (-1 for none)."""

    spell: Ints
    earlier: Floats
    risk: Floats
    label: Ints
    taken_ms: Ints
    snapshot_days: float


def spells(rows: Rows, risk: Floats, snapshot_ms: int) -> Spells:
    """Group labelled rows into spells of silence."""
    last_day = rows.taken_ms // DAY_MS - 1 - rows.silence_days.astype(np.int64)
    spell = np.unique(np.stack([rows.customer, last_day]), axis=1, return_inverse=True)[1].reshape(-1)
    earlier = np.full(len(rows), -1.0)
    highest = np.full(int(spell.max(initial=-1)) + 1, -1.0)
    for week in weeks(rows.taken_ms):
        here = spell[week]
        earlier[week] = highest[here]
        highest[here] = np.maximum(highest[here], risk[week])
    return Spells(spell, earlier, risk, rows.label, rows.taken_ms, snapshot_ms / DAY_MS)


def by_threshold(found: Spells, thresholds: Sequence[float] = THRESHOLDS) -> list[Point]:
    """Return what each threshold gives."""
    return [_point(found, (found.risk >= at) & (found.earlier < at), at) for at in thresholds]


def by_budget(found: Spells, budgets: Sequence[float]) -> list[Point]:
    """Return what each budget (warnings a day) gives."""
    return [_point(found, _called(found, round(budget * found.snapshot_days)), budget) for budget in budgets]


def _called(found: Spells, per_week: int) -> Mask:
    called = np.zeros(found.risk.size, dtype=np.bool_)
    done = np.zeros(int(found.spell.max(initial=-1)) + 1, dtype=np.bool_)
    for week in weeks(found.taken_ms):
        free = np.flatnonzero(~done[found.spell[week]]) + week.start
        chosen = free[np.argsort(-found.risk[free], kind="stable")[: max(per_week, 1)]]
        called[chosen] = True
        done[found.spell[chosen]] = True
    return called


def _point(found: Spells, called: Mask, at: float) -> Point:
    snapshots = sum(1 for _ in weeks(found.taken_ms))
    lost = np.unique(found.spell[found.label == 1])
    hit = np.isin(lost, found.spell[called])
    return Point(
        at=at,
        per_day=float(called.sum() / (snapshots * found.snapshot_days)) if snapshots else 0.0,
        precision=float(found.label[called].mean()) if called.any() else None,
        recall=float(hit.mean()) if lost.size else None,
    )
