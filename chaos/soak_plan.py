"""What a soak is made of: how its minutes are divided, and the settings of the worker under test. Pure.

filling   history as fast as the worker takes it in, a bounded number of events ahead of it, until everything that has a bound
is full: days, event ids, guides, the history of models. Its memory is no burst's memory, so it hides nothing
steady    the rate asked for; what memory does here is what counts
burst     ten times the rate
after     the rate again: lag and memory have this long to fall back
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from chaos.logs import ALERTING
from churnwatch.services import Services
from churnwatch.settings import Settings

RATE: Final = 500.0
DAYS_PER_SECOND: Final = 1.0
BURST_FACTOR: Final = 10.0
MINUTES_MIN: Final = 1.0
PARTITIONS: Final = 4
SAMPLE_SECONDS: Final = 2.0

FILL_DAYS: Final = 520.0
"""By then all that is kept by the day, the week or the guide is full: 500 guides of a day each is the longest."""

FILL_SHARE_MAX: Final = 1 / 3
FILL_AHEAD: Final = 3_000
"""Events that the producer is ahead of the worker while filling."""

BURST_SECONDS_MAX: Final = 60.0
BURST_SHARE: Final = 0.1
AFTER_SECONDS_MAX: Final = 120.0
AFTER_SHARE: Final = 0.125
RECOVERY_FACTOR: Final = 10.0
"""A burst of ten times the rate is worked off in as many times its length by a worker that can do twice the rate."""

LAG_BACK_FACTOR: Final = 3.0
LAG_BACK_SECONDS: Final = 2.0
LAG_MAX_REAL: Final = 1_000_000
LAG_MAX_EMBEDDED: Final = 60_000
"""Events not yet taken in at which the producer waits. librdkafka's broker keeps 5 MB a partition and drops the rest unsaid."""

RETENTION: Final = {"retention.ms": "600000", "segment.ms": "60000", "segment.bytes": "8388608"}
"""For the topics: enough for the worst lag of a burst, and little enough that the log turns over too."""

QUICK: Final[dict[str, Any]] = ALERTING | {
    "horizon_ms": "14d",
    "active_ms": "28d",
    "expiry_ms": "60d",
    "model_interval_ms": "1d",
    "cache_customers_max": 400,
    "buffer_bytes_max": 8 << 20,
    "clock": "replay",
}
"""Labels ripen, models are cut, alerts open and close, the cache is too small, buffers fill and customers expire, all within minutes."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The phases in seconds.

    `fill_max` is part of `until_burst`: what filling does not need is steady load. `recovery_max` comes on top of the minutes asked
    for: how fast lag falls depends on the machine.
    """

    fill_max: float
    until_burst: float
    burst: float
    after: float
    recovery_max: float


def plan(minutes: float) -> Plan:
    """Divide the minutes.

    >>> plan(30)
    Plan(fill_max=600.0, until_burst=1620.0, burst=60.0, after=120.0, recovery_max=600.0)
    >>> plan(2)
    Plan(fill_max=40.0, until_burst=93.0, burst=12.0, after=15.0, recovery_max=120.0)
    """
    total = 60.0 * minutes
    burst = min(BURST_SECONDS_MAX, total * BURST_SHARE)
    after = min(AFTER_SECONDS_MAX, total * AFTER_SHARE)
    return Plan(total * FILL_SHARE_MAX, total - burst - after, burst, after, RECOVERY_FACTOR * burst)


def lag_usual(lags: Sequence[int], rate: float) -> float:
    """Give the lag at which a burst counts as worked off: a few times what was usual before, or what comes in two seconds.

    >>> lag_usual([10, 400, 500], rate=500.0)
    1200.0
    """
    return max(LAG_BACK_FACTOR * median(lags or [0]), LAG_BACK_SECONDS * rate)


def settings(services: Services, web_port: int) -> Settings:
    """Give the settings of the worker under test."""
    return Settings(
        kafka_bootstrap=services.bootstrap,
        kafka_timeout_ms="30s",
        kafka_group_id="soak-workers",
        redis_url=services.redis_url,
        redis_namespace="soak",
        topic_prefix="soak.",
        topic_partitions=PARTITIONS,
        web_port=web_port,
        **QUICK,
    )
