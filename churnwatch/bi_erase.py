"""`churnwatch forget` and the star schema: the customer's rows go at once, and do not come back with messages that are not loaded yet."""

from __future__ import annotations

from bi.cells import instant
from churnwatch.bi_chunk import hashed
from churnwatch.bi_database import Database
from churnwatch.settings import Settings


async def erase_customer(settings: Settings, customer_id: str, at_ms: int) -> int:
    """Erase a customer from the star schema at CHURNWATCH_BI_URL; return how many rows that took away. May be repeated.

    What a sink is loading at this moment is not seen: that goes when it reads the tombstone on the scores' topic.

    Args:
        settings: where it is.
        customer_id: who.
        at_ms: Kafka's instant of that tombstone: what was told since stays.

    Raises:
        StoreUnavailable: PostgreSQL does not answer.
        ConfigError: it does not let us.
    """
    async with Database.opened(settings) as database:
        if not await database.there():
            return 0
        return await database.forget(hashed(customer_id), customer_id, instant(at_ms))
