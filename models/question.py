"""The question that the model answers, and the grid of instants at which it is asked.

    asked at t:  will this customer place no order in [t, t + horizon)?

       active: an order in here            churned: no order in here
    |<---------- active_days ---------->|<---------- horizon_days ---------->|
                                        t (taken)                            t + horizon   matured

The instants t lie on one global grid (midnight UTC, every `snapshot_days` days), the same for every customer,
so that a week's snapshots can be ranked against each other. Labels are collected as soon as they are known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from streams.time import DAY_MS

MONDAY_MS: Final = 4 * DAY_MS
"""1970-01-05, the first Monday of the epoch."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of every active customer, and when.

    Attributes:
        horizon_days: how long nothing must happen for the answer to be "churned" (label 1).
        active_days: only customers with an order in so many days before are asked about.
        snapshot_days: days between two questions.
        anchor_ms: an instant of the grid; midnight UTC.
        churn_on: what must be absent, orders or any sign of life.
        horizon_ms, active_ms, snapshot_ms: the same spans in milliseconds; several are needed at every look.
    """

    horizon_days: int = 60
    active_days: int = 90
    snapshot_days: int = 7
    anchor_ms: int = MONDAY_MS
    churn_on: Literal["orders", "any"] = "orders"
    horizon_ms: int = field(init=False, repr=False, compare=False)
    active_ms: int = field(init=False, repr=False, compare=False)
    snapshot_ms: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if min(self.horizon_days, self.active_days, self.snapshot_days) < 1:
            raise ValueError("horizon_days, active_days and snapshot_days must be 1 or more")
        if self.anchor_ms % DAY_MS:
            raise ValueError("anchor_ms must be a midnight in UTC, for labels are counted in UTC days")
        object.__setattr__(self, "horizon_ms", self.horizon_days * DAY_MS)
        object.__setattr__(self, "active_ms", self.active_days * DAY_MS)
        object.__setattr__(self, "snapshot_ms", self.snapshot_days * DAY_MS)

    @property
    def pending_max(self) -> int:
        """How many snapshots of one customer can be waiting for their labels at once."""
        return self.horizon_days // self.snapshot_days + 1

    def next_snapshot_ms(self, after_ms: int) -> int:
        """Return the first instant of the grid after `after_ms`.

        >>> from streams.time import iso, parse_instant
        >>> iso(Question().next_snapshot_ms(parse_instant("1997-01-06T00:00:00Z")))
        '1997-01-13T00:00:00Z'
        """
        return after_ms + self.snapshot_ms - (after_ms - self.anchor_ms) % self.snapshot_ms

    def on_grid(self, at_ms: int) -> bool:
        """Tell whether the question is asked at this instant."""
        return (at_ms - self.anchor_ms) % self.snapshot_ms == 0

    def matures_ms(self, taken_ms: int) -> int:
        """Return when the label of a snapshot taken at `taken_ms` is known: the midnight at which its horizon is past.

        Waiting for the next snapshot instead would save a wake-up a week, and cost more than most features bring: where the
        level moves, a model that is three days fresher before every week's snapshots is worth .005 AUC.
        """
        return taken_ms + self.horizon_ms

    def asks(self, last_order_ms: int | None, at_ms: int) -> bool:
        """Tell whether a customer whose last order was at `last_order_ms` is asked about at `at_ms` (midnight).

        Counted in UTC days, like the windows of the features: the last order lies in one of the `active_days`
        whole days before `at_ms`.
        """
        if last_order_ms is None:
            return False
        return self.gone_ms(last_order_ms) >= at_ms > last_order_ms

    def gone_ms(self, last_order_ms: int) -> int:
        """Return the last midnight at which a customer with this last order is still asked about."""
        return last_order_ms - last_order_ms % DAY_MS + self.active_ms
