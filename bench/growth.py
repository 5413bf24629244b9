"""Scenario `growth`: what becomes of throughput and memory as customers, partitions and workers grow.

1. Redis is filled with customers who have a history (`bench.growth_fill`); workers take in events spread evenly over all of them, so with
   many customers nearly every event is of one who is not in memory: the worst case. Sizes take turns, and the median of the rounds counts.
2. The same with 12 and 48 partitions, and with two workers.
3. Starting, joining, leaving and dying, by the size of the state (`bench.growth_moves`).

    python -m bench.growth --customers 10000,100000 --events 30000 --rounds 1
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.growth_alone import alone
from bench.growth_events import send_all, uniform
from bench.growth_fill import Group, Templates, fill, learn, templates
from bench.growth_moves import Moves, moves
from bench.growth_run import Stretch, Watched, stretch
from bench.scenario import Outcome, Say, Skipped, Table
from churnwatch.services import Services
from churnwatch.settings import Settings
from churnwatch.topic_layout import create
from streams.time import HOUR_MS

FEW: Final = 10_000
MANY: Final = 1_000_000
PARTITIONS: Final = 4
AT_LEAST: Final = 0.7


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done: numbers of customers, events of a round (a third is warm-up), rounds of the fewest and the most.

    `shapes` are partitions and workers, beside those that the customers are counted with; `moving`: whether workers come and go.
    """

    customers: Sequence[int] = (FEW, 100_000, MANY)
    events: int = 50_000
    rounds: int = 3
    shapes: Sequence[tuple[int, int]] = ((12, 1), (48, 1), (12, 2))
    moving: bool = True


