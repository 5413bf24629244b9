"""A live worker under load: how fast it takes in a backlog, and how long what it says takes at a steady rate."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agents.metric_catalog import LABELS
from bench.children import ROOT, environment, stop, worker
from bench.growth_events import Plan, as_json, send_all, uniform
from bench.growth_run import Watched, claimed, scrape
from bench.latency_figures import Figures, after_warm_up, events_per_step, figures, stage_ms
from bench.latency_listener import Listener
from bench.measures import WrongAnswer
from churnwatch.child import free_port
from churnwatch.settings import Settings

CUSTOMERS: Final = 50_000
SCORES_MAX: Final = 10_000
SCORES_SHARE: Final = 3
"""At most one event in so many goes to a customer whose score is to be told: else telling would be the load."""

ALERTS_PER_SECOND: Final = 25
WARM_SECONDS: Final = 3.0
SETTLE_SECONDS: Final = 1.0
END_SECONDS_MAX: Final = 60.0
STAGES: Final = LABELS["stage"].values


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done: events of a backlog (a third is warm-up), seconds measured at each load, and at each of the other settings.

    The backlog is a matter of several seconds: of one of 45,000 events a second was measured, and the same worker found 17,000 or 26,000.
    """

    backlog: int = 150_000
    seconds: float = 15.0
    other_seconds: float = 8.0


@dataclass(frozen=True, slots=True)
class Level:
    """What was found at one load: the pace asked for and kept, latencies of scores and alerts, mean milliseconds by stage of a step."""

    name: str
    per_second: float
    source: Mapping[str, Any]
    scores: Figures
    alerts: Figures
    stages: Mapping[str, float]
    events_per_step: float


def samples(seconds: float) -> tuple[int, int]:
    """Give how many scores, at most, and alerts are asked for in so many measured seconds and the warm-up before them.

    >>> samples(15.0)
    (12000, 450)
    """
    long = WARM_SECONDS + seconds
    return int(SCORES_MAX * long / seconds), int(ALERTS_PER_SECOND * long)


class Loaded:
    """One installation; `run` starts a worker for it. Each customer `s-…` and `l-…` gives one sample, whoever runs."""

    def __init__(self, settings: Settings, scratch: Path, size: Size, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._scratch = scratch
        self._size = size
        self._say = say
        self._watched = Watched(settings)
        self._listener = Listener(settings)
        self._scores = self._leavers = self._rounds = 0
        self.sent = 0

    def close(self) -> None:
        """Stop listening."""
        self._listener.stop()
        self._watched.client.close()

    @contextmanager
    def run(self, overrides: Mapping[str, Any]) -> Iterator[Running]:
        """Run a worker with other settings over a backlog that it finds; it is stopped at the end of the block."""
        self._backlog()
        settings = self._settings.model_copy(update={"web_port": free_port(), **overrides})
        before = self._watched.claims()
        with worker(settings, self._scratch / f"latency-{self._rounds}.log") as process:
            claimed(self._watched, before, process)
            yield Running(self, settings, process, self._caught_up(process))
            stop(process)

    def _backlog(self) -> None:
        self._rounds += 1
        from_ms = time.time_ns() // 1_000_000 - self._size.backlog
        events = uniform(f"b{self._rounds}-", CUSTOMERS, self._size.backlog, from_ms, self._rounds)
        self.sent += send_all(self._settings, events)

    def _caught_up(self, process: subprocess.Popen[bytes]) -> float:
        """Wait until the backlog is taken in; returns events a second, warm-up left out."""
        warm = self.sent - 2 * self._size.backlog // 3
        timeline = self._watched.follow(lambda taken: taken >= self.sent, [process])
        first, last = next(at for at in timeline if at[1] >= warm), timeline[-1]
        return (last[1] - first[1]) / (last[0] - first[0])

    def plan(self, per_second: float, seconds: float) -> Plan:
        """Plan a load, with its warm-up; what it uses up of the customers is taken."""
        self._rounds += 1
        scores, alerts = samples(seconds)
        long = WARM_SECONDS + seconds
        scores = min(scores, int(per_second * long) // SCORES_SHARE)
        plan = Plan(f"p{self._rounds}-", CUSTOMERS, per_second, long, scores, self._scores, alerts, self._leavers)
        self._scores += plan.scores
        self._leavers += plan.leavers
        return plan

    def load(self, name: str, plan: Plan, settings: Settings, process: subprocess.Popen[bytes]) -> Level:
        """Send at a steady rate to a running worker, and hear what it says."""
        time.sleep(SETTLE_SECONDS)
        self._listener.take()
        before = scrape(settings)
        source = _send(settings, plan)
        self.sent += plan.events
        self._watched.follow(lambda taken: taken >= self.sent, [process], END_SECONDS_MAX)
        time.sleep(SETTLE_SECONDS)
        after, (scores, alerts) = scrape(settings), self._listener.take()
        check_heard(name, plan, len(scores), len(alerts))
        warm_ms = int(1000 * WARM_SECONDS)
        found = Level(
            name,
            plan.per_second,
            source,
            figures(after_warm_up(scores, warm_ms)),
            figures(after_warm_up(alerts, warm_ms)),
            stage_ms(before, after, STAGES),
            events_per_step(before, after),
        )
        p99 = found.alerts.percentiles["p99"]
        self._say(f"{name}: {plan.per_second:,.0f} events/s, event to alert p99 {p99:.0f} ms")
        return found


@dataclass(frozen=True, slots=True)
class Running:
    """A worker that has caught up; `throughput` is how many events a second it took in of the backlog."""

    loaded: Loaded
    settings: Settings
    process: subprocess.Popen[bytes]
    throughput: float

    def level(self, name: str, per_second: float, seconds: float) -> Level:
        """Measure at a steady rate."""
        return self.loaded.load(name, self.loaded.plan(per_second, seconds), self.settings, self.process)


def _send(settings: Settings, plan: Plan) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.pace"],
        cwd=ROOT,
        env=environment(settings),
        input=as_json(plan),
        capture_output=True,
        text=True,
        timeout=plan.seconds + END_SECONDS_MAX,
        check=False,
    )
    if done.returncode:
        raise WrongAnswer(f"the producer has ended with code {done.returncode}: {done.stderr[-2000:]}")
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def check_heard(name: str, plan: Plan, scores: int, alerts: int) -> None:
    """Raise WrongAnswer unless every score and alert planned was heard, once."""
    if (scores, alerts) != (plan.scores, plan.leavers):
        raise WrongAnswer(
            f"{name}: {plan.scores} scores and {plan.leavers} alerts should have come of the events, and there were "
            f"{scores} and {alerts}"
        )
