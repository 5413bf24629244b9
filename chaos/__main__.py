"""`make chaos`: rounds of attacks on real workers, a real Kafka and a real Redis; exit code 1 where one of them makes a difference."""

import argparse
import shutil
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from chaos import report
from chaos.arena import Arena, arena
from chaos.attacks import ATTACKS
from chaos.outcome import Outcome
from chaos.reference import Case, Sizes, alone, cases
from chaos.rounds import Result, run_round
from churnwatch.terminal import note, say_json
from streams.errors import ChurnwatchError


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser("python -m chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="how many rounds (default: 3)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the first round; the next has S + 1")
    parser.add_argument("--only", action="append", choices=[*ATTACKS], metavar="KIND", help=f"of: {', '.join(ATTACKS)}")
    parser.add_argument("--whole", action="store_true", help="all of the example log, not a sample of its customers")
    parser.add_argument("--json", action="store_true", help="a JSON document a round on standard output")
    return parser.parse_args()


def main() -> int:
    """Run what was asked for; returns the exit code."""
    asked = arguments()
    folder = Path(tempfile.mkdtemp(prefix="churnwatch-chaos-"))
    try:
        with arena(folder / "servers") as servers:
            results = rounds(servers, asked, folder)
    except ChurnwatchError as error:
        note(f"chaos: {error}")
        return 1
    if any(result.wrong for result in results):
        note(f"chaos: everything that was said is kept in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


def rounds(servers: Arena, asked: argparse.Namespace, folder: Path) -> list[Result]:
    """Run the rounds, and tell of each as it ends."""
    out, began = report.console(), time.monotonic()
    made = cases(Sizes(example=None) if asked.whole else Sizes(), folder / "logs")
    known: dict[str, Outcome] = {}
    results: list[Result] = []
    for seed in range(asked.seed, asked.seed + asked.rounds):
        case = made[seed % len(made)]
        if case.name not in known:
            known[case.name] = _undisturbed(servers, case, folder, results)
        results.append(
            run_round(servers, case, known[case.name], seed, asked.only or list(ATTACKS), folder / f"seed-{seed}")
        )
        if asked.json:
            say_json(asdict(results[-1]))
        else:
            report.show(out, results[-1])
    if not asked.json:
        report.summary(out, results, time.monotonic() - began)
    return results


def _undisturbed(servers: Arena, case: Case, folder: Path, results: list[Result]) -> Outcome:
    """One worker, and nobody disturbs: it must already give what the backtest gives."""
    began = time.monotonic()
    scratch = folder / f"alone-{case.log.name}-{case.mode}"
    outcome, wrong = alone(case, servers, scratch)
    note(
        f"chaos: {case.name}: {len(case.log.records)} records, {len(outcome.alerts)} alerts, {len(outcome.examples)} "
        f"examples, {len(outcome.dead)} dead letters undisturbed, in {time.monotonic() - began:.0f} s"
    )
    if wrong:
        results.append(Result(0, f"{case.name}, undisturbed", wrong=wrong, folder=str(scratch)))
        note("\n".join(f"chaos: unlike the backtest: {line}" for line in wrong))
    return outcome


if __name__ == "__main__":
    sys.exit(main())
