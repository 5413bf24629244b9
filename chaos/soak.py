"""`make soak`: does anything grow that should not? `python -m chaos.soak --minutes N`.

One real worker, learning, takes in a shop's events at a steady rate, with event time running far faster than the clock on the wall:
customers come, live, fall silent and expire; labels ripen, models are cut, alerts open and close, over and over. Memory of worker
and Redis must stay flat. Then ten times the rate for a minute: lag grows and nothing else, and falls back. At the end the books of
events, alerts and episodes must agree. Exit code 1 where something does not hold; what a run is too
short to tell is marked, and fails nothing.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import redis

from chaos import soak_plan
from chaos.soak_record import Options
from chaos.soak_report import document, show
from chaos.soak_run import soak
from chaos.soak_verdict import Check, checks
from churnwatch.services import start_services
from churnwatch.terminal import note, say, say_json
from streams.errors import ChurnwatchError


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m chaos.soak",
        description="Steady load with customers coming and going, then a burst: does memory stay flat, and do the books agree?",
        epilog="Thirty minutes tell a growth of a hundredth in ten minutes from noise; five show gross faults only.",
    )
    parser.add_argument("--minutes", type=float, default=5.0, help="how long in all (at least 1; default 5)")
    parser.add_argument("--rate", type=float, default=soak_plan.RATE, help="events a second (default 500)")
    parser.add_argument(
        "--days",
        type=float,
        default=soak_plan.DAYS_PER_SECOND,
        help="days of event time that pass in a second (default 1)",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the shop (default 1)")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    parser.add_argument(
        "--trace",
        type=Path,
        metavar="FOLDER",
        help="write there what the worker's memory holds, every minute: to find a leak (slow: nothing is measured truly meanwhile)",
    )
    found = parser.parse_args(arguments)
    if found.minutes < soak_plan.MINUTES_MIN:
        parser.error(f"--minutes must be {soak_plan.MINUTES_MIN:g} or more, not {found.minutes:g}")
    if found.rate <= 0 or found.days <= 0:
        parser.error("--rate and --days must be more than 0")
    return found


def exit_code(verdicts: Sequence[Check]) -> int:
    """Give 1 where something failed, else 0: what a short run cannot tell is no failure."""
    return int(any(check.outcome == "failed" for check in verdicts))


def summary(verdicts: Sequence[Check]) -> str:
    """Give the last line.

    >>> summary([Check("Redis used is flat", "unknown", "")])
    'soak: nothing failed; too short to tell: Redis used is flat'
    """
    failed, unknown = (
        "; ".join(check.name for check in verdicts if check.outcome == outcome) for outcome in ("failed", "unknown")
    )
    if failed:
        return f"soak: does not hold: {failed}"
    return f"soak: nothing failed; too short to tell: {unknown}" if unknown else "soak: all holds"


def main(arguments: Sequence[str]) -> int:
    """Run the soak and say what it has shown; returns the exit code."""
    asked = options(arguments)
    # SIGTERM goes the way of Ctrl-C, and both end what was started; a shell's background has Ctrl-C ignored.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()

    def tell(text: str) -> None:
        note(f"soak: {time.monotonic() - began:5.0f} s  {text}")

    if asked.trace is not None:
        asked.trace.mkdir(parents=True, exist_ok=True)
    try:
        with (
            tempfile.TemporaryDirectory(prefix="churnwatch-soak-") as folder,
            start_services("auto", prefer_real_kafka=True, say=tell) as services,
        ):
            tell(f"{services.description} {services.why_embedded}".strip())
            found = soak(
                services,
                Options(asked.minutes, asked.rate, asked.days, asked.seed, asked.trace),
                Path(folder),
                tell,
            )
    except (ChurnwatchError, redis.RedisError) as error:
        note(f"soak: {error}")
        return 1
    except KeyboardInterrupt:
        note("soak: stopped; worker, Kafka and Redis are ended")
        return 130
    verdicts = checks(found)
    if asked.json:
        say_json(document(found, verdicts))
    else:
        show(found, verdicts)
        say(summary(verdicts))
    return exit_code(verdicts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
