"""`make study NAME=uplift`: how often the intervals of `churnwatch uplift` hold the truth, in shops whose truth is known.

1. A shop warns about its customers for a year: segments of their own size, share that stays, spend (log-normal, none for
   those who leave) and liking for offers. The lot is the product's own (`held_out`, with a salt for each shop).
2. The team gets to a part of the treated; some take the action, and it keeps 15 % of its takers from leaving. In another shop,
   otherwise the same, it keeps nobody.
3. What became of each is booked as the product books it (`alerts.trials`), added up by its ledger and judged by `alerts.uplift`, at
   the end of each month.

The truth is the effect expected over all such shops. It is asked of 200 shops whether the interval at the end of the year
holds it, and of those without an effect whether `helped` was said, at the end or at any of the twelve looks.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from alerts.episode import Episode, alert_id, held_out
from alerts.intervals import Interval
from alerts.ledger import Ledger
from alerts.trials import Trial, conclude, first_day, hundredths, note_outcome
from alerts.uplift import Uplift, assess, trials_in
from churnwatch.terminal import note, progress, say
from streams.events import Outcome, OutcomeStatus
from streams.time import DAY_MS

SAVES: Final = 0.15
HOLDOUT: Final = 0.1
HORIZON_DAYS: Final = 60
MONTHS: Final = 12
START_DAY: Final = 20_089
"""2025-01-01."""

COVERAGE_MIN: Final = 0.93
FALSE_MAX: Final = 0.05


@dataclass(frozen=True, slots=True)
class Kind:
    """A segment of a shop.

    Attributes:
        segment, reason, action: as trials have them.
        share: of the alerts.
        stays: share that stays by itself.
        spend: mean spend within the horizon of those who stay; `spread`: of its logarithm.
        reached: share of the treated that the team gets to; `takes`: share of those that take the action.
    """

    segment: str
    reason: str
    action: str
    share: float
    stays: float
    spend: float
    spread: float
    reached: float
    takes: float


KINDS: Final = (
    Kind("new", "product", "onboarding", 0.2, 0.25, 30.0, 0.6, 0.5, 0.3),
    Kind("standard", "price", "personal_offer", 0.3, 0.35, 50.0, 0.7, 0.6, 0.5),
    Kind("loyal", "engagement", "loyalty_points", 0.35, 0.5, 120.0, 0.8, 0.7, 0.6),
    Kind("high_value", "service", "care_call", 0.15, 0.6, 400.0, 0.9, 0.9, 0.7),
)
ACCEPTS: Final = sum(kind.share * kind.reached * kind.takes for kind in KINDS)
CODES: Final = frozenset(kind.action for kind in KINDS)


@dataclass(frozen=True, slots=True)
class Truth:
    """Expected effects in a shop: on retention and spend of a treated customer, and on retention of a taker."""

    retention: float
    spend: float
    taker: float


class DayBook:
    """Collects what trials book, by day; one shop's `StatsBuilder`."""

    def __init__(self) -> None:
        self.days: dict[int, Counter[str]] = {}

    def book(self, day: int, *key: str, amount: int = 1) -> None:
        """Add an amount to the entry of a key on a UTC day."""
        self.days.setdefault(day, Counter())["|".join(key)] += amount


def truth(saves: float) -> Truth:
    """Return what is expected where the action keeps the share `saves` of its takers.

    >>> round(truth(0.15).retention, 4), truth(0.0).spend
    (0.0542, 0.0)
    """
    spend = sum(kind.share * kind.reached * kind.takes * saves * kind.spend for kind in KINDS)
    return Truth(saves * ACCEPTS, spend, saves)


def shop(seed: int, customers: int, saves: float) -> list[Uplift]:
    """Run one shop for a year, and return what is said of it at the end of each month."""
    draw = np.random.default_rng([seed, round(saves * 1000)])
    kinds = draw.choice(len(KINDS), size=customers, p=[kind.share for kind in KINDS])
    days = np.sort(draw.integers(0, MONTHS * 30, size=customers))
    chance = draw.random((4, customers))
    normal = draw.standard_normal(customers)
    book = DayBook()
    for number, (index, day) in enumerate(zip(kinds.tolist(), days.tolist(), strict=True)):
        _customer(
            f"{seed}-{number}",
            f"shop {seed}",
            KINDS[index],
            day,
            chance[:, number].tolist(),
            normal[number],
            saves,
            book,
        )
    ledger, said, after = Ledger(), [], START_DAY + HORIZON_DAYS
    for month in range(MONTHS):
        for day in range(after + month * 30, after + month * 30 + 31):
            ledger.add(day, book.days.pop(day, {}))
        rows = trials_in(ledger)
        if rows:
            said.append(assess(rows["all"]))
    return said


