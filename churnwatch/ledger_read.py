"""The ledger, read where the learner keeps it: for commands that tell what alerts came to."""

from __future__ import annotations

from alerts.ledger import Books, Ledger
from alerts.policy import Policy
from churnwatch.compose import policy
from churnwatch.learner_access import open_learner_store
from churnwatch.redis_client import open_redis
from churnwatch.settings import Settings
from models.learner_state import decode_saved


def ledger_in(state: bytes | None, by: Policy) -> Ledger:
    """Return the ledger in a learner's state (`Learner.to_bytes`); an empty one where nothing was learnt yet (None).

    Raises:
        NewerSchema: a newer Churnwatch wrote it.
        Corrupt: it is not a learner's state, or its ledger is none.
    """
    books = Books(by)
    if state is not None:
        books.load(decode_saved(state).extra)
    return books.ledger


async def read_ledger(settings: Settings) -> Ledger:
    """Return the ledger that the learner last stored in the settings' Redis; an empty one where no learner has run yet.

    Raises:
        StoreUnavailable: Redis cannot be reached.
        NewerSchema, Corrupt: as `ledger_in`.
    """
    async with open_redis(settings) as client:
        store = open_learner_store(client, settings)
        try:
            state, _ = await store.open()  # reads only: what fences writers is the head that a commit expects
        finally:
            await store.close()
    return ledger_in(state, policy(settings))
