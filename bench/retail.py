"""A real shop's log blown up: its customers again and again, under new ids, until there are as many events and customers as wanted.

Every copy of a customer is the whole life of a real one, begun up to four weeks later than the original, so that copies do not fall on
the same instants. Who is copied next is reckoned so that both counts come out: a customer with more events than the mean that is still
owed, or one with fewer. The log is that of CHURNWATCH_RETAIL_LOG (an event file), else the one that comes with the project.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

import numpy as np

from streams.errors import ChurnwatchError
from streams.files import read_events
from streams.time import DAY_MS, iso, parse_instant

VARIABLE: Final = "CHURNWATCH_RETAIL_LOG"
SHIPPED: Final = Path(__file__).resolve().parent.parent / "data" / "cdnow.jsonl.gz"
SPREAD_DAYS: Final = 28
SEED: Final = 5


class Line(NamedTuple):
    """A line of the event file, with the stream and the customer that it is of."""

    stream: str
    customer: str
    text: str


Life = list[tuple[int, str, str]]
"""A customer's events: epoch milliseconds, stream, the other fields as JSON without the braces."""


def source() -> Path:
    """Give the log that is blown up."""
    return Path(os.environ.get(VARIABLE) or SHIPPED)


def lives(path: Path) -> list[Life]:
    """Read the log: one life for each customer, in the order in which they first appear."""
    found: dict[str, Life] = {}
    for _, stream, raw in read_events(path):
        fields: dict[str, Any] = json.loads(raw)
        at_ms = parse_instant(fields.pop("occurred_at"))
        life = found.setdefault(fields.pop("customer_id"), [])
        del fields["event_id"], fields["stream"]
        life.append((at_ms, stream, json.dumps(fields, separators=(",", ":"))[1:-1]))
    return list(found.values())


def copies(sizes: Sequence[int], events: int, customers: int) -> list[int]:
    """Choose whom to copy: `customers` indices into `sizes` whose sizes come to `events`, or to a little more or less. Pure.

    >>> copies([1, 4, 1, 6], events=12, customers=4)
    [1, 0, 3, 2]

    Raises ChurnwatchError where no mixture of these sizes has that mean.
    """
    mean = events / customers
    if not min(sizes) <= mean <= max(sizes):
        raise ChurnwatchError(
            f"the log's customers have {min(sizes)} to {max(sizes)} events: {customers} cannot have {events}"
        )
    few = cycle([place for place, size in enumerate(sizes) if size <= mean])
    many = cycle([place for place, size in enumerate(sizes) if size >= mean])
    found: list[int] = []
    owed = events
    for left in range(customers, 0, -1):
        place = next(many if owed >= mean * left else few)
        found.append(place)
        owed -= sizes[place]
    return found


def blown_up(found: Sequence[Life], events: int, customers: int) -> Iterator[Line]:
    """Give the lines of the event file, in event-time order; the same for the same arguments."""
    random = Random(SEED)
    order = list(range(len(found)))
    random.shuffle(order)
    chosen = [order[place] for place in copies([len(found[place]) for place in order], events, customers)]
    shifts = [random.randrange(SPREAD_DAYS * DAY_MS) for _ in chosen]
    sizes = [len(found[place]) for place in chosen]
    whose, firsts = np.repeat(np.arange(len(chosen)), sizes), np.cumsum([0, *sizes])
    times = np.array(
        [at_ms + shift for place, shift in zip(chosen, shifts, strict=True) for at_ms, _, _ in found[place]]
    )
    for number in np.argsort(times, kind="stable").tolist():
        copy = int(whose[number])
        _, stream, rest = found[chosen[copy]][number - int(firsts[copy])]
        customer = f"c{copy:06d}"
        yield Line(
            stream,
            customer,
            f'{{"stream":"{stream}","event_id":"{number}","customer_id":"{customer}",'
            f'"occurred_at":"{iso(int(times[number]))}"{"," if rest else ""}{rest}}}\n',
        )


def draw(log: Path, path: Path, sample: int) -> int:
    """Write the events of about `sample` customers of the log, drawn evenly; returns how many there are."""
    numbers: dict[str, int] = {}
    lines = [(json.loads(raw), stream) for _, stream, raw in read_events(log)]
    for fields, _ in lines:
        numbers.setdefault(fields["customer_id"], len(numbers))
    every = max(1, len(numbers) // sample)
    with path.open("w", encoding="utf-8") as file:
        for fields, stream in lines:
            if numbers[fields["customer_id"]] % every == 0:
                file.write(json.dumps({"stream": stream, **fields}) + "\n")
    return len(range(0, len(numbers), every))
