"""Small worlds for the tests of the models room."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from models.guide import Guide, Linear, Scale
from models.input_counts import InputCounts
from models.labels import Example, ExampleBatch, pack_vector
from streams.time import DAY_MS

NAMES = ("silence_days", "orders_30d", "basket_trend")
SCALES: tuple[Scale, ...] = ("log", "log", "linear")


def guide(version: int = 1, boundary_ms: int = DAY_MS, **fields: Any) -> Guide:
    """A guide over `NAMES` with round numbers."""
    return Guide(
        version=version,
        learnt_until_ms=boundary_ms,
        examples=100 * version,
        base_rate=0.5,
        ready=True,
        names=NAMES,
        scales=SCALES,
        means=(1.0, 2.0, 0.5),
        logistic=Linear(0.25, (1.0, -0.5, 0.0)),
        within=Linear(0.5, (0.1, -0.05, 0.2)),
        **fields,
    )


def vector(rng: random.Random) -> tuple[float, ...]:
    """A customer: days of silence, orders, trend."""
    return (rng.expovariate(1 / 40), float(rng.randrange(6)), rng.uniform(-1, 3))


def example(rng: random.Random, taken_day: int, customer: str, horizon_days: int = 60) -> Example:
    """A snapshot whose label follows its silence, with noise."""
    features = vector(rng)
    label = int(features[0] + rng.gauss(0, 20) > 40)
    taken_ms = taken_day * DAY_MS
    version = rng.randrange(3)
    segment = rng.choice(["new", "loyal"])
    packed = pack_vector(features)
    return Example(customer, taken_ms, taken_ms + horizon_days * DAY_MS, label, rng.random(), version, segment, packed)


class DayCounts:
    """An `Extra` that counts per day and tells how much the whole days before the boundary sum up to."""

    def __init__(self) -> None:
        self.days: dict[int, int] = {}

    def absorb(self, source: int, stats: Mapping[int, Any]) -> None:
        for day, count in stats.items():
            self.days[day] = self.days.get(day, 0) + count

    def at(self, boundary_ms: int, quality: Mapping[str, float]) -> dict[str, Any]:
        total = sum(count for day, count in self.days.items() if day < boundary_ms // DAY_MS)
        return {"thresholds": {"loyal": 1 / (1 + total)}, "value_cut": float(total), "days": total}

    def dump(self) -> object:
        return dict(sorted(self.days.items()))

    def load(self, state: Any) -> None:
        self.days = dict(state)


def world(seed: int, *, sources: int, weeks: int, customers: int) -> list[list[ExampleBatch]]:
    """Per source, its batches in the order of `seq`: one a week, with examples, counts and a mark."""
    rng = random.Random(seed)
    said: list[list[ExampleBatch]] = []
    for source in range(sources):
        batches = []
        for week in range(weeks):
            names = [f"{source:04x}{number:012x}" for number in range(customers)]
            examples = [example(rng, 7 * week, name) for name in names if rng.random() < 0.7]
            mark_ms = (7 * week + 60) * DAY_MS + rng.randrange(DAY_MS)
            stats = {7 * week + 53 + rng.randrange(7): rng.randrange(5)}
            inputs = InputCounts()
            for each in examples:
                inputs.add(7 * week + 53, each.vector)
            said_now = ExampleBatch(source, sources, week + 1, mark_ms, False, examples, stats, inputs.take())
            batches.append(said_now)
        said.append(batches)
    return said


def interleaved(said: Sequence[Sequence[ExampleBatch]], rng: random.Random) -> list[ExampleBatch]:
    """All batches in a random order that keeps each source's own."""
    order = [source for source, batches in enumerate(said) for _ in batches]
    rng.shuffle(order)
    feeds = [iter(batches) for batches in said]
    return [next(feeds[source]) for source in order]
