"""Change and value as well as level: when the same risk is news, when it is old, and when there is more at stake in it.

    risk of one customer, silent since day 0, horizon 60 days

    day        7     14     21     28     35     42     49     56     63     70
    risk     .22    .31    .42    .52    .59    .63    .66    .68    .70    .71
    lift    +.25   +.47   +.48   +.40   +.24   +.07   -.03   -.13   -.18   -.29     log-odds, added before a threshold is asked

Ranked by level alone, the riskiest are those who have been silent longest: told about when nothing is left to save. So a
risk far above the customer's own of a week ago is lifted, and one that rests on a long silence is lowered: whoever was
to be warned about has been by then. Both terms are bounded, and the lift never brings anybody above a floor who is
below it.

On CDNOW and Online Retail II (regulars who left for good, the riskiest tenth of regulars a week) this finds 43 % by 45
days, 58 % by 30 days after the last order, where level alone finds 22 % and 44 %; of that tenth 67 % and 65 % churn
instead of 68 % and 65 %. Twice the lift: 59 % and 64 %, of whom 63 % and 64 %. Half of it: 31 % and 51 %, at no cost. The settings default to three quarters.
A mean over four or nine weeks as what is usual, a customer's own highest or lowest: all less found, for more.

Of two customers at the same risk, the one who spends more is to be told about first. So the logarithm of the value over what is
typical counts too (`worth`), in the same log-odds, times `Policy.value_weight`: at a half, whoever spends seven times as much is asked
about like one with nearly three times the odds. Typical values are of the ordinary customer and of the ordinary one of high value,
from the learner's counts, for thresholds are kept by segment.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, log
from typing import Any, Final

RISE_MAX: Final = 0.5
"""A week's rise by more, in log-odds, counts as this much: a model that is still young makes wild ones."""
STALE_MAX: Final = 0.5
"""What is taken off in the end, in log-odds."""
STALE_FROM: Final = 0.5
"""Silence is old news from this part of the horizon on; one horizon later it is so wholly."""

WORTH_MAX: Final = 2.0
"""A value of more than e² = 7.4 times the typical one counts as that, and of less than a seventh likewise: else one customer who is
worth a thousand others would be alerted at any risk, and those worth little at none."""

_RISK_MIN: Final = 1e-6
_RISK_MAX: Final = 1.0 - _RISK_MIN
_VALUE_MIN: Final = 1e-9
_VALUE_MAX: Final = 1e12
_TYPICAL_VALUES: Final = 2


def lift(risk: float, before: float | None, silence_days: float, horizon_days: float) -> float:
    """Return by how much, in log-odds, the news in a risk raises it (less than 0: lowers it), -0.5 to 0.5.

    Args:
        risk: now, 0 to 1.
        before: at the latest snapshot, as the present model has it; None where there is none.
        silence_days: since the last order (or whatever counts as staying).
        horizon_days: the question's.

    >>> round(lift(0.45, 0.35, 20, 60), 3), lift(0.7, 0.7, 90, 60)
    (0.418, -0.5)
    """
    rise = 0.0
    if before is not None and risk > before:
        rise = min(max(log_odds(risk) - log_odds(before), 0.0), RISE_MAX)
    stale = silence_days / horizon_days - STALE_FROM
    if stale <= 0.0:
        return rise
    return rise - (stale if stale < 1.0 else 1.0) * STALE_MAX


def worth(value: float, typical: float | None) -> float:
    """Return how far a value stands above the typical one, as a natural logarithm within ±`WORTH_MAX`; 0 where that is unknown.

    >>> round(worth(300.0, 100.0), 3), worth(0.0, 100.0), worth(300.0, None)
    (1.099, -2.0, 0.0)
    """
    if not typical:
        return 0.0
    above = log((_VALUE_MIN if value < _VALUE_MIN else value) / typical)
    if above < -WORTH_MAX:
        return -WORTH_MAX
    return above if above < WORTH_MAX else WORTH_MAX


def typical_in(extra: Mapping[str, Any], segment: str) -> float | None:
    """Return the typical value that a guide tells of in its `extra` for a segment; None where it tells of none, or nonsense.

    >>> known = {"typical_values": [80.0, 900.0]}
    >>> typical_in(known, "loyal"), typical_in(known, "high_value"), typical_in({}, "loyal")
    (80.0, 900.0, None)
    """
    known = extra.get("typical_values")
    if not isinstance(known, list | tuple) or len(known) != _TYPICAL_VALUES:
        return None
    found = known[segment == "high_value"]
    return float(found) if isinstance(found, int | float) and _VALUE_MIN <= found <= _VALUE_MAX else None


def lifted(risk: float, by: float, floor: float) -> float:
    """Return what thresholds are asked about: the risk moved by a lift, but for one below the floor, which is not raised.

    >>> round(lifted(0.5, 0.4, 0.4), 3), lifted(0.39, 0.4, 0.4)
    (0.599, 0.39)
    """
    if not by or (by > 0.0 and risk < floor):
        return risk
    # `log_odds` and `probability`, in place: every look pays for a call.
    known = _RISK_MIN if risk < _RISK_MIN else risk if risk < _RISK_MAX else _RISK_MAX
    return 1.0 / (1.0 + exp(-(log(known / (1.0 - known)) + by)))


def own_threshold(threshold: float, by: float, risk: float, floor: float) -> float:
    """Return the threshold in terms of the risk itself, for one whose lifted risk has reached `threshold`.

    Never below the floor where the threshold is not, nor above the risk.

    >>> round(own_threshold(0.6, 0.4, 0.52, 0.4), 3)
    0.501
    """
    if not by:
        return threshold
    return min(max(probability(log_odds(threshold) - by), min(floor, threshold)), risk)


def log_odds(risk: float) -> float:
    """Return the log-odds of a risk; of one nearer to 0 or 1 than a millionth, those at a millionth.

    >>> log_odds(0.5), log_odds(0.0) == log_odds(1e-6)
    (0.0, True)
    """
    if risk < _RISK_MIN:
        risk = _RISK_MIN
    elif risk > _RISK_MAX:
        risk = _RISK_MAX
    return log(risk / (1.0 - risk))


def probability(logit: float) -> float:
    """Return the risk of these log-odds.

    >>> probability(0.0)
    0.5
    """
    return 1.0 / (1.0 + exp(-logit))
