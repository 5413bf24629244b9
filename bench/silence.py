"""Scenario `silence`: what a million silent customers cost, on the worst day of the week and in a year.

1. A small log of four streams goes through the real pipeline and its learner; every customer in it falls silent.
2. A sample of them is silent for a year, one by one: how often is each scored, all told?
3. Their states are copied under new ids into Redis, as of a Sunday noon. On the Monday that follows everybody is asked about at the same
   midnight, beside the rungs of the ladder that fall on it: no day of the week has more to do. One process takes it, then two processes share it.

The model is a later one than that of the latest snapshots, so each look scores twice, as it does live. Nothing is published, for there is
no Kafka in this: messages are counted. `make bench` takes a tenth of a million; `python -m bench.silence --customers 1000000` takes the whole.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Final

import redis

from bench import synthetic
from bench.children import ROOT, environment
from bench.growth_alone import alone
from bench.measures import WrongAnswer
from bench.scenario import Outcome, Say, Skipped, Table
from bench.silence_child import Share
from bench.silence_spell import Spells, spells
from bench.silence_states import END_MS, fill, learnt, lives
from churnwatch.services import Services
from churnwatch.settings import Settings
from features.redis_layout import Layout
from models.guide import encode_guide
from streams.time import DAY_MS

CUSTOMERS: Final = 100_000
MILLION: Final = 1_000_000
TEMPLATES: Final = 1_000
SAMPLE: Final = 500
PARTITIONS: Final = 4
SCORINGS_MAX: Final = 25
CHILD_SECONDS_MAX: Final = 900
REDIS_TIMEOUT_MS: Final = 60_000
"""A machine with much else to do lets Redis wait; a step whose end is not known could not be counted."""

MONDAY_END_MS: Final = END_MS + DAY_MS * 3 // 2 - 1
"""The last millisecond of the Monday after."""


@dataclass(frozen=True, slots=True)
class Day:
    """The busiest day, handled by so many processes: their shares, seconds until the last was done, memory of Redis before."""

    shares: Sequence[Share]
    seconds: float
    redis_bytes: int

    @property
    def wakes(self) -> int:
        """Wake-ups handled by all of them."""
        return sum(share.wakes for share in self.shares)

    @property
    def cpu_us(self) -> float:
        """Processor time per wake-up, in microseconds."""
        return 1e6 * sum(share.cpu_seconds for share in self.shares) / self.wakes

    @property
    def snapshots(self) -> int:
        """Customers asked about."""
        return sum(share.scorings.get("snapshot", 0) for share in self.shares)


def run(services: Services, scratch: Path, say: Say, *, customers: int = CUSTOMERS, sample: int = SAMPLE) -> Outcome:
    """Run the scenario; raises WrongAnswer where a spell costs more than it may, or where somebody was left out."""
    if not services.real_redis:
        raise Skipped("silence needs a real redis-server: apt-get install redis-server")
    settings = Settings(
        redis_url=services.redis_url,
        redis_namespace="silence",
        redis_timeout_ms=REDIS_TIMEOUT_MS,
        stalled_ms=2 * REDIS_TIMEOUT_MS,
        topic_partitions=PARTITIONS,
        clock="replay",
        learning_enabled=False,
        log_level="warning",
    )
    say("letting a small shop live, until all its customers are silent")
    log = synthetic.write(scratch / "silence.jsonl", lives(TEMPLATES))
    shop = learnt(Settings(min_labels=500), log)
    model = scratch / "guide"
    model.write_bytes(encode_guide(shop.guide))
    client = redis.Redis.from_url(services.redis_url)
    try:
        client.flushdb()
        found = asyncio.run(spells(settings.model_copy(update={"redis_namespace": "spell"}), shop.guide, log, sample))
        say(
            f"in a year of silence each of {len(found.scorings)} customers is scored {max(found.scorings)} times at most"
        )
        days = {}
        for processes in (1, 2):
            client.flushdb()
            counts = fill(client, settings.redis_namespace, PARTITIONS, shop, customers)
            days[processes] = _day(client, settings, model, processes)
            _check(client, settings, days[processes], sum(counts.values()))
            say(f"{processes} of them: {days[processes].wakes:,} wake-ups in {days[processes].seconds:.1f} s")
        client.flushdb()
    finally:
        client.close()
    if max(found.scorings) > SCORINGS_MAX:
        raise WrongAnswer(f"a spell of silence costs {max(found.scorings)} scorings, and {SCORINGS_MAX} are allowed")
    return _outcome(found, days, customers)


def _day(client: redis.Redis, settings: Settings, model: Path, processes: int) -> Day:
    """Let so many processes share the partitions and handle Monday."""
    redis_bytes = int(client.info("memory")["used_memory"])
    children = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.silence_child", str(model), str(MONDAY_END_MS)]
            + [str(partition) for partition in range(first, PARTITIONS, processes)],
            cwd=ROOT,
            env=environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        for first in range(processes)
    ]
    shares = []
    try:
        for child in children:
            told, _ = child.communicate(timeout=CHILD_SECONDS_MAX)
            if child.returncode:
                raise WrongAnswer(f"a process ended with exit code {child.returncode} before it had handled the day")
            share = Share(**json.loads(told))
            shares.append(share)
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
                child.wait()
    return Day(shares, max(share.seconds for share in shares), redis_bytes)


def _check(client: redis.Redis, settings: Settings, day: Day, customers: int) -> None:
    """Raise WrongAnswer unless everybody was asked about once, and nobody's wake-up is left over."""
    if day.snapshots != customers:
        raise WrongAnswer(f"{customers} customers should have been asked about, and {day.snapshots} were")
    timers = [Layout(settings.redis_namespace, partition).timers for partition in range(PARTITIONS)]
    left = sum(int(client.zcount(key, "-inf", MONDAY_END_MS)) for key in timers)
    known = sum(int(client.zcard(key)) for key in timers)
    if left or known != customers:
        raise WrongAnswer(f"{customers} customers should wake after Monday; {known} wake, {left} of them before")


