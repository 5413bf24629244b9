"""How often one may ask: a token bucket for each of those who do, and no more of them kept than memory allows."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

KEPT_MAX: Final = 10_000


@dataclass(slots=True)
class RateLimit:
    """`burst` requests at once, and `per_second` from then on, for each key. `clock` is monotonic, in seconds.

    >>> limit = RateLimit(burst=2, per_second=1.0, clock=lambda: 0.0)
    >>> limit.wait_seconds("ann"), limit.wait_seconds("ann"), limit.wait_seconds("ann"), limit.wait_seconds("bob")
    (0.0, 0.0, 1.0, 0.0)
    """

    burst: int
    per_second: float
    clock: Callable[[], float]
    _buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def wait_seconds(self, key: str) -> float:
        """Take one request of `key`; return 0 where it may go on, else in how many seconds another may come."""
        now = self.clock()
        left, seen = self._buckets.pop(key, (float(self.burst), now))
        left = min(left + (now - seen) * self.per_second, float(self.burst))
        allowed = left >= 1.0
        self._buckets[key] = (left - 1.0 if allowed else left, now)
        while len(self._buckets) > KEPT_MAX:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1.0 - left) / self.per_second
