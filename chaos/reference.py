"""What the logs lead to where nobody disturbs: as the backtest has it, and as one worker has it.

Where a topic is out of event-time order, the order between topics depends on who shares the partition. So the wild log is given to
the backtest partition by partition; while learning, where the partitions share a learner, only a worker can tell.
"""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from chaos.arena import STEPS, Arena, now_ms
from chaos.logs import PARTITIONS, QUICK, ChaosLog, example_log, tidy_shop, wild_log, with_outcomes
from chaos.outcome import EventOf, Outcome, differences, of_backtests, of_workers
from churnwatch.backtest import Backtest, replay
from churnwatch.settings import Settings
from models.guide import encode_guide

Mode = Literal["frozen", "learning"]
MODES: Final[tuple[Mode, ...]] = ("frozen", "learning")
SHOP_DAYS: Final = 98
STEPS_MAX: Final = 1_000
ALONE_SECONDS_MAX: Final = 240.0


@dataclass(frozen=True, slots=True)
class Sizes:
    """Customers of the logs; None for all of the example log."""

    example: int | None = 400
    wild: int = 100


@dataclass(frozen=True, slots=True)
class Case:
    """A log in a mode: the settings that make it, and what it leads to by the backtest (None where that cannot tell)."""

    log: ChaosLog
    mode: Mode
    settings: dict[str, Any]
    outcome: Outcome | None

    @property
    def name(self) -> str:
        """What it is called in the report."""
        return f"{self.log.name}, {self.mode}"

    @property
    def slug(self) -> str:
        """The same for a folder."""
        return f"{self.log.name}-{self.mode}"

    def steps(self) -> dict[str, Any]:
        """Its settings, with steps so small that there is a middle to be attacked in, save where there would be too many."""
        events = max(STEPS["chunk_events_max"], len(self.log.records) // STEPS_MAX)
        return STEPS | {"chunk_events_max": events, "wakes_per_step_max": events} | self.settings


def cases(sizes: Sizes, folder: Path) -> list[Case]:
    """Make the logs and replay them: example frozen, wild frozen, example learning, wild learning."""
    example = example_log(sizes.example)
    learnt = _replay(example, example.files(folder / "example"))
    wild, wild_learnt = _wild(sizes.wild, folder)
    made = []
    for log, learning in ((example, learnt), (wild, wild_learnt)):
        model = folder / f"{log.name}.model"
        assert learning.guide is not None
        model.write_bytes(encode_guide(learning.guide))
        frozen = {"learning_enabled": False, "model_file": model}
        made.append(Case(log, "frozen", frozen, _frozen(log, folder, learning)))
        outcome = _by_files(log, learning, folder / log.name) if log.ordered else None
        made.append(Case(log, "learning", {}, outcome))
    return sorted(made, key=lambda case: (case.mode, case.log.name))


def alone(case: Case, arena: Arena, scratch: Path) -> tuple[Outcome, list[str]]:
    """Let one worker run the case undisturbed; give what it leads to, and in what that differs from the backtest's."""
    with arena.installation(case.log, scratch, **case.settings) as lab:
        lab.start()
        lab.wait_for(lambda: lab.reached(case.log.last_ms), ALONE_SECONDS_MAX)
        found = of_workers(lab)
    wrong = [] if case.outcome is None else differences(found, case.outcome, dead=False)
    return found, [*found.faults, *wrong]


def _wild(customers: int, folder: Path) -> tuple[ChaosLog, Backtest]:
    tidy = tidy_shop(customers, SHOP_DAYS)
    path = folder / "tidy.jsonl"
    path.write_text("".join(json.dumps(event) + "\n" for event in tidy))
    learning = asyncio.run(replay(Settings(clock="replay", **QUICK), [path], now_ms=now_ms()))
    return wild_log(with_outcomes(tidy, learning.alerts)), learning


def _replay(log: ChaosLog, paths: list[Path], learning: Backtest | None = None) -> Backtest:
    settings = Settings(**log.settings)
    frozen = None if learning is None else learning.guide
    return asyncio.run(replay(settings, paths, now_ms=now_ms(), frozen=frozen))


def _frozen(log: ChaosLog, folder: Path, learning: Backtest) -> Outcome:
    """Replay with the model learnt: the whole log where it is in order, else each partition on its own."""
    found: list[tuple[Backtest, EventOf]] = []
    for partition in [None] if log.ordered else range(PARTITIONS):
        paths = log.files(folder / f"{log.name}-{partition}", partition)
        found.append((_replay(log, paths, learning), _event_of(paths)))
    return of_backtests(found)


def _by_files(log: ChaosLog, result: Backtest, folder: Path) -> Outcome:
    return of_backtests([(result, _event_of(log.files(folder)))])


def _event_of(paths: list[Path]) -> EventOf:
    """Find an event's id by the place that the backtest gives it: topic and line."""
    inputs = Settings().topics().inputs
    ids = {
        inputs[path.stem]: [str(json.loads(line)["event_id"]) for line in path.read_text().splitlines()]
        for path in paths
    }
    return lambda told: ids[told["topic"]][told["offset"]]
