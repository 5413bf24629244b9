"""`python -m fuzz`: attack everything that reads bytes, and print what came of it."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from churnwatch.terminal import note, progress, say, say_json, say_table
from fuzz import crashes
from fuzz.campaign import Result, campaign, quiet
from fuzz.oracle import bounded_memory
from fuzz.targets import chosen, shares
from streams.errors import ChurnwatchError

COLUMNS = ("target", "inputs", "values", "refused", "crashes", "slowest ms", "peak MiB")


def _arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m fuzz",
        description="Gives changed copies of what the product writes to everything that reads bytes: each input must end in a value "
        "or in a documented refusal, within half a second of work and bounded memory. Exit code 1 if one did not.",
        epilog="example: python -m fuzz --inputs 20000 --seed 7 --target customer",
    )
    parser.add_argument(
        "--inputs", type=int, default=100_000, help="how many inputs, over all targets (default 100000)"
    )
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same inputs (default 1)")
    parser.add_argument("--target", metavar="NAME", help="attack one target alone; a wrong name lists them")
    parser.add_argument("--processes", type=int, default=2, help="how many work at the same time (default 2)")
    parser.add_argument(
        "--out", type=Path, help="folder for crash inputs (default: one of the system's temporary folders)"
    )
    parser.add_argument("--replay", type=Path, metavar="FILE", help="run one crash input again, and show its trace")
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON document")
    options = parser.parse_args(given)
    if options.inputs < 1 or options.processes < 1:
        parser.error("--inputs and --processes must be 1 or more")
    return options


def main(given: list[str] | None = None) -> int:
    """Run the campaign or one input; returns the exit code."""
    options = _arguments(given)
    quiet()
    try:
        return _replay(options.replay) if options.replay else _attack(options)
    except ChurnwatchError as error:
        note(f"fuzz: {error}")
        return 2
    except KeyboardInterrupt:
        note("fuzz: stopped")
        return 130


def _replay(path: Path) -> int:
    name, parts = crashes.load(path)
    target = chosen(name)[0]
    with bounded_memory():
        verdict = crashes.replay(target, parts)
    say(f"{name}: {verdict.outcome} after {1000 * verdict.seconds:.0f} ms {verdict.problem}\n{verdict.trace}".rstrip())
    return verdict.outcome == "crash"


def _attack(options: argparse.Namespace) -> int:
    targets = chosen(options.target)
    total = sum(shares(targets, options.inputs))
    began = time.monotonic()
    with progress("Fuzzing", total) as update:

        def moved(done: int, result: Result) -> None:
            rate = done / max(time.monotonic() - began, 1e-9)
            update(done, f"{done:,} of {total:,} inputs ({rate:,.0f}/s), {len(result.crashes)} kinds of crash")

        result = campaign(options.target, options.inputs, options.seed, options.processes, moved)
    seconds = time.monotonic() - began
    files = _keep(options.out, result)
    rows = [
        (
            name,
            f"{t.inputs:,}",
            f"{t.values:,}",
            f"{t.refused:,}",
            t.crashes,
            f"{1000 * t.slowest_seconds:.0f}",
            f"{t.peak_bytes / 2**20:.1f}",
        )
        for name, t in result.tallies.items()
    ]
    inputs, crashed = sum(t.inputs for t in result.tallies.values()), sum(t.crashes for t in result.tallies.values())
    if options.json:
        figures = {row[0]: dict(zip(COLUMNS[1:], row[1:], strict=True)) for row in rows}
        say_json(
            {
                "seed": options.seed,
                "inputs": inputs,
                "crashes": crashed,
                "seconds": round(seconds, 1),
                "targets": figures,
                "files": files,
            }
        )
    else:
        say_table(f"{inputs:,} inputs of seed {options.seed} in {seconds:.0f} s, {crashed} crashes", COLUMNS, rows)
    return bool(crashed)


def _keep(folder: Path | None, result: Result) -> list[str]:
    """Make the crash inputs smaller, write them, and say where."""
    files = []
    for key, crash in result.crashes.items():
        target = chosen(crash.target)[0]
        with bounded_memory():
            parts = crashes.minimise(target, crash) if crash.trace else crash.parts
        path = crashes.keep(folder or Path(tempfile.gettempdir()) / "churnwatch-fuzz", crash, parts)
        files.append(str(path))
        note(
            f"{crash.target}: {crash.problem} at {crash.place}, {result.seen[key]} times; seed {crash.seed} index {crash.index}; --replay {path}"
        )
    return files


if __name__ == "__main__":
    sys.exit(main())
