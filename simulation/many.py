"""Many seeds, on two processes: what a night of simulation is made of."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context

from churnwatch.terminal import progress, say
from simulation.seed import Result, play

PROCESSES = 2
BLOCK = 20
SHOWN_MAX = 5


@dataclass(slots=True)
class Tally:
    """What came of many seeds."""

    seeds: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    failed: list[Result] = field(default_factory=list)

    def add(self, result: Result) -> None:
        """Count one."""
        self.seeds += 1
        self.kinds[result.kind] += 1
        self.faults.update(struck.split(" ", 1)[0] for struck in result.struck)
        if result.wrong:
            self.failed.append(result)


def _block(seeds: Sequence[int]) -> list[Result]:
    return [play(seed) for seed in seeds]


@contextmanager
def workers(processes: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that leave Ctrl-C to their parent; what is still to be played when it comes is not played."""
    pool = ProcessPoolExecutor(
        processes,
        mp_context=get_context("fork"),
        initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_IGN),
    )
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def results(first: int, number: int, processes: int) -> Iterator[Result]:
    """Play seeds `first` to `first + number - 1`; gives the results in that order."""
    blocks = [range(start, min(start + BLOCK, first + number)) for start in range(first, first + number, BLOCK)]
    if processes == 1:
        for block in blocks:
            yield from _block(block)
        return
    with workers(processes) as pool:
        for found in pool.map(_block, blocks):
            yield from found


def play_many(first: int, number: int, processes: int = PROCESSES) -> Tally:
    """Play them all, and tell how it goes."""
    tally = Tally()
    with progress("simulate", number) as update:
        for result in results(first, number, processes):
            tally.add(result)
            if result.wrong:
                say(f"seed {result.seed} ({result.kind}) breaks a promise: {result.wrong[0]}")
            update(tally.seeds, f"seed {result.seed}, {len(tally.failed)} failed")
    return tally


def tell(result: Result) -> None:
    """Say what went wrong with a seed, and how to see it again."""
    say(f"\nseed {result.seed} ({result.kind}) breaks a promise:")
    for what in result.wrong:
        say(f"  {what}")
    say("faults that had struck:")
    for struck in result.struck:
        say(f"  {struck}")
    say("the last that happened:")
    for line in result.last:
        say(f"  {line}")
    say(f"again, in full: python -m simulation --seed {result.seed} --trace")


def tell_all(tally: Tally, seconds: float) -> None:
    """Say what came of all seeds."""
    for result in tally.failed[:SHOWN_MAX]:
        tell(result)
    say(f"\n{tally.seeds} seeds in {seconds:.0f} s, {len(tally.failed)} failed" + _list(tally.failed))
    say("runs: " + ", ".join(f"{number} {kind}" for kind, number in sorted(tally.kinds.items())))
    say("faults: " + ", ".join(f"{number} {kind}" for kind, number in tally.faults.most_common()))


def _list(failed: Sequence[Result]) -> str:
    return ": " + ", ".join(str(result.seed) for result in failed[:50]) if failed else ""
