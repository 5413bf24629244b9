"""A guide in the terms of alerting: what every look at a customer needs of it, worked out once and not at each look.

    thresholds, value cut, extra  ──►  Terms  ──►  the Lane of the customer's segment  ──►  the level to be asked about

What the figures mean is told where they are defined (`policy`, `segments`, `value`, `change`, `heard`); tests hold the two to each
other, bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alerts.change import log_odds, probability, typical_in
from alerts.episode import Basis
from alerts.heard import is_heard
from alerts.policy import Policy, threshold_for
from alerts.segments import DEFAULT_RULES, SEGMENTS, SegmentRules, frequent_in, segment_of
from alerts.value import buying_in


@dataclass(frozen=True, slots=True)
class Lane:
    """How the customers of one segment are judged.

    Attributes:
        segment: one of `SEGMENTS`.
        threshold: the one that holds (`policy.threshold_for`).
        typical: what such customers are worth (`change.typical_in`); None where unknown, and under the rule, which knows no value.
        threshold_log_odds: of the threshold.
        lowest: no lift brings the threshold below this.
    """

    segment: str
    threshold: float
    typical: float | None
    threshold_log_odds: float
    lowest: float

    def level(self, by: float) -> float:
        """Return the threshold for one whose risk is lifted by so much: `change.own_threshold`, whatever the risk is."""
        if not by:
            return self.threshold
        level = probability(self.threshold_log_odds - by)
        return level if level > self.lowest else self.lowest


class Terms:
    """What a guide says, under a policy.

    Attributes:
        basis: what risks rest on.
        buying: how the population buys.
        heard: whether the team reports outcomes.

    >>> terms = Terms(Policy(), "model", {"loyal": 0.55}, 300.0, {"typical_values": [80.0, 900.0]})
    >>> lane = terms.lane(tenure_days=400.0, order_days=9, value=80.0, override=None)
    >>> lane.segment, lane.threshold, lane.typical, round(lane.level(0.2), 3)
    ('loyal', 0.55, 80.0, 0.5)
    """

    __slots__ = ("_lanes", "_rules", "_value_cut", "basis", "buying", "heard")

    def __init__(
        self,
        policy: Policy,
        basis: Basis,
        thresholds: Mapping[str, float],
        value_cut: float | None,
        extra: Mapping[str, Any],
    ) -> None:
        self.basis: Basis = basis
        self.buying = buying_in(extra)
        self.heard = is_heard(extra)
        self._value_cut = value_cut
        self._rules = SegmentRules(regular_order_days=max(DEFAULT_RULES.regular_order_days, frequent_in(extra)))
        self._lanes = {segment: _lane(segment, policy, basis, thresholds, extra) for segment in SEGMENTS}

    def lane(self, *, tenure_days: float, order_days: int, value: float, override: str | None) -> Lane:
        """Return the customer's lane; the arguments are those of `segments.segment_of`."""
        segment = segment_of(
            tenure_days=tenure_days,
            order_days=order_days,
            value=value,
            value_cut=self._value_cut,
            override=override,
            rules=self._rules,
        )
        return self._lanes[segment]


def _lane(
    segment: str, policy: Policy, basis: Basis, thresholds: Mapping[str, float], extra: Mapping[str, Any]
) -> Lane:
    threshold = threshold_for(thresholds, segment, basis, policy)
    typical = typical_in(extra, segment) if basis == "model" else None
    return Lane(segment, threshold, typical, log_odds(threshold), min(policy.floor(segment), threshold))
