"""What a replay has read of every customer, beside what the pipeline keeps: the id behind a pseudonym, and when they ordered.

Examples carry pseudonyms, and a customer's state forgets orders after half a year; whoever judges a backtest needs both back.
It grows with the log, as the list of examples does: it is for a program that reads files and ends.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from churnwatch.backtest_frames import Rest
from models.labels import pseudonym
from streams.codec import Arrival, Rejected
from streams.events import Cancellation, Order


@dataclass(slots=True)
class History:
    """Filled by `take` in event-time order; the queries want `finish` called once after the last event.

    Attributes:
        churn_on: which events are signs of staying, as in the question: placed orders, or any sign of life.
        names: pseudonym to customer id.
        orders: customer id to (event time in epoch milliseconds, amount), ascending and distinct after `finish`.
        signs: customer id to the times of the signs of staying, likewise.
        cancelled: customer id to the times of explicit cancellations.
    """

    churn_on: Literal["orders", "any"] = "orders"
    names: dict[str, str] = field(default_factory=dict)
    orders: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    signs: dict[str, list[int]] = field(default_factory=dict)
    cancelled: dict[str, list[int]] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set)

    def take(self, items: Iterable[Arrival | Rejected]) -> None:
        """Note the events among `items`; what was refused says nothing about anybody."""
        for item in items:
            if type(item) is not Arrival or item.record.value is None:
                continue
            event, customer = item.event, item.event.customer_id
            if customer not in self._known:
                self._known.add(customer)
                self.names[pseudonym(customer)] = customer
            placed = isinstance(event, Order) and event.status == "placed"
            if isinstance(event, Order) and placed:
                self.orders.setdefault(customer, []).append((event.occurred_at, event.amount))
            if isinstance(event, Cancellation):
                self.cancelled.setdefault(customer, []).append(event.occurred_at)
            elif placed or (self.churn_on == "any" and item.stream not in ("profiles", "outcomes")):
                self.signs.setdefault(customer, []).append(event.occurred_at)

    def finish(self) -> None:
        """Bring everything into order, and what came twice to once (a duplicate has the time and amount of the first)."""
        for customer, orders in self.orders.items():
            self.orders[customer] = sorted(set(orders))
        for times in (self.signs, self.cancelled):
            for customer, found in times.items():
                times[customer] = sorted(set(found))

    def leave(self, customers_max: int) -> Iterator[Rest]:
        """Give everything, so many customers at a time, and let it go."""
        rest = Rest()
        while self.names:
            code, customer = self.names.popitem()
            rest.names[code] = customer
            for mine, theirs in ((self.signs, rest.signs), (self.cancelled, rest.cancelled)):
                if customer in mine:
                    theirs[customer] = mine.pop(customer)
            if customer in self.orders:
                rest.orders[customer] = self.orders.pop(customer)
            if len(rest.names) >= customers_max:
                yield rest
                rest = Rest()
        yield rest

    def add(self, rest: Rest) -> None:
        """Take over what another has let go; no customer is in both."""
        self.names |= rest.names
        self.orders |= rest.orders
        self.signs |= rest.signs
        self.cancelled |= rest.cancelled

    def stayed(self, customer: str, after_ms: int, until_ms: int) -> bool:
        """Tell whether there was a sign of staying in (after_ms, until_ms)."""
        return _any(self.signs.get(customer, []), after_ms, until_ms)

    def cancelled_in(self, customer: str, after_ms: int, until_ms: int) -> bool:
        """Tell whether the customer cancelled in [after_ms, until_ms)."""
        return _any(self.cancelled.get(customer, []), after_ms - 1, until_ms)

    def last_sign_ms(self, customer: str, until_ms: int) -> int | None:
        """The last sign of staying up to and including `until_ms`; None where there is none."""
        signs = self.signs.get(customer, [])
        place = bisect_right(signs, until_ms)
        return signs[place - 1] if place else None


def _any(times: list[int], after_ms: int, until_ms: int) -> bool:
    return bisect_right(times, after_ms) < bisect_left(times, until_ms)
