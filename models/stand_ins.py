"""Who counts in place of the treated, so that a model learns what would come of customers whom nobody touches.

    examples that a warning reached:   treated          0 times    what came of them came of the treatment
                                       held out         1 + treated / held out times
                                       merely warned    1 time

Left out alone, the treated would be missed: a warning comes to those who stay silent, so of the customers of a week who were much
alike, those who had ordered again would remain and those who were about to leave would be gone from the books (informative
censoring). The held-out were warned about by the same rule and chosen by lot, so they stand for all of them: each counts the
inverse of the chance of not being treated (Robins and Finkelstein, "Correcting for noncompliance and dependent censoring",
Biometrics 56, 2000). `studies/treated.py` has the figures.

While fewer than `STAND_INS_MIN` were held out, everybody who was warned about and not treated stands in; while those are too few
as well (a team that treats all and holds nobody out), the treated count as they are: nobody else can tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from typing import Annotated, Final

import msgspec

from models.labels import HELD_OUT, TREATED, UNTOUCHED, WARNED
from streams.bounds import Share

STAND_INS_MIN: Final = 20.0
TIMES_MAX: Final = 20.0
"""No example counts more: a handful of customers would be the model's whole idea of risk."""

KEPT: Final = 1.0 - 1.0 / 2_000
"""What the counts keep with each further example that a warning reached: a team's habits change, these follow its last 2,000 or so."""

Counted = Annotated[float, msgspec.Meta(ge=0.0, le=1.0 / (1.0 - KEPT) + 1.0)]


class StandIns(msgspec.Struct, array_like=True):
    """Counts the latest examples that a warning reached, and tells how often each is to be learnt.

    Attributes:
        treated, held, warned: so many of the latest, an older one counting less.
        owed: what is left of a whole time, for the next one that counts more than once.

    >>> latest = StandIns()
    >>> [sum(latest.times([TREATED] * 9 + [HELD_OUT])) for _ in range(60)][-5:]
    [10, 10, 10, 10, 10]
    """

    treated: Counted = 0.0
    held: Counted = 0.0
    warned: Counted = 0.0
    owed: Share = 0.0

    def times(self, reaches: Sequence[int]) -> list[int]:
        """Return how often each of some examples counts, in the order of learning; `reaches` as in `labels.Reach`."""
        return [1 if reach == UNTOUCHED else self._times(reach) for reach in reaches]

    def _times(self, reach: int) -> int:
        self.treated = KEPT * self.treated + (reach == TREATED)
        self.held = KEPT * self.held + (reach == HELD_OUT)
        self.warned = KEPT * self.warned + (reach == WARNED)
        by_lot = self.held >= STAND_INS_MIN
        standing = self.held if by_lot else self.held + self.warned
        if standing < STAND_INS_MIN:
            return 1
        if reach == TREATED:
            return 0
        if reach == WARNED and by_lot:
            return 1
        self.owed += min(1.0 + self.treated / standing, TIMES_MAX)
        times = floor(self.owed)
        self.owed -= times
        return times
