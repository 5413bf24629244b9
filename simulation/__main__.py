"""`python -m simulation`: play seeds, replay one, or see that planted bugs are caught."""

from __future__ import annotations

import argparse
import os
import sys
import time

from churnwatch.terminal import note, say
from simulation.many import PROCESSES, play_many, tell, tell_all
from simulation.planted import catch_all, tell_caught
from simulation.seed import play

HASH_SEED = "PYTHONHASHSEED"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m simulation",
        description="The whole cluster on one thread, in virtual time, under faults drawn from a seed: production runners, stores "
        "and commit protocol over a simulated Kafka and Redis. Every seed is held against an undisturbed run of the same log.",
        epilog="A seed that fails is replayed exactly by --seed N --trace. Exit code 0: all promises held; 1: one did not.",
    )
    parser.add_argument("--seeds", type=_count, default=1_000, metavar="N", help="how many seeds to play (1000)")
    parser.add_argument("--from", type=int, default=1, metavar="S", dest="first", help="the first of them (1)")
    parser.add_argument("--seed", type=int, metavar="N", help="play this one alone")
    parser.add_argument("--trace", action="store_true", help="with --seed: show everything that happens")
    parser.add_argument(
        "--planted", action="store_true", help="plant each known bug, and count the seeds until it is caught"
    )
    parser.add_argument(
        "--processes", type=int, default=PROCESSES, metavar="N", help=f"processes at work ({PROCESSES})"
    )
    return parser.parse_args()


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number of seeds: give 1 or more")
    return int(text)


def main() -> int:
    """Run the command; Ctrl-C ends it with 130 and one line."""
    arguments = _arguments()
    if os.environ.get(HASH_SEED) != "0":
        # The order of a set of strings is another one in every process, unless it is told not to be: a run is to be its seed's alone.
        os.environ[HASH_SEED] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "simulation", *sys.argv[1:]])  # noqa: S606 - this very program
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        note("simulate: stopped")
        return 130


def _run(arguments: argparse.Namespace) -> int:
    if arguments.planted:
        return tell_caught(catch_all(arguments.seeds, arguments.processes))
    if arguments.seed is not None:
        result = play(arguments.seed, show=say if arguments.trace else None)
        if result.wrong:
            tell(result)
            return 1
        say(
            f"seed {result.seed} ({result.kind}): all promises held under {len(result.struck)} faults; trace {result.digest}"
        )
        return 0
    started = time.monotonic()
    tally = play_many(arguments.first, arguments.seeds, arguments.processes)
    tell_all(tally, time.monotonic() - started)
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
