"""The policy: the figures that alerting goes by. `decide` acts on it, `budget` sets the thresholds within it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from alerts.episode import Basis
from alerts.segments import SEGMENTS
from streams.errors import ConfigError
from streams.time import DAY_MS

LANES: Final = {
    (segment, basis): segment if basis == "model" else f"rule/{segment}"
    for segment in SEGMENTS
    for basis in ("model", "rule")
}
"""Thresholds are kept per lane: a segment, under the model or under the rule, for their risks are not comparable."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How alerts are raised. Risks, floors and hysteresis are in 0 to 1, instants and spans in milliseconds.

    Attributes:
        floors: per segment, no alert below this risk; a segment left out has 0.6. Loyal customers rarely reach what is
            ordinary among newcomers, so one floor for all would never warn about them. They lie below the thresholds that the
            budget asks for in most shops, and keep it from going to people far safer than their segment where a shop is small.
        hysteresis: how far the risk must fall below the threshold for an episode to resolve.
        cool_down_ms: rest after an episode before the next may open.
        cool_down_break: whether a band higher than the last episode's ends the rest at once.
        min_order_days: distinct days with an order before a customer can be warned about.
        min_silence_ms: nobody is warned about sooner after the last order (or whatever counts as staying): it would
            read absurd, and many order again within days.
        daily_budget: about so many episodes a day may open, over all segments.
        shares: per segment, its part of the budget, as a part of their sum; what a segment cannot use goes to the
            others. One left out gets nothing.
        earliness: how much change counts beside level (see `change`): 1 in full, 0 not at all.
        value_weight: how much value counts beside risk (see `change`), in log-odds for each time that it is e times the typical one.
        high_value_share: about this part of the customers counts as of high value.
        holdout_share: part of the customers who are not treated.
        salt: decides who they are.
        reminder_ms: after how long an alert that nobody has taken is told once more, where the team reports at all; 0: never.
        snooze_ms: length of a snooze that does not state its end.
        resolve_on_return: whether an order (or whatever counts as staying) closes the episode by itself.
    """

    floors: Mapping[str, float] = field(
        default_factory=lambda: {"new": 0.5, "loyal": 0.3, "high_value": 0.3, "standard": 0.5}
    )
    hysteresis: float = 0.1
    cool_down_ms: int = 14 * DAY_MS
    cool_down_break: bool = False
    min_order_days: int = 2
    min_silence_ms: int = 7 * DAY_MS
    daily_budget: float = 40.0
    shares: Mapping[str, float] = field(
        default_factory=lambda: {"new": 0.1, "loyal": 0.35, "high_value": 0.35, "standard": 0.2}
    )
    earliness: float = 0.75
    value_weight: float = 0.5
    high_value_share: float = 0.1
    holdout_share: float = 0.1
    salt: str = "churnwatch"
    reminder_ms: int = 3 * DAY_MS
    snooze_ms: int = 7 * DAY_MS
    resolve_on_return: bool = True

    def __post_init__(self) -> None:
        for name in ("floors", "shares"):
            given: Mapping[str, float] = getattr(self, name)
            if not set(given) <= set(SEGMENTS) or not all(0.0 <= value <= 1.0 for value in given.values()):
                raise ConfigError(f"{name} must give numbers from 0 to 1 for segments among {', '.join(SEGMENTS)}")
        if not sum(self.shares.values()):
            raise ConfigError("no segment has a share of the daily budget: raise one")
        if not all(0.0 <= value <= 1.0 for value in (self.hysteresis, self.high_value_share, self.holdout_share)):
            raise ConfigError("hysteresis, high_value_share and holdout_share must lie in 0 to 1")
        amounts = (
            self.cool_down_ms,
            self.min_silence_ms,
            self.snooze_ms,
            self.reminder_ms,
            self.min_order_days,
            self.daily_budget,
        )
        if min(*amounts, self.earliness, self.value_weight) < 0:
            raise ConfigError(
                "spans of time, min_order_days, daily_budget, earliness and value_weight must not be negative"
            )

    def floor(self, segment: str) -> float:
        """Return the risk below which nobody of the segment is alerted."""
        return self.floors.get(segment, 0.6)

    def cold_threshold(self, segment: str) -> float:
        """Return the threshold while nothing is known about the segment's risks: half way from the floor to 1."""
        return (1.0 + self.floor(segment)) / 2.0

    def exit(self, threshold: float) -> float:
        """Return the risk below which an episode under `threshold` resolves."""
        return max(threshold - self.hysteresis, threshold / 2.0)


def threshold_for(thresholds: Mapping[str, float], segment: str, basis: Basis, policy: Policy) -> float:
    """Return the threshold that holds now: the guide's for this lane, else the cold one."""
    found = thresholds.get(LANES[segment, basis])
    return policy.cold_threshold(segment) if found is None else found
