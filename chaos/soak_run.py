"""One soak from beginning to end: services, worker, load, looks. Gives what was seen; what it means is for `soak_verdict`."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Final

from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from agents.metric_catalog import DELAY_SECONDS
from bench.children import ROOT, environment
from chaos import soak_plan, soak_shop
from chaos.soak_feed import Feeder, Listener
from chaos.soak_plan import Plan
from chaos.soak_probe import Probe, Sample
from churnwatch.child import free_port
from churnwatch.demo import Scrape
from churnwatch.kafka import open_admin
from churnwatch.services import Services
from churnwatch.settings import Settings
from churnwatch.topic_layout import create
from streams.errors import TransportError
from streams.time import DAY_MS

START_SECONDS_MAX: Final = 60.0
SETTLE_SECONDS_MAX: Final = 300.0
STOP_SECONDS_MAX: Final = 60.0
TEXT_MAX: Final = 100
LOOK_SECONDS: Final = 0.2

Say = Callable[[str], None]
OUTCOMES: Final = ("applied", "duplicate", "late", "dead_lettered")


@dataclass(frozen=True, slots=True)
class Books:
    """What went in, what the worker says of it, and what came out: for the sums that must agree."""

    sent: int
    acknowledged: int
    expected: dict[str, int]
    counted: dict[str, int]
    read: int
    alerts_counted: int
    alerts_heard: int
    alerts_repeated: int
    episodes_counted: int
    episodes_heard: int
    doubly_open: int
    kinds: dict[str, int]
    examples: dict[str, int]


@dataclass(slots=True)
class Soak:
    """Everything that was seen.

    Attributes:
        samples: looks, in the order of time.
        rate: events a second asked for.
        latencies: phase to the bounds and counts of churnwatch_event_to_alert_seconds within it.
        filled: whether the filling came to its end before its time was up.
        exit_code: the worker's, after SIGTERM; None where it had to be killed or ended before.
        errors, warnings: in its log, how often each.
    """

    services: str
    rate: float
    plan: Plan
    samples: list[Sample] = field(default_factory=list)
    latencies: dict[str, dict[float, float]] = field(default_factory=dict)
    counters: dict[str, float] = field(default_factory=dict)
    filled: bool = False
    exit_code: int | None = None
    errors: dict[str, int] = field(default_factory=dict)
    warnings: dict[str, int] = field(default_factory=dict)
    books: Books | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for; see `chaos.soak`."""

    minutes: float
    rate: float
    days_per_second: float
    seed: int
    trace: Path | None = None


def soak(services: Services, options: Options, scratch: Path, say: Say) -> Soak:
    """Run it; raises TransportError where it cannot go on to the end."""
    settings = soak_plan.settings(services, free_port())
    found = Soak(services.description, options.rate, soak_plan.plan(options.minutes))
    if services.real_kafka:
        asyncio.run(_topics(settings))
    log = scratch / "worker.log"
    with ExitStack() as stack:
        probe = Probe(settings)
        stack.callback(probe.close)
        active = soak_shop.active_customers(options.rate, options.days_per_second)
        feeder = Feeder(settings, soak_shop.events(options.seed, active), probe.taken)
        stack.callback(feeder.stop)
        # A log to begin with: a worker that replays it learns from it what time it is.
        feeder.ahead = soak_plan.FILL_AHEAD
        feeder.start()
        process = stack.enter_context(worker(settings, log, options.trace))
        probe.pid = process.pid
        listener = Listener(settings)
        stack.callback(listener.stop)
        course = _Course(found, process, probe, feeder, say)
        try:
            course.begin()
            listener.start()
            course.run(services.real_kafka)
            feeder.stop()
            course.settle(listener)
            found.books = _books(feeder, listener, probe.scrape())
            process.terminate()
            found.exit_code = process.wait(STOP_SECONDS_MAX)
        except TransportError as error:
            said = log.read_text(errors="replace")[-3000:]
            raise TransportError(f"{error}\n--- the worker's last words\n{said}") from error
        finally:
            said = log.read_text(errors="replace")
            found.errors, found.warnings = lines_of(said, "ERROR|CRITICAL|Traceback"), lines_of(said, "WARNING")
    return found


@contextmanager
def worker(settings: Settings, log: Path, trace: Path | None) -> Iterator[subprocess.Popen[bytes]]:
    """Run the worker in a session of its own (a Ctrl-C is for us), its log in a file; it is killed if it still runs at the end."""
    command = [sys.executable, "-m", "chaos.soak_worker", *([str(trace)] if trace else [])]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            env=environment(settings),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


async def _topics(settings: Settings) -> None:
    await create(settings)
    topics = settings.topics()
    names = [*(topics.inputs[stream] for stream in soak_shop.STREAMS), topics.alerts, topics.examples]
    async with open_admin(settings) as admin:
        await admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name, dict(soak_plan.RETENTION)) for name in names]
        )


