"""Why: what the reasons of an alert are made of, taken from the customer's state. Costly, so only where an alert goes out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from alerts.causes import FeatureEffect
from alerts.counterfactual import Change
from alerts.wording import counted
from features.catalog import CATALOG
from features.state import Activity
from features.suppose import open_tickets, with_order, with_tickets_closed, with_visit
from features.vector import vector
from models.labels import unpack_vector
from models.scorer import Scorer


def effects_of(figures: Sequence[float], past: bytes | None, segment: str, scorer: Scorer) -> list[FeatureEffect]:
    """Return what each feature does to the risk: against the customer's own past and against the mean customer of the segment.

    Held against the average, regulars look safe in everything; what has changed for them is what a team can act on.

    Args:
        figures: the feature vector.
        past: the packed vector to hold it against; None where there is none.
        segment: the customer's.
        scorer: who speaks.
    """
    shares = scorer.contributions(figures)
    apart = [share - usual for share, usual in zip(shares, scorer.usual(segment), strict=True)]
    changed = apart
    if past is not None:
        before = scorer.contributions(unpack_vector(past))
        changed = [now - then for now, then in zip(shares, before, strict=True)]
    return [
        FeatureEffect(
            feature.name, feature.family, share, figure, feature.default, feature.unit, feature.meaning, besides
        )
        for feature, share, figure, besides in zip(CATALOG, changed, figures, apart, strict=True)
    ]


def changes_of(activity: Activity, at_ms: int, scorer: Scorer) -> Iterator[Change]:
    """Give the changes that might bring the risk down, the smallest first, each with what the model says of it."""

    def risk(supposed: Activity) -> float:
        return scorer.risk(vector(supposed, at_ms + 1))

    if activity.last_login_ms is not None:
        yield Change("a visit now", lambda: risk(with_visit(activity, at_ms)))
    tickets = open_tickets(activity, at_ms)
    if tickets:
        closing = f"closing the {'open ticket' if tickets == 1 else counted(tickets, 'open ticket')}"
        yield Change(closing, lambda: risk(with_tickets_closed(activity, at_ms)))
    yield Change("an order now", lambda: risk(with_order(activity, at_ms)))
    if tickets:
        both = f"an order now and {closing}"
        yield Change(both, lambda: risk(with_order(with_tickets_closed(activity, at_ms), at_ms)))
