"""`make chaos`: attacks on real workers, a real Kafka and a real Redis; the exit code is 1 where one of them makes a difference.

Without an option: rounds of random attacks, each compared with the undisturbed run (see chaos/rounds.py). What processes say is
kept where something differs, and the report says where.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from chaos import recovery, report
from chaos.arena import Arena, arena
from chaos.attacks import ATTACKS
from chaos.outcome import Outcome
from chaos.reference import MODES, Case, Sizes, alone, cases
from chaos.rounds import Result, run_round
from chaos.scenarios import Shown, sigterm, zombie
from churnwatch.terminal import note, say_json
from streams.errors import ChurnwatchError

Scenario = Callable[[Arena, Case, Outcome, Path], Shown]
SLUGS: Final = [f"{log}-{mode}" for mode in MODES for log in ("example", "wild")]
SCENARIOS: Final[Mapping[str, Scenario]] = {"zombie": zombie, "sigterm": sigterm}


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(
        "python -m chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="how many rounds (default: 3)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the first round; the next has S + 1, …")
    parser.add_argument(
        "--only",
        action="append",
        choices=[*ATTACKS],
        metavar="KIND",
        help=f"attack by these only: {', '.join(ATTACKS)}",
    )
    parser.add_argument("--whole", action="store_true", help="all of the example log, not a sample of its customers")
    parser.add_argument("--case", choices=SLUGS, help="one log in one mode, not all four in turn")
    parser.add_argument("--zombie", action="store_true", help="freeze workers past their session: are they refused?")
    parser.add_argument(
        "--sigterm", action="store_true", help="end workers under load: with 0, in time, nothing twice?"
    )
    parser.add_argument("--recovery", action="store_true", help="kill a worker under load: how soon has it caught up?")
    parser.add_argument("--json", action="store_true", help="a JSON document a line on standard output")
    asked = parser.parse_args()
    if asked.rounds < 1:
        parser.error("--rounds must be 1 or more")
    return asked


def main() -> int:
    """Run what was asked for; returns the exit code."""
    asked = arguments()
    folder = Path(tempfile.mkdtemp(prefix="churnwatch-chaos-"))
    try:
        with arena(folder / "servers") as servers:
            well = _recovery(servers, asked, folder) if asked.recovery else Session(servers, asked, folder).run()
    except ChurnwatchError as error:
        note(f"chaos: {error}")
        return 1
    if not well:
        note(f"chaos: what the processes said is in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


def _recovery(servers: Arena, asked: argparse.Namespace, folder: Path) -> bool:
    found = []
    for one in recovery.run(servers, folder / "recovery"):
        found.append(one)
        note(f"chaos: down for {one.down_seconds:g} s: caught up {one.caught_up_seconds:.1f} s after the kill")
        if asked.json:
            say_json(asdict(one))
    if not asked.json:
        report.show_recovery(report.console(), found)
    return all(one.kept for one in found)


class Session:
    """One call of the command: logs and their undisturbed outcomes, made when they are first wanted."""

    def __init__(self, servers: Arena, asked: argparse.Namespace, folder: Path) -> None:
        self._servers = servers
        self._asked = asked
        self._folder = folder
        self._out = report.console()
        made = cases(Sizes(example=None) if asked.whole else Sizes(), folder / "logs")
        self._cases = [case for case in made if asked.case in {None, case.slug}]
        self._known: dict[str, Outcome] = {}
        self._well = True

    def run(self) -> bool:
        """Run the scenarios asked for, or else the rounds; returns whether all went as promised."""
        scenarios = [name for name in SCENARIOS if getattr(self._asked, name)]
        for name in scenarios:
            for case in self._cases:
                self._scenario(name, case)
        if not scenarios:
            self._rounds()
        return self._well

    def _scenario(self, name: str, case: Case) -> None:
        wanted = self._undisturbed(case)
        shown = SCENARIOS[name](self._servers, case, wanted, self._folder / f"{name}-{case.slug}")
        self._well &= not shown.wrong
        if self._asked.json:
            say_json({"scenario": name, "case": case.name} | asdict(shown))
        else:
            report.show_scenario(self._out, f"{name}: {case.name}", shown)

    def _rounds(self) -> None:
        began, results = time.monotonic(), []
        for seed in range(self._asked.seed, self._asked.seed + self._asked.rounds):
            case = self._cases[seed % len(self._cases)]
            wanted = self._undisturbed(case)
            kinds = self._asked.only or list(ATTACKS)
            result = run_round(self._servers, case, wanted, seed, kinds, self._folder / f"seed-{seed}")
            results.append(result)
            self._well &= not result.wrong
            self._tell(result)
        if not self._asked.json:
            report.summary(self._out, results, time.monotonic() - began)

    def _tell(self, result: Result) -> None:
        if self._asked.json:
            say_json(asdict(result))
        else:
            report.show(self._out, result)

    def _undisturbed(self, case: Case) -> Outcome:
        """One worker, and nobody disturbs: it must already give what the backtest gives."""
        if case.name in self._known:
            return self._known[case.name]
        began = time.monotonic()
        outcome, wrong = alone(case, self._servers, self._folder / f"alone-{case.slug}")
        told: dict[str, Any] = {"records": len(case.log.records), "alerts": len(outcome.alerts)}
        told |= {"examples": len(outcome.examples), "dead letters": len(outcome.dead)}
        figures = ", ".join(f"{figure} {name}" for name, figure in told.items())
        note(f"chaos: {case.name}, undisturbed: {figures}; {time.monotonic() - began:.0f} s")
        for line in wrong:
            note(f"chaos: {case.name}, undisturbed, is unlike the backtest: {line}")
        self._well &= not wrong
        self._known[case.name] = outcome
        return outcome


if __name__ == "__main__":
    sys.exit(main())
