"""The Redis client, made from the settings: address, access, TLS, cluster; failures say which setting to look at."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster
from redis.exceptions import RedisError

from churnwatch.settings import Settings
from streams.errors import TransportError


def redis_options(settings: Settings) -> dict[str, Any]:
    """Give what a client is made with beside the address; replies stay bytes."""
    seconds = settings.redis_timeout_ms / 1000
    options: dict[str, Any] = {"socket_timeout": seconds, "socket_connect_timeout": seconds, "decode_responses": False}
    if settings.redis_username:
        options["username"] = settings.redis_username
    if settings.redis_password:
        options["password"] = settings.redis_password.get_secret_value()
    files = {
        "ssl_ca_certs": settings.redis_tls_ca,
        "ssl_certfile": settings.redis_tls_cert,
        "ssl_keyfile": settings.redis_tls_key,
    }
    return options | {name: str(path) for name, path in files.items() if path is not None}


def make_redis(settings: Settings) -> Redis | RedisCluster:
    """Make a client; it connects when it is first used. The caller closes it."""
    if settings.redis_cluster:
        return RedisCluster.from_url(settings.redis_url, **redis_options(settings))
    return Redis.from_url(settings.redis_url, **redis_options(settings))


@asynccontextmanager
async def open_redis(settings: Settings) -> AsyncIterator[Redis | RedisCluster]:
    """Give a client that has answered once, and close it again.

    Raises TransportError, naming the setting, where Redis does not answer, there or later in the block.
    """
    client = make_redis(settings)
    try:
        async with asyncio.timeout(2 * settings.redis_timeout_ms / 1000):
            await client.ping()
        yield client
    except (RedisError, OSError, TimeoutError) as error:
        why = str(error) or f"no answer within {settings.redis_timeout_ms / 1000:g} s (CHURNWATCH_REDIS_TIMEOUT)"
        raise TransportError(
            f"cannot work with Redis at {settings.redis_url}: {why}; is CHURNWATCH_REDIS_URL right, is Redis up?"
        ) from error
    finally:
        await client.aclose()
