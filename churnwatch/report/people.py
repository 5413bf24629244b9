"""Ten customers to look at: not the best ten, but right, missed and wrong warnings side by side, by what the customers spent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np

from churnwatch.backtest_alerts import Warned
from churnwatch.backtest_summary import Judged
from churnwatch.evaluation import REGULAR_ORDER_DAYS
from streams.time import DAY_MS

PEOPLE_MAX: Final = 10
KINDS: Final = (
    ("warned about, and left", 4),
    ("left without a warning", 3),
    ("warned about, and came back", 2),
    ("stayed, and no warning", 1),
)


@dataclass(frozen=True, slots=True)
class Person:
    """A customer's timeline.

    Attributes:
        customer: id.
        kind: which of `KINDS`.
        orders_ms: when they ordered; `spent` what that came to.
        risks: (instant, risk) at the weekly snapshots that a model spoke about.
        warned: their episodes.
    """

    customer: str
    kind: str
    orders_ms: list[int]
    spent: float
    risks: list[tuple[int, float]]
    warned: list[Warned]


def choose(judged: Judged) -> list[Person]:
    """Return up to `PEOPLE_MAX` customers of the evaluated span, regulars first, then by amount spent, then by id."""
    spent = {customer: sum(amount for _, amount in placed) for customer, placed in judged.history.orders.items()}
    days = {
        customer: len({at_ms // DAY_MS for at_ms, _ in placed}) for customer, placed in judged.history.orders.items()
    }
    ranked = sorted(spent, key=lambda customer: (days[customer] < REGULAR_ORDER_DAYS, -spent[customer], customer))
    kind_of = _kinds(judged)
    chosen: dict[str, str] = {}
    for kind, count in KINDS:
        of_kind = (customer for customer in ranked if kind_of(customer) == kind)
        chosen |= dict.fromkeys(islice(of_kind, count), kind)
    for customer in ranked:  # a small log may lack some kind
        if len(chosen) >= PEOPLE_MAX:
            break
        found = None if customer in chosen else kind_of(customer)
        if found is not None:
            chosen[customer] = found
    return [_person(judged, customer, kind, spent[customer]) for customer, kind in chosen.items()]


def _kinds(judged: Judged) -> Callable[[str], str | None]:
    """Give the function that tells what a customer is an example of; None for nothing."""
    span = judged.span
    seen = {judged.tested.names[place] for place in np.unique(judged.tested.customer).tolist()}
    outcomes: dict[str, set[bool]] = {}
    for one in judged.warned:
        if one.opened_ms >= span.from_ms and one.right is not None:
            outcomes.setdefault(one.customer, set()).add(one.right)
    warned = {one.customer for one in judged.warned}

    def kind(customer: str) -> str | None:
        if customer not in seen:
            return None
        last_ms = judged.history.signs[customer][-1] if customer in judged.history.signs else span.last_ms
        left = span.from_ms <= last_ms <= span.last_ms - span.horizon_ms
        found = outcomes.get(customer, set())
        if True in found and left:
            return KINDS[0][0]
        if left and customer not in warned:
            return KINDS[1][0]
        if found == {False}:
            return KINDS[2][0]
        return KINDS[3][0] if customer not in warned and last_ms > span.last_ms - span.horizon_ms // 2 else None

    return kind


def _person(judged: Judged, customer: str, kind: str, spent: float) -> Person:
    return Person(
        customer,
        kind,
        [at_ms for at_ms, _ in judged.history.orders[customer]],
        spent,
        list(_risks(judged, customer)),
        [one for one in judged.warned if one.customer == customer],
    )


def _risks(judged: Judged, customer: str) -> Iterator[tuple[int, float]]:
    said = judged.said
    place = said.names.index(customer)
    here = said.customer == place
    yield from zip(said.taken_ms[here].tolist(), said.risk[here].tolist(), strict=True)