def _outcome(found: Spells, days: Mapping[int, Day], customers: int) -> Outcome:
    one, two = days[1], days[2]
    rows = [
        [
            f"{processes} process{'es' if processes > 1 else ''}",
            f"{day.wakes:,}",
            f"{day.seconds:.1f}",
            f"{day.seconds * MILLION / customers:.0f}",
            f"{day.cpu_us:.0f}",
            f"{day.cpu_us * day.wakes * MILLION / customers / 1e6 / processes:.0f}",
            f"{max(share.memory_bytes for share in day.shares) / 2**20:.0f}",
        ]
        for processes, day in days.items()
    ]
    columns = ["", "wake-ups", "seconds", "of a million", "CPU µs each", "CPU s of a million", "memory, MB"]
    year = found.told
    spell = [[str(year["customers"]), *(f"{year[name]:g}" for name in list(year)[1:])]]
    return Outcome(
        ratios={
            "silence_allowed_per_scorings": SCORINGS_MAX / max(found.scorings),
            "silence_two_processes_per_one": one.seconds / two.seconds,
        },
        goals={"silence_allowed_per_scorings": 1.0},
        memory={
            "silence_worker_bytes": max(share.memory_bytes for share in one.shares),
            "silence_redis_bytes_per_customer": round(one.redis_bytes / customers),
        },
        tables=(
            Table(f"The busiest day of {customers:,} silent customers: all are asked about", columns, rows),
            Table(
                "A spell of silence of a year, customer by customer",
                ["customers", "scorings, most", "mean", "wake-ups, most", "mean"],
                spell,
            ),
        ),
        checks=(
            f"each of {customers:,} customers was asked about once on Monday, and nobody's wake-up was left over",
            f"in a year of silence none of {year['customers']:g} was scored more than {SCORINGS_MAX} times",
        ),
        details={
            "customers": customers,
            "seconds_of_a_million": {str(count): day.seconds * MILLION / customers for count, day in days.items()},
            "days": {str(count): [asdict(share) for share in day.shares] for count, day in days.items()},
            "spells": dict(year),
        },
    )


def main(arguments: Sequence[str]) -> int:
    """Run it alone."""
    parser = argparse.ArgumentParser(prog="python -m bench.silence", description=__doc__.partition("\n")[0])
    parser.add_argument("--customers", type=int, default=CUSTOMERS, help=f"silent on that Monday (default {CUSTOMERS})")
    parser.add_argument(
        "--sample", type=int, default=SAMPLE, help=f"silent for a year, {TEMPLATES} at most (default {SAMPLE})"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    found = parser.parse_args(arguments)
    return alone(partial(run, customers=found.customers, sample=found.sample), as_json=found.json)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
