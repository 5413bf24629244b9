"""`make study NAME=budget`: does a budget of 40 alerts a day come out as 40, and does it go to the most value at stake?

    log --> the product's own backtest --> every decision on a customer, overheard
                                             |                     |
                                             v                     v
                        candidates of the day: who may be warned   opened: who is
                             |                                          |
                             v                                          v
                as many of them, by risk alone: value at stake  <--->  value at stake

A candidate of a UTC day was looked at on it, has ordered on days enough, has been silent for `alert_min_silence`, and is in no episode, rest
or snooze, nor gone; floors and thresholds are not asked. Customers are held against the same day's others, as many as were opened on it,
and against the same week's (most are looked at once a week, on the day of the snapshots), whichever does better by risk alone.
Value at stake is annual value times risk, as the alert says. The first half of the log, as in every backtest, is warm-up: labels mature,
segments fill, and the budget counts four weeks before it corrects itself.

`silences_per_day` is how many silences lasted long enough for anybody to be warned: a customer is warned once in each, so no budget above
it can be used. On a shop where it is near the budget, nearly everybody who may be warned is, whatever is ranked by.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple
from unittest.mock import patch

from agents import look
from alerts.decide import Assessment, Tally, decide
from alerts.episode import Episode, Transition
from alerts.policy import Policy
from alerts.segments import SEGMENTS
from alerts.value import at_risk
from churnwatch.backtest_run import run
from churnwatch.backtest_summary import Judged, summary
from churnwatch.commands.backtest import settings_of
from churnwatch.terminal import note, say
from streams.errors import ChurnwatchError
from streams.time import DAY_MS, day_of

BUDGET: Final = 40.0
OFF_MAX: Final = 0.1
RATIO_MIN: Final = 1.5
BURN_IN_MS: Final = 84 * DAY_MS
CDNOW: Final = Path(__file__).resolve().parents[1] / "data" / "cdnow.jsonl.gz"
RETAIL_LOG: Final = "CHURNWATCH_RETAIL_LOG"

WEEK_DAYS: Final = 7


class Candidate(NamedTuple):
    """One who could have been warned on a UTC day: `stake` is the value at risk, `since_ms` the last order, `opened` whether they were."""

    day: int
    customer_id: str
    segment: str
    risk: float
    stake: float
    since_ms: int
    opened: bool


def may_be_warned(episode: Episode, seen: Assessment, policy: Policy) -> bool:
    """Tell whether nothing but level and rise of the risk stands between the customer and a warning."""
    return not (
        episode.open
        or seen.gone
        or seen.cancelled
        or seen.held
        or seen.order_days < policy.min_order_days
        or seen.last_seen_ms > episode.seen_ms
        or seen.as_of_ms
        < max(episode.quiet_until_ms, episode.snoozed_until_ms, seen.last_seen_ms + policy.min_silence_ms)
    )


@contextmanager
def overheard(found: list[Candidate]) -> Iterator[None]:
    """Note every candidate that the pipeline decides on within; it decides as ever."""

    def note_and_decide(
        episode: Episode, seen: Assessment, threshold: float, policy: Policy, tally: Tally | None = None
    ) -> tuple[Transition, ...]:
        asked = may_be_warned(episode, seen, policy)
        transitions = decide(episode, seen, threshold, policy, tally)
        if asked:
            opened = any(step.kind == "opened" for step in transitions)
            stake, day = at_risk(seen.value, seen.risk), day_of(seen.as_of_ms)
            found.append(Candidate(day, seen.customer_id, seen.segment, seen.risk, stake, seen.last_seen_ms, opened))
        return transitions

    with patch.object(look, "decide", note_and_decide):
        yield


def stake_by_risk(found: Iterable[Candidate], days: int) -> float:
    """Return the value at stake in the highest risks, as many as were opened in each span of so many days; each customer once a span."""
    spans: dict[int, dict[str, Candidate]] = defaultdict(dict)
    opened: Counter[int] = Counter()
    for one in found:
        span = (one.day + 3) // days  # weeks begin on Mondays, as the snapshots do
        opened[span] += one.opened
        best = spans[span].get(one.customer_id)
        if best is None or one.risk > best.risk:
            spans[span][one.customer_id] = one
    return sum(
        one.stake
        for span, those in spans.items()
        for one in sorted(those.values(), key=lambda one: (-one.risk, one.customer_id))[: opened[span]]
    )


def figures(found: list[Candidate], days: float) -> dict[str, Any]:
    """Return what was opened a day and what was at stake in it, over `days` days."""
    opened = [one for one in found if one.opened]
    stake = sum(one.stake for one in opened)
    by_day, by_week = (stake_by_risk(found, span) for span in (1, WEEK_DAYS))
    return {
        "opened_per_day": round(len(opened) / days, 2),
        "silences_per_day": round(len({(one.customer_id, one.since_ms) for one in found}) / days, 2),
        "stake_per_day": round(stake / days, 2),
        "stake_of_highest_risks_per_day": round(max(by_day, by_week) / days, 2),
        "ratio": round(stake / max(by_day, by_week, 1e-9), 3),
        "ratio_by_day": round(stake / max(by_day, 1e-9), 3),
        "ratio_by_week": round(stake / max(by_week, 1e-9), 3),
        "segments": {
            name: {
                "opened_per_day": round(sum(one.segment == name for one in opened) / days, 2),
                "stake_per_day": round(sum(one.stake for one in opened if one.segment == name) / days, 2),
            }
            for name in SEGMENTS
        },
    }


def falls_short(told: dict[str, Any], budget: float) -> list[str]:
    """Say in words what is missed."""
    opened, ratio = told["opened_per_day"], told["ratio"]
    missed = []
    if abs(opened - budget) > OFF_MAX * budget:
        missed.append(
            f"{opened:.1f} alerts a day, not {budget:g} ± {OFF_MAX:.0%}: "
            f"{told['silences_per_day']:.1f} silences a day were long enough to warn of"
        )
    if ratio < RATIO_MIN:
        missed.append(f"{ratio:.2f} times the value at stake in as many of the highest risks, not {RATIO_MIN:g}")
    return missed


def study(log: Path, budget: float) -> dict[str, Any]:
    """Replay a log with a budget, and say what came of it in the second half.

    Raises:
        ChurnwatchError: the log cannot be read, or a setting in the environment is wrong.
    """
    found: list[Candidate] = []
    with overheard(found):
        judged = run(settings_of(None, None, None, budget), [log], "half", BURN_IN_MS)
    span = judged.span
    later = [one for one in found if one.day >= day_of(span.from_ms)]
    told = figures(later, (span.last_ms - span.from_ms) / DAY_MS)
    return {"budget": budget, **told, **_how_right(judged)}


def _how_right(judged: Judged) -> dict[str, Any]:
    alerts = summary(judged)["alerts"]
    parts = {name: one["precision"] for name, one in alerts["segments"].items()}
    return {
        "precision": alerts["precision"],
        "precision_by_chance": alerts["precision_by_chance"],
        "precision_of": parts,
    }


def main(arguments: list[str]) -> int:
    """Study the logs that are there, print the figures, return 1 where they fall short."""
    parser = argparse.ArgumentParser(prog="make study NAME=budget", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--retail", type=Path, default=os.environ.get(RETAIL_LOG), help=f"Online Retail II ({RETAIL_LOG})"
    )
    parser.add_argument("--budget", type=float, default=BUDGET, help="alerts a day (40)")
    asked = parser.parse_args(arguments)
    logs = {"cdnow": CDNOW, "retail": None if asked.retail is None else Path(asked.retail)}
    told: dict[str, Any] = {}
    missed: list[str] = []
    for name, log in logs.items():
        if log is None:
            say(f"{name}: passed over, for {RETAIL_LOG} names no log")
            continue
        try:
            told[name] = study(log, asked.budget)
        except ChurnwatchError as error:
            note(f"study: {error}")
            return 1
        missed += [f"{name}: {what}" for what in falls_short(told[name], asked.budget)]
    for what in missed:
        say(f"falls short: {what}")
    say(json.dumps(told | {"falls_short": missed}))
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
