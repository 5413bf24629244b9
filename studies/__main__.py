"""`make quality`: the product and its rivals on the same snapshots of a log, with the same delays; definitions in `docs/backtest.md`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from churnwatch.backtest_run import run
from churnwatch.backtest_summary import Judged, summary
from churnwatch.backtest_told import number
from churnwatch.commands.backtest import settings_of, since_of
from churnwatch.commands.options import span_ms
from churnwatch.evaluation import BEFORE_DAYS, Floats
from churnwatch.report.contender import Contender, contend
from churnwatch.report.rivals import by_bgnbd, by_silence, order_days
from churnwatch.settings import Settings
from churnwatch.terminal import Update, note, progress, say, say_table
from streams.errors import ChurnwatchError
from streams.time import DAY_MS, iso
from studies.rivals import by_batch, logistic, matrix, trees

RESULTS: Final = Path(__file__).resolve().parent / "results"
COLUMNS: Final = ("roc_auc", "weekly_auc", "pr_auc", "lift_10", "log_loss", "ece")
OURS: Final = "Churnwatch, online"
RANKED: Final = "the same, as alerts rank it"


def main(arguments: list[str]) -> int:
    """Replay the log, let the rivals score the same snapshots, print the table and keep it; returns the exit code."""
    asked = _asked(arguments)
    try:
        settings = settings_of(asked.horizon, asked.active, asked.snapshot, None)
        judged = run(
            settings, [asked.log], since_of(asked.evaluate_from), span_ms("--burn-in", asked.burn_in), vectors=True
        )
        with progress("Rivals") as update:
            contenders = compare(judged, settings, update)
    except ChurnwatchError as error:
        note(f"quality: {error}")
        return 1
    told = summary(judged)
    _print(contenders, told)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{asked.log.name.partition('.')[0]}.json"
    kept = {"log": asked.log.name, "contenders": {name: _kept(one) for name, one in contenders.items()}} | told
    path.write_text(json.dumps(kept, indent=1) + "\n")
    say(f"Kept in {path.relative_to(RESULTS.parents[1])}")
    return 0


def _asked(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make quality", description=__doc__)
    parser.add_argument("log", type=Path, help="events as JSON Lines, plain, .gz or .zst")
    parser.add_argument("--horizon", help="churned means: no order for so long (60d)")
    parser.add_argument("--active", help="asked about is who has ordered within it (90d)")
    parser.add_argument("--snapshot", help="how often it is asked (7d)")
    parser.add_argument("--burn-in", default="84d", help="nothing said so soon after the first event is evaluated")
    parser.add_argument("--evaluate-from", default="half", help="half, start or a date")
    return parser.parse_args(arguments)


def compare(judged: Judged, settings: Settings, update: Update) -> dict[str, Contender]:
    """Return name to how it did, the simplest first."""
    said, span = judged.said, judged.span
    from_ms = span.from_ms - BEFORE_DAYS * DAY_MS

    def step(of: str) -> Callable[[int], None]:
        share = span.last_ms - from_ms
        return lambda at_ms: update((at_ms - from_ms) / share, f"{of} as of {iso(at_ms)[:10]}", 1.0)

    found = {"days of silence": contend(judged, said.silence_days, probability=False)}
    found["silence rule"] = contend(judged, by_silence(said))
    days = order_days(said, judged.history.orders)
    bgnbd = by_bgnbd(said, days, from_ms, settings.horizon_ms / DAY_MS, step("BG/NBD"))
    found["BG/NBD, every 4 weeks"] = contend(judged, bgnbd)
    figures = matrix(judged.rows)
    spoke = np.asarray(judged.rows.version >= 1)
    for name, make in (("logistic regression", logistic), ("LightGBM", trees)):
        risk: Floats = by_batch(judged.rows, figures, from_ms, make, step(name))[spoke]
        found[f"{name}, every 4 weeks"] = contend(judged, risk)
    # Last what was said, and the order in which alerts rank it: by how new a risk is, too.
    return found | {OURS: contend(judged, said.risk), RANKED: contend(judged, judged.news, probability=False)}


def _kept(one: Contender) -> dict[str, Any]:
    return {
        "all": one.all,
        "regulars": one.regulars,
        "caught_by_30_days": one.catch_30,
        "caught_by_45_days": one.catch_45,
    }


def _print(contenders: dict[str, Contender], told: dict[str, Any]) -> None:
    quality, left = told["quality"], told["regulars"]["for_good"]["left"]
    head = ("", *COLUMNS, "regulars: weekly_auc", "regulars: P@10 %", "caught by 30 days", "caught by 45 days")
    rows = [
        (
            name,
            *(number(one.all[column]) for column in COLUMNS),
            number(one.regulars["weekly_auc"]),
            number(one.regulars["precision_10"]),
            number(one.catch_30),
            number(one.catch_45),
        )
        for name, one in contenders.items()
    ]
    title = (
        f"{quality['examples']:,} evaluated snapshots, base rate {number(quality['base_rate'])}; "
        f"regulars: base rate {number(told['segments']['regulars']['base_rate'])}, {left:,} left for good"
    )
    say_table(title, head, rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
