"""Processor time of the broker and of Redis: of the processes below this one, by the name of their program. Linux only."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
NAMES: Final = {"java": "broker", "redis-server": "redis"}


def services_cpu_seconds() -> dict[str, float]:
    """Give the processor seconds that our broker and our Redis have had so far; empty where the system does not tell."""
    return below(os.getpid(), dict(_processes()))


def below(root: int, processes: dict[int, tuple[int, str, float]]) -> dict[str, float]:
    """Add up by name what is below the process `root`. Pure; `processes`: id to (parent's id, program, processor seconds).

    >>> below(1, {1: (0, "python", 9.0), 2: (1, "python", 1.0), 3: (2, "java", 5.0), 4: (0, "java", 7.0)})
    {'broker': 5.0}
    """
    found: defaultdict[str, float] = defaultdict(float)
    for number, (_, program, seconds) in processes.items():
        ancestor = number
        while ancestor in processes and ancestor != root:
            ancestor = processes[ancestor][0]
        # redis-server calls itself by its address, too.
        kind = next((kind for name, kind in NAMES.items() if program.startswith(name)), None)
        if ancestor == root and kind is not None:
            found[kind] += seconds
    return dict(found)


def _processes() -> Iterator[tuple[int, tuple[int, str, float]]]:
    ticks = os.sysconf("SC_CLK_TCK")
    for path in PROC.glob("[0-9]*/stat"):
        try:
            head, _, tail = path.read_text(encoding="utf-8").rpartition(")")
        except OSError:
            continue  # it has ended
        fields = tail.split()
        yield (
            int(path.parent.name),
            (int(fields[1]), head.partition("(")[2], (int(fields[11]) + int(fields[12])) / ticks),
        )