class _Course:
    """The phases, one after the other, with a look every `SAMPLE_SECONDS`."""

    def __init__(self, found: Soak, process: subprocess.Popen[bytes], probe: Probe, feeder: Feeder, say: Say) -> None:
        self._found = found
        self._process = process
        self._probe = probe
        self._feeder = feeder
        self._say = say
        self._began = time.monotonic()
        self._told = 0.0

    def _at(self) -> float:
        return time.monotonic() - self._began

    def begin(self) -> None:
        """Wait for the worker to be ready."""
        self._until(lambda: self._probe.answers("/readyz"), START_SECONDS_MAX, "the worker was not ready")
        self._began = time.monotonic()

    def run(self, real_kafka: bool) -> None:  # noqa: FBT001 - of the services, as they are
        """Fill, keep the rate, burst, and keep the rate again."""
        found, feeder, plan = self._found, self._feeder, self._found.plan
        self._phase("filling", plan.fill_max, lambda: self._day() >= soak_plan.FILL_DAYS)
        found.filled = self._day() >= soak_plan.FILL_DAYS
        feeder.rate = found.rate
        feeder.ahead = soak_plan.LAG_MAX_REAL if real_kafka else soak_plan.LAG_MAX_EMBEDDED
        self._phase("steady", plan.until_burst - self._at())
        feeder.rate = found.rate * soak_plan.BURST_FACTOR
        self._phase("burst", plan.burst)
        feeder.rate = found.rate
        usual = soak_plan.lag_usual([sample.lag for sample in found.samples if sample.phase == "steady"], found.rate)
        self._phase("recovery", plan.recovery_max, lambda: found.samples[-1].lag <= usual)
        self._phase("after", plan.after)

    def _day(self) -> float:
        return max(0.0, (self._feeder.at_ms - soak_shop.START_MS) / DAY_MS)

    def _phase(self, name: str, seconds: float, done: Callable[[], bool] = lambda: False) -> None:
        before, ends = self._probe.scrape(), time.monotonic() + seconds
        while time.monotonic() < ends and not done():
            next_look = time.monotonic() + soak_plan.SAMPLE_SECONDS
            self._look(name)
            time.sleep(max(0.0, min(next_look, ends) - time.monotonic()))
        self._found.latencies[name] = latencies(before, self._probe.scrape())

    def _look(self, phase: str) -> None:
        if self._process.poll() is not None:
            raise TransportError(f"the worker has ended with code {self._process.returncode} while {phase}")
        self._feeder.check()
        sample = self._probe.sample(self._at(), phase, self._feeder.sent, self._day())
        self._found.samples.append(sample)
        if sample.at - self._told >= 10.0:
            self._told = sample.at
            self._say(progress(sample))

    def settle(self, listener: Listener) -> None:
        """Wait until everything sent is taken in, everything decided is said, and everything said is heard."""
        sent = self._feeder.sent

        def settled() -> bool:
            scrape = self._probe.scrape()
            read = scrape.sum("churnwatch_events_total", outcome="read")
            left = scrape.sum("churnwatch_outbox_pending") + scrape.sum("churnwatch_learner_lag_batches")
            return read >= sent and not left and listener.alerts >= scrape.sum("churnwatch_alerts_total")

        self._until(settled, SETTLE_SECONDS_MAX, "not everything sent was taken in")
        # What should not come would come now.
        time.sleep(soak_plan.SAMPLE_SECONDS)
        self._look("settled")
        scrape = self._probe.scrape()
        self._found.counters = {
            name: scrape.sum(f"churnwatch_{name}_total")
            for name in ("rebalances", "fence_lost", "redis_failures", "scorings", "timers_fired")
        }

    def _until(self, condition: Callable[[], bool], seconds: float, otherwise: str) -> None:
        ends = time.monotonic() + seconds
        while not condition():
            if self._process.poll() is not None:
                raise TransportError(f"the worker has ended with code {self._process.returncode}")
            if time.monotonic() > ends:
                raise TransportError(f"{otherwise} within {seconds:g} s")
            time.sleep(LOOK_SECONDS)


def progress(sample: Sample) -> str:
    """One line about how it stands."""
    redis_used = "" if sample.redis_used is None else f", Redis {sample.redis_used / 1e6:.1f} MB"
    return (
        f"{sample.phase:<8} day {sample.day:,.0f}: {sample.taken:,} events, lag {sample.lag:,}, {sample.customers:,.0f} customers, "
        f"{sample.open_episodes:,.0f} open episodes, model {sample.guides:.0f}, worker {sample.rss / 1e6:.1f} MB{redis_used}"
    )


def latencies(before: Scrape, after: Scrape) -> dict[float, float]:
    """Give the counts of the alerts' delays between two looks, by the upper bound of their bucket in seconds (cumulated)."""
    name = "churnwatch_event_to_alert_seconds_bucket"
    labels = {float(bound): str(float(bound)) for bound in DELAY_SECONDS} | {inf: "+Inf"}
    return {bound: after.sum(name, le=label) - before.sum(name, le=label) for bound, label in labels.items()}


def lines_of(log: str, levels: str) -> dict[str, int]:
    r"""Count the lines of a worker's log of these levels (alternatives of a pattern), by what they say without its numbers.

    >>> lines_of("2026-01-01 WARNING x: Drift of 3\n2026-01-02 WARNING x: Drift of 4\n", "WARNING")
    {'WARNING x: Drift of #': 2}
    """
    found: Counter[str] = Counter()
    for line in log.splitlines():
        if match := re.search(rf"\b({levels})\b.*", line):
            found[re.sub(r"-?\d+(\.\d+)?", "#", match[0])[:TEXT_MAX]] += 1
    return dict(found)


def _books(feeder: Feeder, listener: Listener, scrape: Scrape) -> Books:
    return Books(
        sent=feeder.sent,
        acknowledged=feeder.acknowledged,
        expected={outcome: feeder.outcomes[outcome] for outcome in OUTCOMES},
        counted={outcome: int(scrape.sum("churnwatch_events_total", outcome=outcome)) for outcome in OUTCOMES},
        read=int(scrape.sum("churnwatch_events_total", outcome="read")),
        alerts_counted=int(scrape.sum("churnwatch_alerts_total")),
        alerts_heard=listener.alerts,
        alerts_repeated=listener.repeated,
        episodes_counted=int(scrape.sum("churnwatch_open_episodes")),
        episodes_heard=listener.open,
        doubly_open=listener.doubly_open,
        kinds=dict(listener.kinds),
        examples={label: int(scrape.sum("churnwatch_examples_total", label=label)) for label in ("churned", "stayed")},
    )
