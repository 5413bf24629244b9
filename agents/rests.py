"""How long one who has lost its state to another writer rests before it takes it back.

Two owners that do not know of each other would else take it from each other as fast as they can. One loss now and then (an
erasure, a zombie's last write) costs next to nothing; in a series each rest is twice as long as the one before.
"""

from __future__ import annotations

from typing import Final

RETRY_SECONDS_MIN: Final = 0.1
RETRY_SECONDS_MAX: Final = 5.0
CALM_SECONDS: Final = 60.0


class Rests:
    """The rests of one writer.

    >>> rests = Rests()
    >>> [rests.after_loss(second) for second in (0, 1, 2, 3, 100)]
    [0.1, 0.2, 0.4, 0.8, 0.1]
    """

    def __init__(self) -> None:
        self._seconds = RETRY_SECONDS_MIN
        self._lost_s = -CALM_SECONDS

    def after_loss(self, now_s: float) -> float:
        """Return the seconds to rest after a loss noticed now, by any clock that does not go back."""
        calm = now_s - self._lost_s >= CALM_SECONDS
        self._seconds = RETRY_SECONDS_MIN if calm else min(self._seconds * 2, RETRY_SECONDS_MAX)
        self._lost_s = now_s
        return self._seconds
