"""Which guide a scoring uses: the worker's side of the learner.

Live, that is the newest guide there is. In replay a year passes in seconds, so "newest" must be meant in event time, or a replay would
score the whole log with a model that has seen nothing, and never twice the same way:

```
 event time   ...|---- epoch e-1 ----|---- epoch e ----|---- epoch e+1 ----|
 a scoring in epoch e uses the guide of boundary start(e-1): everything that had matured by then, nothing later.
 the learner has finished boundary L  ->  partitions may run up to, not into, epoch(L) + 2.
```

So a replay is a function of the log alone, whatever the number of workers and however they are scheduled.
"""

from __future__ import annotations

from bisect import bisect_right

from models.guide import Guide, check_features
from models.scorer import Scorer

GUIDES_MAX = 256
NOTHING_YET_MS = -(1 << 61)
"""The limit before the learner has said anything."""


class GuideBook:
    """The guides known to this worker; `epoch_ms` is the length of an epoch in replay, None where the clock is live."""

    def __init__(self, initial: Guide, epoch_ms: int | None = None) -> None:
        self._epoch_ms = epoch_ms
        self._initial = Scorer(initial)
        self._boundaries: list[int] = []
        self._scorers: list[Scorer] = []
        self._learnt_until_ms: int | None = None
        self._pinned: Scorer | None = None
        self._epoch = 0
        self._speaks: Scorer | None = None
        """Who speaks in `_epoch`: nearly all of a step's scorings lie in the same one. None where it has to be found out."""

    @property
    def latest(self) -> Scorer:
        """The newest guide's scorer, or the pinned one's."""
        if self._pinned is not None:
            return self._pinned
        return self._scorers[-1] if self._scorers else self._initial

    @property
    def learnt_until_ms(self) -> int | None:
        """Event time up to which the learner has finished; None before it has said so."""
        return self._learnt_until_ms

    def add(self, boundary_ms: int, guide: Guide) -> None:
        """Take up a guide that speaks from `boundary_ms` on; boundaries come in ascending order.

        Raises StateError where it was learnt from other features than the initial one.
        """
        self._check(guide)
        if self._boundaries and boundary_ms <= self._boundaries[-1]:
            return
        self._boundaries.append(boundary_ms)
        self._scorers.append(Scorer(guide))
        self._speaks = None
        if len(self._boundaries) > GUIDES_MAX:
            del self._boundaries[0], self._scorers[0]

    def begin_again(self) -> None:
        """The learner goes on from other lives, perhaps from nothing. In replay nobody may use what it is yet to learn.

        Live, what was learnt speaks on until the new learner is as far.
        """
        if self._epoch_ms is not None:
            self._boundaries.clear()
            self._scorers.clear()
            self._learnt_until_ms = self._speaks = None

    def known(self, boundary_ms: int) -> bool:
        """Whether the guide of this boundary, or a later one, has been taken up."""
        return bool(self._boundaries) and boundary_ms <= self._boundaries[-1]

    def finished(self, learnt_until_ms: int) -> None:
        """The learner is done with everything up to here: all guides up to here have been added."""
        if self._learnt_until_ms is None or learnt_until_ms > self._learnt_until_ms:
            self._learnt_until_ms = learnt_until_ms

    def pin(self, guide: Guide | None) -> None:
        """Score with this guide alone (a roll back, a frozen model), or again as it is learnt (None); raises as `add`."""
        if guide is not None:
            self._check(guide)
        self._pinned = None if guide is None else Scorer(guide)

    def _check(self, guide: Guide) -> None:
        check_features(guide, self._initial.guide.names, self._initial.guide.scales)

    def at(self, as_of_ms: int) -> Scorer:
        """The scorer for a scoring at this instant of event time."""
        if self._pinned is not None:
            return self._pinned
        if not self._scorers:
            return self._initial
        if self._epoch_ms is None:
            return self._scorers[-1]
        epoch = as_of_ms // self._epoch_ms
        if epoch == self._epoch and self._speaks is not None:
            return self._speaks
        place = bisect_right(self._boundaries, (epoch - 1) * self._epoch_ms)
        self._epoch, self._speaks = epoch, self._scorers[place - 1] if place else self._initial
        return self._speaks

    def holds(self, head_ms: int | None) -> bool:
        """Whether a record of this event time has to wait for the learner."""
        limit_ms = self.limit_ms()
        return limit_ms is not None and head_ms is not None and head_ms >= limit_ms

    def limit_ms(self) -> int | None:
        """In replay, the instant that no scoring may reach yet; None where nothing holds the partitions back."""
        if self._epoch_ms is None:
            return None
        if self._learnt_until_ms is None:
            return NOTHING_YET_MS
        return (self._learnt_until_ms // self._epoch_ms + 2) * self._epoch_ms
