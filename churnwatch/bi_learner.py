"""What the learner keeps in Redis, as rows of the star schema."""

from __future__ import annotations

from bi.learner import kpi_rows, quality_rows, revenue_rows
from bi.rows import Rows
from churnwatch.compose import policy
from churnwatch.learner_access import open_learner_store
from churnwatch.ledger_read import ledger_in
from churnwatch.redis_client import open_redis
from churnwatch.settings import Settings


async def learner_rows(settings: Settings) -> Rows:
    """Return the rows of goals, expected revenue and model quality; none where no learner has run yet.

    Raises:
        StoreUnavailable: Redis cannot be reached.
        NewerSchema, Corrupt: what it holds cannot be read.
    """
    async with open_redis(settings) as client:
        store = open_learner_store(client, settings)
        try:
            state, _ = await store.open()  # reads only: what fences writers is the head that a commit expects
            history = await store.history()
        finally:
            await store.close()
    ledger, rows = ledger_in(state, policy(settings)), Rows()
    for row in (*kpi_rows(ledger), *revenue_rows(ledger), *quality_rows(history)):
        rows.add(row)
    return rows
