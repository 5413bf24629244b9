"""`python -m chaos --zombie` and `--sigterm`: one attack on its own, looked at closely.

| scenario | what is shown |
| --- | --- |
| zombie | a worker frozen for three session time-outs goes on where it was; its writes are refused, nothing differs |
| sigterm | a worker under load that is told to end does so, with 0 and in time; nothing is said twice beyond a chunk |
"""

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from chaos.arena import DRAIN_SECONDS, SESSION_SECONDS, Arena
from chaos.attacks import LEAVE_SECONDS_MAX
from chaos.installation import Installation
from chaos.outcome import Outcome, differences, of_workers
from chaos.reference import Case
from chaos.workers import WorkerProcess

WORKERS: Final = 3
TIMES: Final = 4
FENCED: Final = "churnwatch_fence_lost_total"
HEARD_SECONDS_MAX: Final = 20.0
LOOK_SECONDS: Final = 0.05
FINISH_SECONDS_MAX: Final = 180.0


@dataclass(slots=True)
class Shown:
    """What a scenario has shown, a line each; `wrong` is what it should not have."""

    lines: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def zombie(arena: Arena, case: Case, wanted: Outcome, folder: Path) -> Shown:
    """Freeze one of three workers again and again, each time for three session time-outs; see what it does when it wakes."""
    shown = Shown()
    refused = 0.0
    with arena.installation(case.log, folder, **case.steps()) as lab:
        for _ in range(WORKERS):
            lab.start()
        for number in range(TIMES):
            worker = lab.workers[number % WORKERS]
            _taken(lab, case, (number + 1) / (TIMES + 3))
            before = _fenced(worker)
            worker.freeze()
            at = lab.taken()
            time.sleep(3 * SESSION_SECONDS)
            meanwhile = lab.taken() - at
            worker.thaw()
            _until_heard(worker, before)
            fenced = _fenced(worker) - before
            refused += fenced
            shown.lines.append(
                f"{worker.name} frozen for {3 * SESSION_SECONDS:g} s at {at} records; {meanwhile} more were taken "
                f"meanwhile; awake, {fenced:g} of its commits were refused"
            )
        _finish(lab, case, wanted, shown)
        shown.lines += [line for worker in lab.workers for line in worker.log.splitlines() if "taken over" in line][
            :TIMES
        ]
    if not refused:
        shown.wrong.append("no write of a zombie was refused: none was in the middle of one")
    return shown


def sigterm(arena: Arena, case: Case, wanted: Outcome, folder: Path) -> Shown:
    """End one of three workers under load again and again, and start another."""
    shown = Shown()
    with arena.installation(case.log, folder, **case.steps()) as lab:
        going = [lab.start() for _ in range(WORKERS)]
        for number in range(TIMES):
            _taken(lab, case, (number + 1) / (TIMES + 2))
            worker, began = going.pop(0), time.monotonic()
            at, said = lab.taken(), len(lab.alerts())
            code = worker.leave(LEAVE_SECONDS_MAX)
            seconds = time.monotonic() - began
            shown.lines.append(
                f"{worker.name} ended with {code}, {seconds:.1f} s after SIGTERM at {at} records, {said} alerts"
            )
            if code != 0 or seconds > DRAIN_SECONDS:
                shown.wrong.append(shown.lines[-1])
            going.append(lab.start())
        _finish(lab, case, wanted, shown)
        seen = Counter(str(json.loads(record.value)["alert_id"]) for record in lab.alerts())
        twice = seen.total() - len(seen)
        chunk = case.steps()["chunk_events_max"] + case.steps()["wakes_per_step_max"]
        shown.lines.append(f"{len(seen)} alerts, {twice} of them twice; in flight could be {TIMES} times {chunk}")
        if twice > TIMES * chunk:
            shown.wrong.append(shown.lines[-1])
    return shown


def _taken(lab: Installation, case: Case, share: float) -> None:
    lab.wait_for(lambda: lab.taken() >= share * len(case.log.records))


def _fenced(worker: WorkerProcess) -> float:
    return worker.total(FENCED)


def _until_heard(worker: WorkerProcess, before: float) -> None:
    """Wait until a write has been refused, or it is clear that none will be."""
    deadline = time.monotonic() + HEARD_SECONDS_MAX
    while time.monotonic() < deadline and _fenced(worker) <= before:
        time.sleep(LOOK_SECONDS)


def _finish(lab: Installation, case: Case, wanted: Outcome, shown: Shown) -> None:
    lab.wait_for(lambda: lab.reached(case.log.last_ms), FINISH_SECONDS_MAX)
    found = of_workers(lab)
    shown.wrong += differences(found, wanted)
    shown.lines.append(f"digest {found.digest}, undisturbed {wanted.digest}")