@dataclass(slots=True)
class Case:
    """One filled installation and what was measured on it."""

    customers: int
    partitions: int
    workers: int
    watched: Watched
    redis_bytes: float
    events: int = 0
    found: list[Stretch] = field(default_factory=list)

    def round(self, made: Templates, scratch: Path, events: int) -> Stretch:
        """Send events and let fresh workers take them in."""
        number, settings = len(self.found), self.watched.settings
        from_ms = made.clock_ms + HOUR_MS + self.events
        self.events += send_all(settings, uniform(f"r{number}-", self.customers, events, from_ms, number))
        found = stretch(self.watched, scratch, f"round{number}", self.events, events // 3, self.workers)
        self.found.append(found)
        return found

    @property
    def per_second(self) -> float:
        """Events a second, the median of the rounds."""
        return median(found.per_second for found in self.found)

    @property
    def cpu_us(self) -> float | None:
        """Processor time of the workers per event in microseconds, the median of the rounds."""
        known = [found.cpu_us for found in self.found if found.cpu_us is not None]
        return median(known) if known else None

    @property
    def resident_bytes(self) -> int:
        """Memory of the workers, the most of all rounds."""
        return max(found.resident_bytes or 0 for found in self.found)

    def told(self) -> dict[str, Any]:
        """Give it as it stands in the result file."""
        return {
            "customers": self.customers,
            "partitions": self.partitions,
            "workers": self.workers,
            "events_per_second": round(self.per_second, 1),
            "cpu_us_per_event": self.cpu_us and round(self.cpu_us, 1),
            "redis_bytes_per_customer": round(self.redis_bytes, 1),
            "workers_resident_bytes": self.resident_bytes,
            "start_seconds": round(median(found.start_seconds for found in self.found), 2),
            "rounds": [asdict(found) for found in self.found],
        }


def run(services: Services, scratch: Path, say: Say, size: Size | None = None) -> Outcome:
    """Run the scenario. Raises WrongAnswer where a worker ends or does not take in all that it was given."""
    if not (services.real_kafka and services.real_redis):
        raise Skipped("growth is of a real Kafka and redis-server: it needs Java, Maven and redis-server")
    size = size or Size()
    model = learn(scratch)
    made = templates(Settings(learning_enabled=False, model_file=model), scratch)
    sizes = [_case(services, model, made, customers, PARTITIONS, 1, say) for customers in size.customers]
    for number in range(size.rounds):
        for case in sizes if number == 0 else (sizes[0], sizes[-1]):
            found = case.round(made, scratch, size.events)
            say(f"round {number + 1}, {case.customers:,} customers: {_told(found)}")
    moved = []
    for case in (sizes[0], sizes[-1]) if size.moving else ():
        moved.append(moves(case.watched, scratch, case.customers))
        say(f"{case.customers:,} customers: started, rebalanced, recovered")
    shapes = [sizes[(len(sizes) - 1) // 2]]
    for partitions, workers in size.shapes:
        case = _case(services, model, made, shapes[0].customers, partitions, workers, say)
        found = case.round(made, scratch, size.events)
        say(f"{partitions} partitions, {workers} worker(s): {_told(found)}")
        shapes.append(case)
    return _outcome(sizes, shapes, moved, made, size.events)


def _told(found: Stretch) -> str:
    cpu = "" if found.cpu_us is None else f", {found.cpu_us:.0f} µs of processor time each"
    return f"{found.per_second:,.0f} events/s{cpu}"


def _case(
    services: Services, model: Path, made: Templates, customers: int, partitions: int, workers: int, say: Say
) -> Case:
    # Short, as names of namespaces are: it is part of every key.
    name = f"g{customers.bit_length()}.{partitions}.{workers}"
    settings = Settings(
        kafka_bootstrap=services.bootstrap,
        redis_url=services.redis_url,
        redis_namespace=name,
        kafka_group_id=name,
        topic_prefix=f"{name}.",
        topic_partitions=partitions,
        clock="replay",
        learning_enabled=False,
        model_file=model,
        log_level="warning",
    )
    asyncio.run(create(settings))
    watched = Watched(settings)
    before = watched.memory()
    fill(settings, made, [Group("c", customers)])
    each = (watched.memory() - before) / customers
    say(f"filled {customers:,} customers into {partitions} partitions: {each:,.0f} bytes each in Redis")
    return Case(customers, partitions, workers, watched, each)


def in_memory(customers: int, events: int) -> float:
    """Give how many customers a worker has met after so many events, each of a customer chosen anew; it keeps them.

    >>> round(in_memory(10, 10_000)), round(in_memory(1_000_000, 1_000))
    (10, 1000)
    """
    return customers * (1.0 - (1.0 - 1.0 / customers) ** events)


def _cached_bytes(sizes: Sequence[Case], events: int) -> float:
    """Give what a customer costs in a worker's memory: between the sizes with the fewest and the most of them there."""
    met = {in_memory(case.customers, events): case.resident_bytes for case in sizes}
    least, most = min(met), max(met)
    return (met[most] - met[least]) / (most - least)


def _outcome(
    sizes: Sequence[Case], shapes: Sequence[Case], moved: Sequence[Moves], made: Templates, events: int
) -> Outcome:
    few, many = sizes[0], sizes[-1]
    name = "throughput_many_customers_to_few"
    return Outcome(
        ratios={name: many.per_second / few.per_second},
        goals={name: AT_LEAST} if many.customers >= MANY else {},
        memory={
            "redis_bytes_per_customer": {str(case.customers): round(case.redis_bytes) for case in sizes},
            "worker_resident_bytes": {str(case.customers): case.resident_bytes for case in sizes},
            "worker_bytes_per_customer_in_memory": round(_cached_bytes(sizes, events)),
        },
        tables=[
            _table("By the number of customers", sizes),
            _table("By partitions and workers", shapes),
            _moves(moved),
        ],
        checks=[f"all {sum(case.events for case in (*sizes, *shapes[1:])):,} events were taken in"],
        details={
            "state_bytes": round(made.state_bytes, 1),
            "sizes": [case.told() for case in sizes],
            "shapes": [case.told() for case in shapes],
            "moves_seconds": [found.told() for found in moved],
        },
    )


def _table(title: str, cases: Sequence[Case]) -> Table:
    columns = ["customers", "partitions", "workers", "events/s", "to the first", "CPU µs per event"]
    columns += ["Redis bytes per customer", "workers' memory, MB", "start, s"]
    rows = [
        [
            f"{case.customers:,}",
            str(case.partitions),
            str(case.workers),
            f"{case.per_second:,.0f}",
            f"{case.per_second / cases[0].per_second:.2f}",
            "" if case.cpu_us is None else f"{case.cpu_us:.0f}",
            f"{case.redis_bytes:,.0f}",
            f"{case.resident_bytes / 1e6:,.0f}",
            f"{median(found.start_seconds for found in case.found):.1f}",
        ]
        for case in cases
    ]
    return Table(title, columns, rows)


def _moves(moved: Sequence[Moves]) -> Table:
    rows = [
        [f"{found.customers:,}", f"{found.start:.1f}", f"{found.join:.1f}", f"{found.leave:.1f}", f"{found.death:.1f}"]
        for found in moved
    ]
    columns = ["customers", "start", "a second worker joins", "it leaves", "the only owner is killed"]
    return Table("Seconds that it takes, by the size of the state", columns, rows)


def main(arguments: Sequence[str]) -> int:
    """Run it alone."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__.partition("\n")[0])
    parser.add_argument("--customers", default=",".join(map(str, Size().customers)), help="numbers, comma between them")
    parser.add_argument("--events", type=int, default=Size().events, help="of a round (default 50000)")
    parser.add_argument(
        "--rounds", type=int, default=Size().rounds, help="of the fewest and the most customers (default 3)"
    )
    parser.add_argument(
        "--customers-only", action="store_true", help="no other partitions, no workers that come and go"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    found = parser.parse_args(arguments)
    try:
        customers = sorted(set(map(int, found.customers.split(","))))
    except ValueError:
        customers = []
    if len(customers) < 2 or customers[0] < 1:
        parser.error(f"--customers takes two numbers or more, such as 10000,1000000, not {found.customers!r}")
    size = Size(customers, found.events, found.rounds)
    if found.customers_only:
        size = replace(size, shapes=(), moving=False)
    return alone(partial(run, size=size), as_json=found.json)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
