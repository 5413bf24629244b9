"""What to buy for so many events a second and so many customers, worked out from what `make bench` has measured. Pure but for `main`.

1. An event costs what it cost a worker in scenario `growth`: less where the customer is in memory, more where it comes from Redis.
2. On the day of the weekly snapshot all customers are looked at. That is meant to be done within an hour, beside the events.
3. A worker is to be busy half the time: there latency was measured, and what a worker that has died did can be taken over.
4. A Redis primary holds so much as can be copied and restarted within minutes; a partition lies on one primary, whole.
5. There is one learner, on one core: an example of each customer a week.

    python -m bench.sizing [--check] [FILE]      # writes the tables of docs/scaling.md
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any, Final

from bench import report
from churnwatch.settings import Settings
from churnwatch.written_page import write_or_check
from streams.errors import ChurnwatchError

PAGE: Final = Path("docs/scaling.md")
BEGIN: Final = "<!-- Written by `python -m bench.sizing` from bench/results/latest.json. Edit that, not this. -->"
END: Final = "<!-- end -->"
UNMEASURED: Final = "Not measured yet: `make bench ONLY=growth`, then `python -m bench.sizing`."

RATES: Final = (1, 100, 10_000)
CUSTOMERS: Final = (100_000, 10_000_000, 100_000_000, 1_000_000_000)
BUSY: Final = 0.5
SNAPSHOT_SECONDS: Final = 3_600
"""Within which all customers are looked at, once a week."""

LEARN_US: Final = 21.0
"""Judging an example and learning it (docs/architecture.md)."""

WEEK_SECONDS: Final = 7 * 86_400
LEARNER_SECONDS_MAX: Final = 86_400
"""A week's examples mature together; the model is to know them within a day."""

WORKERS_MIN: Final = 2
"""So that one takes over within CHURNWATCH_KAFKA_SESSION when the other dies."""

PARTITIONS_MIN: Final = 12
PARTITIONS_MAX: Final = 1_024
PARTITIONS_PER_WORKER: Final = 4
REDIS_HEADROOM: Final = 1.5
"""Memory to buy for a byte in use: fragmentation, and the copy that rewriting the log makes of what changes meanwhile."""

PRIMARY_BYTES: Final = 24e9
"""In use on one primary."""

PARTITION_BYTES_MAX: Final = 2e9
MEGA: Final = 1e6
GIGA: Final = 1e9


@dataclass(frozen=True, slots=True)
class Measured:
    """What a machine has shown.

    Attributes:
        cached_us, missing_us: processor time of a worker for an event of a customer in memory, and of one who is not.
        redis_bytes: of a customer in Redis, wake-up and key included.
        memory_bytes: of a customer in a worker's memory.
        worker_bytes: of a worker without customers.
        look_us: processor time of one customer's wake-up on the day of the weekly snapshot.
    """

    cached_us: float
    missing_us: float
    redis_bytes: float
    memory_bytes: float
    worker_bytes: float
    look_us: float


@dataclass(frozen=True, slots=True)
class Purchase:
    """What to buy, and what gives way next.

    Attributes:
        workers: processes, a core each.
        partitions: of each input topic.
        primaries: Redis primaries; each is to have a replica.
        redis_bytes: memory in use on all primaries.
        worker_bytes: memory of a worker.
        in_memory: share of the customers that the workers' caches hold.
        cores: of the workers' cores, those that the events keep busy.
        snapshot_hours: how long the weekly look takes with these workers.
        learner_hours: how long the learner takes for a week's examples.
        fits: False where it takes more partitions than there may be.
        next: what gives way next.
    """

    workers: int
    partitions: int
    primaries: int
    redis_bytes: float
    worker_bytes: float
    in_memory: float
    cores: float
    snapshot_hours: float
    learner_hours: float
    fits: bool
    next: str


def plan(measured: Measured, per_second: float, customers: int, cache_max: int) -> Purchase:
    """Work out what it takes; `cache_max` is CHURNWATCH_CACHE_CUSTOMERS_MAX.

    >>> found = plan(Measured(50, 80, 900, 8_000, 150e6, 60), 10_000, 10_000_000, 200_000)
    >>> found.workers, found.primaries, found.next
    (2, 1, "workers' processors")
    """
    redis_bytes = customers * measured.redis_bytes
    workers = WORKERS_MIN
    while _cores(measured, per_second, customers, workers * cache_max) > workers * BUSY:
        workers += 1
    look_seconds = customers * measured.look_us / MEGA
    workers = max(workers, ceil(look_seconds / SNAPSHOT_SECONDS / (1 - BUSY)))
    cores = _cores(measured, per_second, customers, workers * cache_max)
    wanted = max(PARTITIONS_MIN, workers * PARTITIONS_PER_WORKER, redis_bytes / PARTITION_BYTES_MAX)
    partitions = PARTITIONS_MIN * ceil(wanted / PARTITIONS_MIN)
    primaries = ceil(redis_bytes / PRIMARY_BYTES)
    learner_seconds = customers * LEARN_US / MEGA
    demands = {
        "workers' processors": cores / (workers * BUSY),
        "the weekly look": look_seconds / (workers - cores) / SNAPSHOT_SECONDS,
        "Redis memory": redis_bytes / PRIMARY_BYTES / primaries,
        "the one learner": learner_seconds / LEARNER_SECONDS_MAX,
        "partitions": wanted / PARTITIONS_MAX,
    }
    return Purchase(
        workers,
        min(partitions, PARTITIONS_MAX),
        primaries,
        redis_bytes,
        measured.worker_bytes + min(cache_max, customers / workers) * measured.memory_bytes,
        min(1.0, workers * cache_max / customers),
        cores,
        look_seconds / (workers - cores) / 3_600,
        learner_seconds / 3_600,
        wanted <= PARTITIONS_MAX,
        max(demands, key=lambda name: demands[name]),
    )


