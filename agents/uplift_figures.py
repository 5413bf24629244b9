"""The values of the metrics of uplift: treated against held out, all customers and by segment, from the learner's ledger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from alerts.ledger import Ledger
from alerts.uplift import Uplift, assess, assess_rows, months_in, trials_in

MONTHS: Final = 12
"""So many of the latest months are told: who looks at a dashboard wants to know whether acting helps now."""

Sample = tuple[str, float, tuple[str, ...]]


def uplift_samples(ledger: Ledger) -> Iterator[Sample]:
    """Give (metric, value, values of its labels); what cannot be compared is left out."""
    months = dict.fromkeys(list(months_in(ledger))[-MONTHS:])
    rows = trials_in(ledger, "segment", months)
    if not rows:
        return
    yield from _group("all", assess({key: pair for cells in rows.values() for key, pair in cells.items()}))
    for segment, found in assess_rows(rows).items():
        yield from _group(segment, found)


def _group(group: str, found: Uplift) -> Iterator[Sample]:
    yield "churnwatch_uplift_customers", found.treated, (group, "treated")
    yield "churnwatch_uplift_customers", found.held, (group, "held")
    if found.retention is not None:
        for bound, value in found.retention.times(100)._asdict().items():
            yield "churnwatch_uplift_retention_points", value, (group, bound)
    if found.spend_saved is not None:
        for bound, value in found.spend_saved._asdict().items():
            yield "churnwatch_uplift_saved_amount", value, (group, bound)
