"""`make study NAME=value`: what customers are expected to spend, against what they spent, and against BG/NBD with Gamma-Gamma.

    1. The log is replayed by the product up to a cut: then it holds every customer's state, and what it has learnt, as at that instant.
    2. The product's own code says what each customer will spend in the next 180 days, and between which bounds.
    3. The rival is fitted to the same history in batch, by maximum likelihood, and says the same.
    4. Both are held against what was spent: Spearman's rank correlation over all customers with an order before the cut, sums, and for the
       bounds the share of customers within.

Falls short (exit code 1) where the product's rank correlation is more than .01 below the rival's at any cut of any log.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from agents.record import decode_customer
from agents.sight import see
from alerts.value import buying_in, forecast
from churnwatch.backtest import Backtest, replay
from churnwatch.commands.backtest import settings_of
from churnwatch.compose import first_guide
from churnwatch.settings import Settings
from churnwatch.terminal import Update, note, progress, say
from models.learner import Learner
from streams.errors import ChurnwatchError
from streams.files import read_events
from streams.time import DAY_MS, day_of, iso, parse_instant
from studies.bgnbd_gg import rival

Floats = NDArray[np.float64]

CDNOW: Final = Path(__file__).resolve().parents[1] / "data" / "cdnow.jsonl.gz"
RETAIL: Final = "CHURNWATCH_RETAIL_LOG"
CUTS: Final = (0.40, 0.55, 0.70)
HORIZON_DAYS: Final = 180
MARGIN: Final = 0.01
ACTIVE_DAYS: Final = 90


class Said(NamedTuple):
    """What the product expects: spend of the horizon, and the bounds between which eight of ten lie."""

    expected: float
    low: float
    high: float


class Spent:
    """Every customer's days with an order and what was spent on each, from the log itself, not by the product."""

    def __init__(self, path: Path) -> None:
        days: dict[tuple[str, int], float] = {}
        self.first_day, self.end_day = sys.maxsize, 0
        for _, stream, raw in read_events(path):
            event = json.loads(raw)
            day = _day(event)
            self.first_day, self.end_day = min(self.first_day, day), max(self.end_day, day + 1)
            if stream == "orders" and event.get("status", "placed") == "placed":
                key = event["customer_id"], day
                days[key] = days.get(key, 0.0) + event["amount"]
        self.names = sorted({name for name, _ in days})
        place = {name: number for number, name in enumerate(self.names)}
        rows = sorted((place[name], day, amount) for (name, day), amount in days.items())
        self.customer = np.array([row[0] for row in rows], dtype=np.int64)
        self.day = np.array([row[1] for row in rows], dtype=np.int64)
        self.amount = np.array([row[2] for row in rows], dtype=np.float64)

    def cuts(self) -> list[int]:
        """Return the days to stand at, such that the horizon lies within the log."""
        span, last = self.end_day - self.first_day, self.end_day - HORIZON_DAYS
        return sorted({min(self.first_day + round(share * span), last) for share in CUTS})

    def until(self, cut: int) -> dict[str, Floats]:
        """Return, by customer, repeats (-1 for nobody yet), span, age and spend of repeat days before the cut, and spend after it."""
        size = len(self.names)
        known = self.day < cut
        whose, day, amount = self.customer[known], self.day[known], self.amount[known]
        first, last = np.full(size, cut), np.zeros(size, dtype=np.int64)
        np.minimum.at(first, whose, day)
        np.maximum.at(last, whose, day)
        again = day > first[whose]
        later = (self.day >= cut) & (self.day < cut + HORIZON_DAYS)
        return {
            "repeats": np.bincount(whose, minlength=size) - 1.0,
            "span": np.maximum(last - first, 0).astype(np.float64),
            "age": (cut - first).astype(np.float64),
            "again": np.bincount(whose[again], amount[again], minlength=size),
            "spent": np.bincount(self.customer[later], self.amount[later], minlength=size),
        }


def said_by_product(path: Path, cut: int, settings: Settings, update: Update) -> dict[str, Said]:
    """Return what the product expects of every customer whom it knows, once it has read the log up to the midnight before day `cut`."""

    def moved(result: Backtest, clock_ms: int, _: Learner | None) -> None:
        update(result.events["read"], f"up to {iso(cut * DAY_MS)[:10]}, at {iso(max(clock_ms, 0))[:10]}")

    with tempfile.TemporaryDirectory() as folder:
        history = Path(folder) / "history.jsonl"
        with history.open("wb") as file:
            for _, _, raw in read_events(path):
                if _day(json.loads(raw)) < cut:
                    file.write(raw.rstrip() + b"\n")
        now_ms = time.time_ns() // 1_000_000
        result = asyncio.run(replay(settings, [history], now_ms=now_ms, progress=moved))
    said: dict[str, Said] = {}
    buying = buying_in((result.guide or first_guide()).extra)
    for name, value in result.partition.states.items():
        customer = decode_customer(value)
        customer.as_of_ms = cut * DAY_MS
        sight = see(customer, settings.churn_on, buying, silence=True)
        if sight.order_days:
            told = forecast(sight.history, HORIZON_DAYS, buying)
            said[name] = Said(told.expected, told.low, told.high)
    return said


