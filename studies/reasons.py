"""`make study NAME=reasons`: do alerts name the cause for which customers truly leave?

Five synthetic populations (`studies.population`) go through the product's own replay: features, a model that learns as it goes, budget,
episodes. Looked at are alerts of kind `opened` that rest on the model, raised for customers who leave, from the onset of their cause on.
Their first reason is held against the planted cause. What an alert raised before the onset says cannot be right or wrong: there is no cause yet.

The last line is JSON. Exit code 1 where fewer than 80 % of the first reasons are right, or fewer than 60 % in any family.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from alerts.alert import Alert
from churnwatch.backtest import replay
from churnwatch.settings_load import load_settings
from churnwatch.terminal import say
from streams.time import DAY_MS, parse_instant
from studies.population import CAUSES, START_MS, Truth, populate

SEEDS: Final = 5
RIGHT_MIN: Final = 0.8
RECALL_MIN: Final = 0.6
BUDGET: Final = 20.0
"""Alerts a day: enough that most who leave are alerted, so that every cause is seen."""

Pairs = Counter[tuple[str, str]]
"""(planted cause, first reason) to alerts."""


def main(arguments: Sequence[str]) -> int:
    """Run the study; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make study NAME=reasons", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, metavar="N", help="populations (default: %(default)s)")
    parser.add_argument("--customers", type=int, default=400, metavar="N", help="in each (default: %(default)s)")
    asked = parser.parse_args(arguments)
    began = time.monotonic()
    seeds = range(1, asked.seeds + 1)
    found: dict[int, Pairs] = {}
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for seed, pairs in zip(seeds, pool.map(study, seeds, [asked.customers] * len(seeds)), strict=True):
            found[seed] = pairs
            say(f"population {seed}: {told(pairs)}")
    report = summary(found.values())
    report["seeds"] = {str(seed): summary([pairs])["right"] for seed, pairs in found.items()}
    report["seconds"] = round(time.monotonic() - began)
    say(json.dumps(report))
    return 0 if report["holds"] else 1


def study(seed: int, customers: int) -> Pairs:
    """Replay one population, and return what was said beside what was true."""
    population = populate(seed, customers)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "population.jsonl"
        log.write_text("".join(json.dumps(event) + "\n" for event in population.events))
        settings = load_settings(alert_daily_budget=BUDGET)
        result = asyncio.run(replay(settings, [log], now_ms=time.time_ns() // 1_000_000))
    return pairs_of(result.alerts, population.left)


def pairs_of(alerts: Iterable[Alert], left: Mapping[str, Truth]) -> Pairs:
    """Return (planted cause, first reason) of the alerts that are looked at; see the module's text."""
    pairs: Pairs = Counter()
    for alert in alerts:
        truth = left.get(alert.customer_id)
        if truth is None or alert.kind != "opened" or alert.model.version.startswith("rule"):
            continue
        if parse_instant(alert.raised_at) >= START_MS + truth.onset_day * DAY_MS:
            pairs[truth.cause, alert.reasons[0].code] += 1
    return pairs


def summary(found: Iterable[Pairs]) -> dict[str, Any]:
    """Return the figures: shares of alerts, overall and by planted cause, and whether they hold."""
    pairs: Pairs = sum(found, Counter())
    alerts = pairs.total()
    right = sum(pairs[cause, cause] for cause in CAUSES) / max(alerts, 1)
    recall = {cause: pairs[cause, cause] / max(_of(pairs, cause), 1) for cause in CAUSES}
    return {
        "study": "reasons",
        "alerts": alerts,
        "right": round(right, 4),
        "right_min": RIGHT_MIN,
        "recall": {cause: round(share, 4) for cause, share in recall.items()},
        "recall_min": RECALL_MIN,
        "said": {cause: {code: pairs[cause, code] for code in CAUSES} for cause in CAUSES},
        "holds": right >= RIGHT_MIN and min(recall.values()) >= RECALL_MIN,
    }


def told(pairs: Pairs) -> str:
    """Say in one line how a population came out."""
    figures = summary([pairs])
    recall = ", ".join(f"{cause} {share:.0%}" for cause, share in figures["recall"].items())
    return f"{figures['right']:.0%} of {figures['alerts']} first reasons are right ({recall})"


def _of(pairs: Pairs, cause: str) -> int:
    return sum(count for (planted, _), count in pairs.items() if planted == cause)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
