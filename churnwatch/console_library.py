"""The console's models: read from Redis where the learner keeps them, now and then."""

from __future__ import annotations

import time
from typing import Final

from redis.exceptions import RedisError

from churnwatch.learner_access import open_learner_store
from churnwatch.settings import Settings
from console.modelling import Models
from features.redis_client import Client
from models.guide import decode_guide
from streams.errors import StoreUnavailable, TransportError

FRESH_SECONDS: Final = 10.0
"""How long what was read is good for: a page must not read all models each time."""


class RedisLibrary:
    """Reads models; writes nothing."""

    def __init__(self, settings: Settings, client: Client) -> None:
        self._settings = settings
        self._client = client
        self._read: tuple[float, Models | None] | None = None

    async def models(self) -> Models | None:
        """Return what there is; None before the first model."""
        known = self._read
        if known is not None and time.monotonic() - known[0] < FRESH_SECONDS:
            return known[1]
        learner = open_learner_store(self._client, self._settings)
        try:
            head = await learner.head()
            value = await learner.guide(head.pinned or head.version)
            found = None if value is None else Models(head, decode_guide(value), await learner.history())
        except (StoreUnavailable, RedisError, OSError) as error:
            raise away(error) from error
        finally:
            await learner.close()
        self._read = (time.monotonic(), found)
        return found


def away(error: Exception) -> TransportError:
    """Word the failure to read from Redis."""
    return TransportError(f"Redis does not answer ({error}); is CHURNWATCH_REDIS_URL right, is it up?")
