"""A step's work, tried boldly first: a record that cannot be worked on is so rare that no other is to pay for it.

1. The pipeline works on the batch without being ready to undo anything: to write every customer down beforehand takes a twentieth
   of all time.
2. Where an error stops it, the customers in hand may be half changed. They are read again from the store, where nothing has happened.
3. It works on the same batch once more, carefully: what cannot be worked on is undone and dead-lettered, all else is done.

A batch with such records in it takes twice as long, however many they are. What comes of it is the same as if 3 had come first.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Protocol

from agents.customers import Customers
from agents.effects import Effects

log = logging.getLogger("churnwatch.runner")


class Work(Protocol):
    """A batch to be worked on: `Pipeline.step` with everything but how."""

    def __call__(self, *, careful: bool) -> Effects:
        """Work on it, changing the customers."""


async def boldly(work: Work, customers: Customers, ids: Collection[str]) -> Effects:
    """Return what comes of the work on a batch; `ids` are all customers that it may change.

    Raises what the store does where they cannot be read again: then they must not be used any more.
    """
    try:
        return work(careful=False)
    except Exception:  # noqa: BLE001 - whatever it is, the careful way finds out which record it comes from
        log.info("A record cannot be worked on: its batch is worked on again")
        await customers.renew(ids)
        return work(careful=True)
