"""The Redis client, made from the settings; failures say which setting to look at."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.exceptions import RedisError

from churnwatch.settings import Settings
from features.redis_client import Client, RedisOptions, connect
from streams.errors import TransportError


def redis_options(settings: Settings, retries: int = 2) -> RedisOptions:
    """Give the address, access and limits as set; `retries` is how often connecting is tried again."""
    password = settings.redis_password
    return RedisOptions(
        url=settings.redis_url,
        username=settings.redis_username,
        password=password.get_secret_value() if password else None,
        tls_ca=settings.redis_tls_ca,
        tls_cert=settings.redis_tls_cert,
        tls_key=settings.redis_tls_key,
        cluster=settings.redis_cluster,
        timeout_ms=settings.redis_timeout_ms,
        retries=retries,
    )


@asynccontextmanager
async def open_redis(settings: Settings) -> AsyncIterator[Client]:
    """Give a command's client, that has answered once, and close it again.

    Connecting is tried once only: a person waits.

    Raises:
        TransportError: Redis did not answer, there or later in the block; names the setting.
    """
    client = connect(redis_options(settings, retries=0))
    try:
        await client.ping()
        yield client
    except (RedisError, OSError) as error:
        why = str(error) or f"no answer within {settings.redis_timeout_ms / 1000:g} s (CHURNWATCH_REDIS_TIMEOUT)"
        raise TransportError(
            f"cannot work with Redis at {settings.redis_url}: {why}; is CHURNWATCH_REDIS_URL right, is Redis up?"
        ) from error
    finally:
        await client.aclose()
