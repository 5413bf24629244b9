"""The verdict on a comparison of retention: helped, harmed, no difference that matters, or not yet enough to tell.

An interval of 95 % holds for one look at a moment that was fixed beforehand. A command and a dashboard are looked at whenever
somebody likes, and whoever stops at the first good day finds an effect where there is none: with a look a month for one year,
in one shop of ten (`make study NAME=uplift`). So the verdict goes by a bound that holds for all looks together
(`intervals.always_valid_margin`): with no true effect, `helped` is ever said in at most half of `ALPHA` of the shops. The price
is about twice as many customers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from alerts.intervals import Z_95, Stratum, always_valid_margin, share_difference, share_error

ALPHA: Final = 0.05
"""Risk of a verdict that is wrong, ever: half of it for `helped`, half for `harmed`."""

MATTERS: Final = 0.02
"""A difference of retention that is smaller, 2 points, is none that matters."""

ARM_MIN: Final = 20
"""With fewer customers in an arm nothing is said at all."""

FACTOR_MAX: Final = 1_000.0

Kind = Literal["helped", "harmed", "no_difference", "unknown"]


class Verdict(NamedTuple):
    """What can be said.

    Attributes:
        kind: the verdict.
        low, high: bounds of the difference that hold however often one looks; -1 and 1 where nothing is known.
        more: about how many more trials it takes for a verdict, if the difference is as it looks; 0 where there is one, None
            where that cannot be told.
    """

    kind: Kind
    low: float = -1.0
    high: float = 1.0
    more: int | None = None


def judge(strata: Sequence[Stratum], treated: int, held: int, alpha: float = ALPHA) -> Verdict:
    """Return the verdict on all strata together.

    Args:
        strata: see `uplift.strata_of`.
        treated: concluded trials of the treated.
        held: of those held out.
        alpha: the risk that it is wrong, ever.
    """
    found = share_difference(strata)
    if found is None or min(treated, held) < ARM_MIN:
        return Verdict("unknown")
    difference = found.estimate
    margin = always_valid_margin((found.high - found.low) / (2.0 * Z_95), alpha)
    low, high = max(difference - margin, -1.0), min(difference + margin, 1.0)
    # Against "no effect" the spread is taken as it would be without one, which is what makes few customers safe.
    null = share_error(strata)
    if null and abs(difference) > always_valid_margin(null, alpha):
        return Verdict("helped" if difference > 0 else "harmed", low, high, 0)
    if low > -MATTERS and high < MATTERS:
        return Verdict("no_difference", low, high, 0)
    return Verdict("unknown", low, high, _more(difference, null, treated + held, alpha))


def _more(difference: float, error: float, trials: int, alpha: float) -> int | None:
    """How many more trials, all else as it is, would make the difference told apart from none, or too small to matter."""
    factor = 1.0
    while factor <= FACTOR_MAX:
        margin = always_valid_margin(error / math.sqrt(factor), alpha)
        if abs(difference) > margin or abs(difference) + margin < MATTERS:
            return math.ceil(trials * (factor - 1.0))
        factor *= 1.02
    return None
