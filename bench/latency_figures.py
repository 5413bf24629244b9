"""What a run's latencies come to: percentiles, and the time by stage. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from churnwatch.scrape import Scrape

QUANTILES: Final = {"p50": 0.5, "p99": 0.99, "p99_9": 0.999}
REST: Final = "the rest"
"""What no stage accounts for, such as the way from the broker to whoever listens."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Latencies in milliseconds: how many there are, the percentiles by name, the mean and the longest."""

    samples: int
    percentiles: Mapping[str, float]
    mean: float
    longest: float

    def told(self) -> dict[str, Any]:
        """Give them as they stand in the result file."""
        return {"samples": self.samples, "mean": round(self.mean, 1), "max": round(self.longest, 1)} | {
            name: round(value, 1) for name, value in self.percentiles.items()
        }


def figures(latencies_ms: Sequence[float]) -> Figures:
    """Reckon the percentiles, by nearest rank: each is a latency that was met.

    >>> figures([4.0, 1.0, 3.0, 2.0]).percentiles["p50"]
    2.0

    Raises ValueError where there are none.
    """
    if not latencies_ms:
        raise ValueError("there are no latencies to reckon with")
    ranked = sorted(latencies_ms)
    return Figures(
        len(ranked),
        {name: ranked[ceil(share * len(ranked)) - 1] for name, share in QUANTILES.items()},
        sum(ranked) / len(ranked),
        ranked[-1],
    )


def after_warm_up(heard: Sequence[tuple[int, int]], warm_ms: int) -> list[float]:
    """Give the latencies of what was sent `warm_ms` or more after the first; `heard` is (sent, arrived), epoch ms.

    >>> after_warm_up([(1000, 1900), (2500, 2504)], 1000)
    [4.0]
    """
    begin_ms = min((sent for sent, _ in heard), default=0) + warm_ms
    return [float(arrived - sent) for sent, arrived in heard if sent >= begin_ms]


def stage_ms(before: Scrape, after: Scrape, stages: Sequence[str]) -> dict[str, float]:
    """Give the mean milliseconds of each stage for one step (or one outbox batch) between two looks."""
    found = {}
    for stage in stages:
        seconds, count = (
            after.sum(f"churnwatch_stage_seconds_{part}", stage=stage)
            - before.sum(f"churnwatch_stage_seconds_{part}", stage=stage)
            for part in ("sum", "count")
        )
        if count:
            found[stage] = 1000 * seconds / count
    return found


def events_per_step(before: Scrape, after: Scrape) -> float:
    """Give the mean events of a step between two looks."""
    events, steps = (
        after.sum(f"churnwatch_chunk_events_{part}") - before.sum(f"churnwatch_chunk_events_{part}")
        for part in ("sum", "count")
    )
    return events / steps if steps else 0.0
