"""What a run has measured, whether its answers are right, and what several runs come to. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from streams.errors import ChurnwatchError


class WrongAnswer(ChurnwatchError):
    """A run did not do the work: its time means nothing. The message says what was expected."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run.

    Attributes:
        events: events taken in within `seconds`.
        seconds: from the first to the last of them, start-up left out.
        outcomes: what became of the events (read, applied, duplicate, late, dead_lettered).
        customers: customers with state at the end, counted in the store.
        timers: customers with a wake-up at the end, counted in the store.
        scorings: scores computed, for events and for silence.
        costs: stage to seconds spent in it; stages of several partitions overlap while they wait.
        cpu_seconds: processor time of the contestant's own process meanwhile; None where the system does not tell.
        states: fingerprint of every customer's stored state, "" where there is none to be compared.
        alerts: the messages on the alert topic that came of the run.
        said: fingerprint of those messages, whatever their order.
    """

    events: int
    seconds: float
    outcomes: Mapping[str, int]
    customers: int
    timers: int
    scorings: int
    costs: Mapping[str, float] = field(default_factory=dict)
    cpu_seconds: float | None = None
    states: str = ""
    alerts: int = 0
    said: str = ""

    @property
    def per_second(self) -> float:
        """Events a second."""
        return self.events / self.seconds

    @property
    def scorings_per_event(self) -> float:
        """Scores computed per event: whether two runs did as much for an event."""
        return self.scorings / self.events


def check(name: str, run: Run, events: int, customers: int, timers: int | None = None) -> None:
    """Raise WrongAnswer unless every event was applied once, and every customer has state and a wake-up.

    `timers`: how many wake-ups there must be where it is not one for each customer.
    """
    known = {outcome: count for outcome, count in run.outcomes.items() if count}
    if known != {"read": events, "applied": events}:
        raise WrongAnswer(f"{name}: {events} events should have been read and applied, and it says {known}")
    if run.events != events:
        raise WrongAnswer(f"{name}: timed {run.events} of {events} events")
    wanted = customers, customers if timers is None else timers
    if (run.customers, run.timers) != wanted:
        raise WrongAnswer(
            f"{name}: {wanted[0]} customers should have state and {wanted[1]} a wake-up; "
            f"{run.customers} and {run.timers} have"
        )


def agree(runs: Mapping[str, Sequence[Run]], among: Sequence[str]) -> str:
    """Give a sentence that says what those of the named contestants that are there agree in, in all their runs.

    Raises WrongAnswer where stored states, alerts or the number of scores differ.
    """
    names = [name for name in among if name in runs]
    first = runs[names[0]][0]
    for name in names:
        for run in runs[name]:
            for what in ("states", "alerts", "said", "scorings"):
                if (found := getattr(run, what)) != (wanted := getattr(first, what)):
                    raise WrongAnswer(f"{name}: {what} {found}, but {names[0]} has {wanted} of the same events")
    return (
        f"{', '.join(names)}: the same {first.customers:,} states, {first.scorings:,} scores and {first.alerts:,} "
        "messages on the alert topic, byte for byte"
    )


def middle(runs: Sequence[Run]) -> float:
    """Give the median of the runs' events a second."""
    return median(run.per_second for run in runs)


def cpu_us(runs: Sequence[Run]) -> float | None:
    """Give the median processor time per event in microseconds; None where the system does not tell."""
    known = [1e6 * run.cpu_seconds / run.events for run in runs if run.cpu_seconds is not None]
    return median(known) if known else None


def ratio(runs: Mapping[str, Sequence[Run]], of: str, to: str) -> float:
    """Give how many times as many events a second `of` takes in as `to`, by the medians."""
    return middle(runs[of]) / middle(runs[to])


def costs_per_event_us(runs: Sequence[Run]) -> dict[str, float]:
    """Give microseconds per event by stage, of the run in the middle, the costliest stage first."""
    run = sorted(runs, key=lambda run: run.per_second)[len(runs) // 2]
    costs = {stage: 1e6 * seconds / run.events for stage, seconds in run.costs.items()}
    return dict(sorted(costs.items(), key=lambda cost: -cost[1]))


def told(runs: Sequence[Run]) -> dict[str, Any]:
    """Give the runs of one contestant as they stand in the result file."""
    return {
        "events_per_second": round(middle(runs), 1),
        "cpu_us_per_event": cpu_us(runs),
        "costs_us_per_event": {stage: round(cost, 1) for stage, cost in costs_per_event_us(runs).items()},
        "runs": [asdict(run) | {"events_per_second": round(run.per_second, 1)} for run in runs],
    }
