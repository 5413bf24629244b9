"""The customers that a runner has at hand: read from the store when first wanted, kept decoded between steps, bounded."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import islice

from agents.record import Customer, decode_customer
from features.store import PartitionStore
from streams.errors import Corrupt, NewerSchema


class Customers(dict[str, Customer]):
    """Customer ids to decoded states, for one partition; the pipeline changes them in place.

    Kept are those of whom records tell. Whoever was only woken goes after the step: the next wake-up is hours or days away, and on the
    midnight at which everybody is asked about they would drive out all others.

    Args:
        store: where those come from that are not here.
        kept_max: customers kept between steps.
    """

    def __init__(self, store: PartitionStore, kept_max: int) -> None:
        super().__init__()
        self._store = store
        self._kept_max = kept_max
        self._woken: list[str] = []

    async def fetch(self, ids: Iterable[str], until_ms: int, wakes_max: int) -> list[tuple[str, int]]:
        """Bring these customers here, and those with a wake-up due by `until_ms`; return the wake-ups (customer, due ms)."""
        # Not a difference of sets: that would go through all that are here, 5 ms a step where 200,000 are.
        wanted = [customer for customer in set(ids) if customer not in self]
        values, due = await self._store.read(wanted, until_ms, wakes_max)
        self._take(wanted, values)
        self._woken = [customer for customer, _ in due if customer not in self]
        if self._woken:
            self._take(self._woken, await self._store.load(self._woken))
        return due

    async def renew(self, ids: Collection[str]) -> None:
        """Read these customers again, as they are in the store; whoever is not in it is not here any more."""
        for customer in ids:
            self.pop(customer, None)
        asked = list(ids)
        self._take(asked, await self._store.load(asked))

    def _take(self, ids: Iterable[str], values: Iterable[bytes | None]) -> None:
        for customer, value in zip(ids, values, strict=True):
            if value is not None:
                self[customer] = _read(customer, value)

    def trim(self) -> None:
        """Drop the woken, and those that have been here for longest, down to the bound; they are in the store."""
        for customer in self._woken:
            self.pop(customer, None)
        self._woken = []
        excess = len(self) - self._kept_max
        if excess > 0:
            for customer in list(islice(self, excess)):
                del self[customer]


def _read(customer_id: str, value: bytes) -> Customer:
    """The customer in a stored value; an error names the key, for it is what to delete."""
    try:
        return decode_customer(value)
    except (Corrupt, NewerSchema) as error:
        raise type(error)(f"the key that ends in `c:{customer_id}`: {error}") from error
