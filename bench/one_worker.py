"""Scenario `one_worker`: a made-up shop with four streams, and how many events a second one worker takes in, against everyone.

1. A log is made up and published; a tenth of its customers are a second log, of the same shape, for the slowest rival.
2. A model is learnt once and frozen, so that all contestants score alike and none waits for labels.
3. The contestants take turns; the median of the rounds counts.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

from bench import contest, synthetic
from bench.contest import HANDWRITTEN, NO_PIPELINE, NO_REDIS, QUIX, STOCK, WORKER, Log
from bench.measures import agree
from bench.outcomes import outcome
from bench.scenario import Outcome, Say
from churnwatch.backtest import replay
from churnwatch.services import Services
from churnwatch.settings import Settings
from models.guide import encode_guide

ROUNDS: Final = 3
CUSTOMERS: Final = 5_000
SHARE: Final = 10
"""The slowest rival's log has one in so many of the customers."""

DAYS: Final = 10
SEED: Final = 11

FAST: Final = (WORKER, HANDWRITTEN, QUIX, NO_REDIS, NO_PIPELINE)


def run(services: Services, scratch: Path, say: Say) -> Outcome:
    """Run the scenario; raises WrongAnswer where a contestant has not done the work."""
    whole = prepare(services, scratch, "one-worker.", CUSTOMERS, say)
    part = prepare(services, scratch, "one-worker-part.", CUSTOMERS // SHARE, say)
    runs = contest.contest(whole, contest.contestants(FAST, say), ROUNDS, scratch, say)
    runs |= contest.contest(part, [STOCK], ROUNDS, scratch, say)
    details = {"log": contest.told(whole), "log_of_the_slowest": contest.told(part)}
    return outcome("A made-up shop, four streams", runs, [agree(runs, contest.exact(whole))], details)


def prepare(services: Services, scratch: Path, prefix: str, customers: int, say: Say) -> Log:
    """Make up a log of so many customers, learn a model of another of the same shop, and publish the log."""
    model = scratch / "model"
    if not model.exists():
        say("learning a model to be frozen")
        model.write_bytes(_learnt(scratch))
    events = synthetic.shop(customers, DAYS, SEED)
    path = synthetic.write(scratch / f"{prefix}jsonl", events)
    settings = contest.settings_for(services, prefix, model)
    contest.publish(services, settings, path, len(events))
    log = Log(settings, synthetic.STREAMS, len(events), synthetic.customers_of(events))
    say(f"published {log.events:,} events of {log.customers:,} customers")
    return log


def _learnt(scratch: Path) -> bytes:
    """Learn from another log of the same shop, with a question that is answered within it."""
    path = synthetic.write(
        scratch / "learn.jsonl", synthetic.shop(synthetic.LEARN_CUSTOMERS, synthetic.LEARN_DAYS, SEED + 1)
    )
    return learnt(Settings(**synthetic.LEARN_QUESTION), path)


def learnt(settings: Settings, path: Path) -> bytes:
    """Replay a file and give the model that it leaves."""
    found = asyncio.run(replay(settings, [path], now_ms=time.time_ns() // 1_000_000))
    assert found.guide is not None
    assert found.guide.ready
    return encode_guide(found.guide)
