"""A soak's phases, one after the other, with a look at everything every few seconds."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from math import inf
from typing import Final

from agents.metric_catalog import DELAY_SECONDS
from chaos import soak_plan, soak_shop
from chaos.soak_feed import Feeder, Listener
from chaos.soak_probe import Probe, Sample
from chaos.soak_record import Soak
from churnwatch.scrape import Scrape
from streams.errors import TransportError
from streams.time import DAY_MS

START_SECONDS_MAX: Final = 120.0
SETTLE_SECONDS_MAX: Final = 300.0
LOOK_SECONDS: Final = 0.2
TELL_SECONDS: Final = 10.0

Say = Callable[[str], None]


class Course:
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
        self._feeder.ahead = soak_plan.FILL_AHEAD
        self._feeder.start()

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
        if sample.at - self._told >= TELL_SECONDS:
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