def _customer(
    name: str, salt: str, kind: Kind, day: int, chance: Sequence[float], normal: float, saves: float, book: DayBook
) -> None:
    """One customer's trial, from the alert to the booking."""
    opened_ms = (START_DAY + day) * DAY_MS - DAY_MS // 3
    held = held_out(name, salt, HOLDOUT)
    trial = Trial(
        number=1,
        opened_ms=opened_ms,
        until_day=first_day(opened_ms) + HORIZON_DAYS,
        held=held,
        segment=kind.segment,
        reason=kind.reason,
        action=kind.action,
        expected=hundredths(kind.spend),
    )
    stays, reached, takes, saved = chance
    kept, taken = stays < kind.stays, False
    if not held and reached < kind.reached:
        taken = takes < kind.takes
        did: OutcomeStatus = "accepted" if taken else "declined"
        # Of those who would leave so many are kept that it is `saves` of all takers.
        kept = kept or (taken and saved < saves / (1.0 - kind.stays))
        outcome = Outcome(
            event_id=name,
            customer_id=name,
            occurred_at=opened_ms + DAY_MS,
            alert_id=alert_id(name, day, 1, 1),
            status=did,
            action=kind.action,
            cost=5.0,
        )
        note_outcome(trial, outcome, Episode(life_day=day, number=1), CODES)
    spent = kind.spend * np.exp(kind.spread * normal - kind.spread**2 / 2.0) if kept else 0.0
    conclude(trial, kept=kept, spent=hundredths(float(spent)), book=book)


def summary(helped: Sequence[Sequence[Uplift]], idle: Sequence[Sequence[Uplift]]) -> dict[str, Any]:
    """Return the figures over shops in which the action helps, and shops in which it does nothing; and whether they hold."""
    there, nowhere = truth(SAVES), truth(0.0)
    ends, idle_ends = [said[-1] for said in helped], [said[-1] for said in idle]
    coverage = _coverage(ends, there)
    false = _said(idle_ends, "helped")
    false_ever = sum(any(look.verdict.kind == "helped" for look in said) for said in idle) / len(idle)
    naive = sum(any(look.retention and look.retention.low > 0 for look in said) for said in idle) / len(idle)
    width = sum(end.retention.high - end.retention.low for end in ends if end.retention) / len(ends)
    return {
        "study": "uplift",
        "runs": len(helped),
        "customers": ends[0].treated + ends[0].held,
        "truth": {"retention": round(there.retention, 4), "spend": round(there.spend, 2), "taker": there.taker},
        "mean_estimate": round(sum(end.retention.estimate for end in ends if end.retention) / len(ends), 4),
        "mean_width": round(width, 4),
        "coverage": coverage,
        "coverage_min": COVERAGE_MIN,
        "coverage_without_effect": _coverage(idle_ends, nowhere),
        "all_looks_at_once": sum(
            all(look.verdict.low <= there.retention <= look.verdict.high for look in said) for said in helped
        )
        / len(helped),
        "verdicts": {kind: _said(ends, kind) for kind in ("helped", "harmed", "no_difference", "unknown")},
        "verdicts_without_effect": {
            kind: _said(idle_ends, kind) for kind in ("helped", "harmed", "no_difference", "unknown")
        },
        "helped_without_effect_at_any_look": false_ever,
        "interval_above_zero_without_effect_at_any_look": naive,
        "false_max": FALSE_MAX,
        "holds": coverage["retention"] >= COVERAGE_MIN and max(false, false_ever) <= FALSE_MAX,
    }


def _coverage(ends: Sequence[Uplift], true: Truth) -> dict[str, float]:
    return {
        "retention": _holds([end.retention for end in ends], true.retention),
        "spend": _holds([end.spend for end in ends], true.spend),
        "value": sum(
            end.value_saved is not None and end.value_saved.low <= true.spend * end.treated <= end.value_saved.high
            for end in ends
        )
        / len(ends),
        "taker": _holds([end.on_accepted for end in ends], true.taker),
    }


def _holds(intervals: Sequence[Interval | None], true: float) -> float:
    return sum(found is not None and found.low <= true <= found.high for found in intervals) / len(intervals)


def _said(ends: Sequence[Uplift], kind: str) -> float:
    return sum(end.verdict.kind == kind for end in ends) / len(ends)


def main(arguments: list[str]) -> int:
    """Run the shops and print the figures; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make study NAME=uplift", description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=200, help="shops with an effect, and as many without")
    parser.add_argument("--customers", type=int, default=3000, help="customers warned about in a year")
    parser.add_argument("--seed", type=int, default=1, help="the first shop's; the others follow")
    asked = parser.parse_args(arguments)
    helped: list[list[Uplift]] = []
    idle: list[list[Uplift]] = []
    with progress("Shops", asked.runs) as update:
        for seed in range(asked.seed, asked.seed + asked.runs):
            helped.append(shop(seed, asked.customers, SAVES))
            idle.append(shop(seed, asked.customers, 0.0))
            update(len(helped), f"{len(helped)} of {asked.runs}")
    found = summary(helped, idle)
    said = found["coverage"]["retention"]
    note(
        f"The interval holds the truth in {said:.1%} of {asked.runs} shops; of those without an effect "
        f"{found['helped_without_effect_at_any_look']:.1%} were ever told that it helped"
    )
    say(json.dumps(found))
    return 0 if found["holds"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
