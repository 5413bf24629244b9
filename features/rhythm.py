"""A customer's own rhythm: the gaps between the days on which they came, and how odd the present silence is beside them.

The indices are those of the BG/NBD model in closed form: a customer buys at a steady rate of their own, may leave after
any purchase, and rates and chances to leave differ between customers. Fader, Hardie and Lee (2005), "Counting your
customers the easy way", Marketing Science 24(2). Its sufficient statistics are the number of repeat days, the time of the
last and the age, all counted from the first day; here they come from the same `Rhythm` as the gaps.
"""

from collections.abc import Iterable
from functools import lru_cache
from math import exp, log
from typing import Final

import msgspec

from streams.bounds import Count, Day

SHAPE: Final = 0.243
RATE_DAYS: Final = 30.9
LEAVE_A: Final = 0.793
LEAVE_B: Final = 2.426
"""BG/NBD's four parameters as published for CDNOW (rate in days, not weeks). They are fixed: the model learns what weight
the index deserves, which costs nothing, whereas fitting them anew for every shop would be a second model to keep."""

HORIZON_DAYS: Final = 60
LOG_ODDS_MAX: Final = 12.0
"""Log-odds are cut off here: beyond, they tell certainties apart, and a linear model would follow them into absurdity."""

INDICES_KEPT: Final = 4_096
"""Pairs of indices that are remembered, about 1 MB."""

FEW_REPEATS: Final = 3
"""From so many repeat days on nearly every customer is one of a kind, and to remember costs more than it saves."""


class Rhythm(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Distinct days on which something happened, and the gaps between them. Days are UTC day numbers, -1 for none."""

    days: Count = 0
    first_day: Day = -1
    last_day: Day = -1
    gap_squares: Count = 0
    gap_max: Count = 0
    gap_last: Count = 0

    @property
    def span_days(self) -> int:
        """Days from the first to the last: the sum of all gaps."""
        return self.last_day - self.first_day

    @property
    def mean_gap_days(self) -> float | None:
        """Mean gap; None below two days."""
        return (self.last_day - self.first_day) / (self.days - 1) if self.days > 1 else None


NO_RHYTHM: Final = Rhythm()


def extend(rhythm: Rhythm, days: Iterable[int]) -> Rhythm:
    """`rhythm` followed by `days` (ascending, distinct, none of them in it yet).

    >>> extend(NO_RHYTHM, [100, 107, 110])
    Rhythm(days=3, first_day=100, last_day=110, gap_squares=58, gap_max=7, gap_last=3)
    """
    count, first, last = rhythm.days, rhythm.first_day, rhythm.last_day
    squares, longest, gap = rhythm.gap_squares, rhythm.gap_max, rhythm.gap_last
    for day in days:
        count += 1
        if last < 0:
            first = last = day
        elif day > last:
            gap = day - last
            last = day
            squares += gap * gap
            if gap > longest:
                longest = gap
    return Rhythm(count, first, last, squares, longest, gap)


def alive_log_odds(repeats: int, span_days: int, age_days: int) -> float:
    """Log-odds that a customer has not left, by BG/NBD.

    `repeats` days after the first, the last of them `span_days` after it, observed for `age_days` since it. Who never came
    again has had no chance to leave by the model's book, which calls them alive for certain; here they get the odds of
    staying after one.
    """
    if not repeats:
        return log(LEAVE_B / LEAVE_A)
    odds = log((LEAVE_B + repeats - 1) / LEAVE_A)
    odds -= (SHAPE + repeats) * log((RATE_DAYS + age_days) / (RATE_DAYS + span_days))
    return odds if odds > -LOG_ODDS_MAX else -LOG_ODDS_MAX


def quiet_log_odds(repeats: int, age_days: int, alive: float) -> float:
    """Log-odds of no order in the next `HORIZON_DAYS`: gone (by `alive`, log-odds), or there but not ordering.

    The second is the chance of no event of a Poisson process whose rate has the gamma posterior of `repeats` in `age_days`;
    that they might leave within the horizon is neglected.
    """
    calm = ((RATE_DAYS + age_days) / (RATE_DAYS + age_days + HORIZON_DAYS)) ** (SHAPE + repeats)
    orders = (1.0 - calm) / (1.0 + exp(-alive))
    if not 0.0 < orders < 1.0:
        return LOG_ODDS_MAX
    odds = log((1.0 - orders) / orders)
    if odds > LOG_ODDS_MAX:
        return LOG_ODDS_MAX
    return odds if odds > -LOG_ODDS_MAX else -LOG_ODDS_MAX


def indices(repeats: int, span_days: int, age_days: int) -> tuple[float, float]:
    """`alive_log_odds` and `quiet_log_odds` of one customer."""
    alive = alive_log_odds(repeats, span_days, age_days)
    return alive, quiet_log_odds(repeats, age_days, alive)


indices_of_few = lru_cache(maxsize=INDICES_KEPT)(indices)
"""The same for customers with less than `FEW_REPEATS`, who share theirs with many: two of three are known already."""