def _cores(measured: Measured, per_second: float, customers: int, in_memory: float) -> float:
    """Give the cores that the events keep busy, each event being of any customer alike: the worst case for the caches."""
    held = min(1.0, in_memory / customers)
    return per_second * (held * measured.cached_us + (1 - held) * measured.missing_us) / MEGA


def measured(document: Mapping[str, Any]) -> Measured | None:
    """Take what is needed out of a result file; None where scenario `growth` is not in it, or without processor time."""
    scenario = document.get("scenarios", {}).get("growth", {})
    if "details" not in scenario:
        return None
    sizes, memory = scenario["details"]["sizes"], document["memory"]["growth"]
    few, many = sizes[0], sizes[-1]
    if few["cpu_us_per_event"] is None or many["cpu_us_per_event"] is None:
        return None
    each = memory["worker_bytes_per_customer_in_memory"]
    return Measured(
        few["cpu_us_per_event"],
        max(few["cpu_us_per_event"], many["cpu_us_per_event"]),
        many["redis_bytes_per_customer"],
        each,
        few["workers_resident_bytes"] - few["customers"] * each,
        _look_us(document) or many["cpu_us_per_event"],
    )


def _look_us(document: Mapping[str, Any]) -> float | None:
    """Take the cost of a wake-up out of scenario `silence`, where that has been run."""
    details = document["scenarios"].get("silence", {}).get("details")
    if details is None:
        return None
    shares = details["days"]["1"]
    cpu_seconds: float = sum(share["cpu_seconds"] for share in shares)
    wakes: int = sum(share["wakes"] for share in shares)
    return MEGA * cpu_seconds / wakes


def tables(found: Measured, cache_max: int) -> str:
    """Give the tables in Markdown: what was measured, and what to buy."""
    rows = [(rate, customers, plan(found, rate, customers, cache_max)) for rate in RATES for customers in CUSTOMERS]
    return "\n\n".join(
        (
            _markdown(
                ("measured", ""),
                (
                    ("an event of a customer in memory, µs of a worker's core", f"{found.cached_us:.0f}"),
                    ("an event of one who is not", f"{found.missing_us:.0f}"),
                    ("a customer at the weekly look", f"{found.look_us:.0f}"),
                    ("a customer in Redis, bytes", f"{found.redis_bytes:,.0f}"),
                    ("a customer in a worker's memory, bytes", f"{found.memory_bytes:,.0f}"),
                    ("a worker without customers, MB", f"{found.worker_bytes / MEGA:,.0f}"),
                ),
            ),
            _markdown(
                (
                    "events/s", "customers", "workers (a core each)", "memory of each", "in memory", "partitions",
                    "Redis memory", "primaries", "weekly look", "learner, a week", "gives way next",
                ),
                [_row(rate, customers, bought) for rate, customers, bought in rows],
            ),
        )
    )  # fmt: skip


def _row(rate: int, customers: int, bought: Purchase) -> tuple[str, ...]:
    return (
        f"{rate:,}",
        f"{customers:,}",
        f"{bought.workers:,}",
        f"{bought.worker_bytes / GIGA:.1f} GB",
        f"{bought.in_memory:.1%}".replace("%", " %"),
        f"{bought.partitions:,}" if bought.fits else f"{bought.partitions:,} (more are wanted)",
        f"{REDIS_HEADROOM * bought.redis_bytes / GIGA:,.1f} GB",
        f"{bought.primaries:,}",
        _span(bought.snapshot_hours),
        _span(bought.learner_hours),
        bought.next,
    )


def _span(hours: float) -> str:
    """Word a span of time.

    >>> _span(0.002), _span(0.5), _span(5.83)
    ('7 s', '30 min', '5.8 h')
    """
    seconds = hours * 3_600
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if hours < 1 else f"{hours:.1f} h"


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def page(text: str, document: Mapping[str, Any]) -> str:
    """Give the page with its tables as the result file has them; raises ChurnwatchError where the place is not marked."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ChurnwatchError(f"{PAGE}: the tables stand between {BEGIN} and {END}; put both lines back")
    found = measured(document)
    cache_max: int = Settings.model_fields["cache_customers_max"].default
    return f"{before}{BEGIN}\n\n{UNMEASURED if found is None else tables(found, cache_max)}\n\n{END}{after}"


def current() -> Mapping[str, Any]:
    """Read the kept result; an empty one where there is none of the present form."""
    try:
        return report.read()
    except ChurnwatchError:
        return {}


def main() -> int:
    """Write or check the page; returns the exit code."""
    return write_or_check("bench.sizing", PAGE, lambda: page(PAGE.read_text(encoding="utf-8"), current()))


if __name__ == "__main__":
    sys.exit(main())
