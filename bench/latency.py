"""Scenario `latency`: from an event to the alert that follows from it, at shares of the throughput found in the same run.

1. Redis is filled with customers who have a history (`bench.growth_fill`), and a live worker with its default settings takes in a
   backlog: that is the throughput found.
2. A producer in a process of its own sends at a steady 10, 50 and 80 % of that, events that occur as they are sent; at 50 %, which
   is what a limit is set for, three times, of which the one in the middle counts.
3. Some customers cancel: each cancellation raises an alert, the costliest kind to tell. Alerts are rare, so p99.9 rests on more: on
   customers whose band was never told, so that their next event publishes a score, by the same way as an alert.
4. Latency is from the instant at which the event is due, which is the record's Kafka timestamp, too, to the arrival at a consumer on the
   same machine.
5. The same at 50 % with brokers that collect for shorter and for longer, and with Redis writing its log to the disk.

    python -m bench.latency --seconds 60
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import redis

from bench.growth_alone import alone
from bench.growth_fill import Group, Templates, fill, learn, templates
from bench.latency_figures import QUANTILES, REST
from bench.latency_load import CUSTOMERS, STAGES, WARM_SECONDS, Level, Loaded, Running, Size, samples
from bench.scenario import Outcome, Say, Skipped, Table
from churnwatch.services import Services
from churnwatch.settings import Settings
from churnwatch.topic_layout import create
from streams.time import HOUR_MS

LOADS: Final = (0.1, 0.5, 0.8)
MIDDLE: Final = 0.5
ROUNDS: Final = 3
"""How often the load in the middle is tried."""

PARTITIONS: Final = 4
LIMIT_MS: Final = 250.0
WAITS_MS: Final = (5, 100)
"""How long brokers collect events, beside the default: the one setting between latency and the size of a chunk."""


def run(services: Services, scratch: Path, say: Say, size: Size | None = None) -> Outcome:
    """Run the scenario. Raises WrongAnswer unless every score and alert that had to come has come, once."""
    if not services.real_kafka:
        raise Skipped("latency is of a real Kafka: it needs Java and Maven")
    size = size or Size()
    settings = _settings(services, learn(scratch))
    asyncio.run(create(settings))
    _fill(settings, scratch, size)
    say(f"filled Redis with {CUSTOMERS:,} customers and those who will give a sample each")
    loaded = Loaded(settings, scratch, size, say)
    try:
        with loaded.run({}) as base:
            say(f"throughput {base.throughput:,.0f} events/s")
            tried = {share: _rounds(base, share, size.seconds) for share in LOADS}
        rate = MIDDLE * base.throughput
        others = []
        for wait_ms in WAITS_MS:
            with loaded.run({"fetch_wait_ms": wait_ms}) as other:
                level = other.level(f"{_share(MIDDLE)}, collected for {wait_ms} ms", rate, size.other_seconds)
                others.append((wait_ms, other.throughput, level))
        with _appending(services), loaded.run({}) as other:
            durable = other.level(f"{_share(MIDDLE)}, Redis appends to a file", rate, size.other_seconds)
    finally:
        loaded.close()
    default = (settings.fetch_wait_ms, base.throughput, _middle(tried[MIDDLE]))
    return _outcome(base.throughput, tried, sorted([default, *others], key=lambda found: found[0]), durable)


def _rounds(base: Running, share: float, seconds: float) -> list[Level]:
    return [base.level(_share(share), share * base.throughput, seconds) for _ in range(_times(share))]


def _times(share: float) -> int:
    return ROUNDS if share == MIDDLE else 1


def _middle(levels: Sequence[Level]) -> Level:
    """Give the round whose alerts' p99 lies in the middle."""
    return sorted(levels, key=lambda level: level.alerts.percentiles["p99"])[len(levels) // 2]


def _share(share: float) -> str:
    return f"{100 * share:.0f} %"


def _settings(services: Services, model: Path) -> Settings:
    return Settings(
        kafka_bootstrap=services.bootstrap,
        redis_url=services.redis_url,
        redis_namespace="latency",
        kafka_group_id="latency",
        topic_prefix="latency.",
        topic_partitions=PARTITIONS,
        learning_enabled=False,
        model_file=model,
        log_level="warning",
    )


def _fill(settings: Settings, scratch: Path, size: Size) -> None:
    made = templates(settings, scratch, time.time_ns() // 1_000_000)
    # Nobody who is to be looked at for silence meanwhile, and nobody who is lost: what is said follows from an event, and is said.
    quiet = [found for found in made.customers if found.wake_ms > made.clock_ms + HOUR_MS and not found.lost]
    asked = [samples(size.seconds)] * sum(map(_times, LOADS)) + [samples(size.other_seconds)] * (len(WAITS_MS) + 1)
    scores, leavers = (sum(counts) for counts in zip(*asked, strict=True))
    groups = [Group("c", CUSTOMERS), Group("s", scores, untold=True), Group("l", leavers)]
    fill(settings, Templates(quiet, made.clock_ms), groups)


@contextmanager
def _appending(services: Services) -> Iterator[None]:
    """Let Redis write every change to its append-only file, to the disk once a second, as docs/state.md recommends."""
    client = redis.Redis.from_url(services.redis_url)
    client.config_set("appendonly", "yes")
    try:
        while client.info("persistence")["aof_rewrite_in_progress"]:
            time.sleep(0.1)
        yield
    finally:
        client.config_set("appendonly", "no")
        client.close()


def _outcome(
    throughput: float, tried: Mapping[float, Sequence[Level]], steps: Sequence[tuple[int, float, Level]], durable: Level
) -> Outcome:
    levels, half = [_middle(rounds) for rounds in tried.values()], _middle(tried[MIDDLE])
    others = [level for _, _, level in steps if level is not half]
    everything = [*(level for rounds in tried.values() for level in rounds), *others, durable]
    names = {
        **{f"load_{round(100 * share)}": level for share, level in zip(LOADS, levels, strict=True)},
        "load_50_aof": durable,
    }
    return Outcome(
        latency={
            "event_to_alert_p99_ms_at_half_load": half.alerts.percentiles["p99"],
            "event_to_alert_p99_ms_at_half_load_at_most": LIMIT_MS,
            **{name: {"alert": level.alerts.told(), "score": level.scores.told()} for name, level in names.items()},
        },
        tables=[_table([*levels, durable]), _stages([*levels, durable]), _trade(steps)],
        checks=[
            _heard(everything),
            _held(half, [level.alerts.percentiles["p99"] for level in tried[MIDDLE]]),
        ],
        details={
            "throughput_events_per_second": round(throughput, 1),
            "partitions": PARTITIONS,
            "customers": CUSTOMERS,
            "warm_up_seconds": WARM_SECONDS,
            "rounds_at_half_load": [_told(level) for level in tried[MIDDLE]],
            "levels": [_told(level) for level in [*levels, durable]],
            "steps": [
                {"fetch_wait_ms": bound, "throughput_events_per_second": round(found, 1)} | _told(level)
                for bound, found, level in steps
            ],
        },
    )


def _heard(levels: Sequence[Level]) -> str:
    scores, alerts = (
        sum(found.samples for found in side) for side in zip(*((x.scores, x.alerts) for x in levels), strict=True)
    )
    return f"all {scores:,} scores and {alerts:,} alerts after the warm-ups came, each once"


def _held(half: Level, rounds_ms: Sequence[float]) -> str:
    p99 = half.alerts.percentiles["p99"]
    said = f"p99 {p99:.0f} ms, {'within' if p99 <= LIMIT_MS else 'NOT within'} {LIMIT_MS:.0f} ms"
    return f"event to alert at half load: {said} (rounds: {', '.join(f'{found:.0f}' for found in rounds_ms)})"


def _told(level: Level) -> dict[str, Any]:
    return {
        "load": level.name,
        "events_per_second": round(level.per_second, 1),
        "source": dict(level.source),
        "score_ms": level.scores.told(),
        "alert_ms": level.alerts.told(),
        "stage_ms_per_step": {stage: round(value, 3) for stage, value in level.stages.items()},
        "events_per_step": round(level.events_per_step, 1),
    }


def _percentiles(level: Level) -> list[str]:
    alerts = [f"{level.alerts.percentiles[name]:,.0f}" for name in ("p50", "p99")]
    scores = [f"{level.scores.percentiles[name]:,.0f}" for name in QUANTILES]
    return [*alerts, f"{level.alerts.samples:,}", *scores, f"{level.scores.longest:,.0f}", f"{level.scores.samples:,}"]


def _table(levels: Sequence[Level]) -> Table:
    columns = ["load", "events/s", "alert p50", "p99", "samples", "score p50", "p99", "p99.9", "longest", "samples"]
    rows = [[level.name, f"{level.per_second:,.0f}", *_percentiles(level)] for level in levels]
    return Table("From an event to its alert, and to its score, in milliseconds", columns, rows)


def rest_ms(level: Level) -> float:
    """Give the mean time that no stage accounts for."""
    return max(0.0, level.scores.mean - sum(level.stages.values()))


def _stages(levels: Sequence[Level]) -> Table:
    met = [stage for stage in STAGES if any(stage in level.stages for level in levels)]
    rows = [
        [
            level.name,
            f"{level.scores.mean:.1f}",
            *(f"{level.stages.get(stage, 0.0):.1f}" for stage in met),
            f"{rest_ms(level):.1f}",
            f"{level.events_per_step:.0f}",
        ]
        for level in levels
    ]
    return Table(
        "Where the mean millisecond goes, by stage of a step", ["load", "in all", *met, REST, "events a step"], rows
    )


def _trade(steps: Sequence[tuple[int, float, Level]]) -> Table:
    rows = [
        [f"{wait_ms}", f"{level.events_per_step:.0f}", f"{found:,.0f}", *_percentiles(level)]
        for wait_ms, found, level in steps
    ]
    columns = ["FETCH_WAIT, ms", "events a step", "backlog, events/s", "alert p50", "p99", "samples"]
    columns += ["score p50", "p99", "p99.9", "longest", "samples"]
    return Table(
        "How long brokers collect: the size of a step and the throughput of a backlog against latency at half load",
        columns,
        rows,
    )


def main(arguments: Sequence[str]) -> int:
    """Run it alone."""
    parser = argparse.ArgumentParser(prog="python -m bench.latency", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--seconds", type=float, default=Size().seconds, help="measured at each load (default 15), half of it elsewhere"
    )
    parser.add_argument("--backlog", type=int, default=Size().backlog, help="events of a backlog (default 150000)")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    found = parser.parse_args(arguments)
    size = Size(found.backlog, found.seconds, found.seconds / 2)
    return alone(partial(run, size=size), as_json=found.json)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