def judge(said: Mapping[str, Said], spent: Spent, cut: int) -> dict[str, Any]:
    """Return how the product and the rival did at a cut; whom the product has forgotten it expects nothing of."""
    columns = spent.until(cut)
    known = columns["repeats"] >= 0
    repeats, span, age, again, truth = (columns[name][known] for name in ("repeats", "span", "age", "again", "spent"))
    names = [name for name, there in zip(spent.names, known, strict=True) if there]
    ours = np.array([said.get(name, Said(0.0, 0.0, 0.0)) for name in names])
    theirs = rival(repeats, span, age, again, HORIZON_DAYS)
    active = age - span <= ACTIVE_DAYS
    within = (truth >= ours[:, 1]) & (truth <= ours[:, 2])
    return {
        "cut": iso(cut * DAY_MS)[:10],
        "customers": len(names),
        "bought": round(float((truth > 0).mean()), 4),
        "product": {
            "rank": rank(ours[:, 0], truth),
            "sum_ratio": ratio(ours[:, 0], truth),
            "sum_ratio_active": ratio(ours[active, 0], truth[active]),
            "within_80": round(float(within.mean()), 4),
            "within_80_active": round(float(within[active].mean()), 4),
            "above": round(float((truth > ours[:, 2]).mean()), 4),
        },
        "rival": {
            "rank": rank(theirs, truth),
            "sum_ratio": ratio(theirs, truth),
            "sum_ratio_active": ratio(theirs[active], truth[active]),
        },
    }


def rank(expected: Floats, spent: Floats) -> float:
    """Return Spearman's rank correlation, four digits."""
    return round(float(spearmanr(expected, spent).statistic), 4)


def ratio(expected: Floats, spent: Floats) -> float:
    """Return the sum expected over the sum spent, four digits."""
    return round(float(expected.sum() / spent.sum()), 4)


def holds(cuts: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether the product ranks as well as the rival, or within the margin, at every cut."""
    return all(cut["product"]["rank"] >= cut["rival"]["rank"] - MARGIN for cut in cuts)


def study(path: Path) -> list[dict[str, Any]]:
    """Replay the log up to each cut, and judge what is said there.

    Raises:
        InputFileError: the log or a line of it cannot be read.
    """
    spent, settings = Spent(path), settings_of(None, None, None, None)
    told: list[dict[str, Any]] = []
    with progress(path.name) as update:
        for cut in spent.cuts():
            told.append(judge(said_by_product(path, cut, settings, update), spent, cut))
            ours, theirs = told[-1]["product"], told[-1]["rival"]
            said = f"rank correlation {ours['rank']:.4f}, the rival's {theirs['rank']:.4f}"
            note(f"{path.name}, as of {told[-1]['cut']}: {said}; {ours['within_80']:.0%} within their bounds")
    return told


def main(arguments: list[str]) -> int:
    """Study CDNOW, and Online Retail II where it is there; the last line is the answer as JSON. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="make study NAME=value", description=__doc__)
    parser.add_argument("--retail", type=Path, help=f"the Online Retail II log (default: the variable {RETAIL})")
    # It is no setting of the product, which would stop at an unknown one.
    given = os.environ.pop(RETAIL, None)
    retail = parser.parse_args(arguments).retail or (Path(given) if given else None)
    if retail is None:
        note(f"value: no Online Retail II log ({RETAIL} is not set): CDNOW alone")
    try:
        logs = {name: study(path) for name, path in (("cdnow", CDNOW), ("retail", retail)) if path is not None}
    except ChurnwatchError as error:
        note(f"value: {error}")
        return 1
    passed = all(holds(cuts) for cuts in logs.values())
    say(json.dumps({"study": "value", "horizon_days": HORIZON_DAYS, "margin": MARGIN, "passed": passed, "logs": logs}))
    return 0 if passed else 1


def _day(event: Mapping[str, Any]) -> int:
    at = event["occurred_at"]
    return day_of(parse_instant(at) if isinstance(at, str) else at)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
