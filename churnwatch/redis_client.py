"""The Redis client, made from the settings; failures say which setting to look at."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final
from urllib.parse import urlsplit

from redis.exceptions import AuthenticationError, RedisError, ResponseError

from churnwatch.settings import Settings
from churnwatch.tls import answers, certificate_fault, speaks_tls
from features.redis_client import Client, RedisOptions, connect, refused
from streams.errors import ConfigError, TransportError

DEFAULT_PORT: Final = 6379
LEAVE_SECONDS: Final = 0.1
CERTIFICATE: Final = "CHURNWATCH_REDIS_TLS_CERT and CHURNWATCH_REDIS_TLS_KEY"


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
        ConfigError: it answered, and does not let us in; names the setting. Waiting does not mend that.
    """
    client = connect(redis_options(settings, retries=0))
    try:
        await client.ping()
        yield client
    except (RedisError, OSError) as error:
        at = f"cannot work with Redis at {settings.redis_url}"
        why_not = await refusal(settings, error)
        # A TLS connection that did not come about is closed in a later turn of the loop, and whoever asks may end at once.
        await asyncio.sleep(LEAVE_SECONDS)
        if why_not is not None:
            raise ConfigError(f"{at}: {why_not}") from error
        why = str(error) or f"no answer within {settings.redis_timeout_ms / 1000:g} s (CHURNWATCH_REDIS_TIMEOUT)"
        raise TransportError(f"{at}: {why}; is CHURNWATCH_REDIS_URL right, is Redis up?") from error
    finally:
        await client.aclose()


async def check_let_in(settings: Settings) -> None:
    """Return where Redis lets us in, and where it does not answer: it may come back.

    Raises:
        ConfigError: it does not let us in, for a reason that waiting does not mend; names the setting.
    """
    with suppress(TransportError):
        async with open_redis(settings):
            return


async def refusal(settings: Settings, error: Exception) -> str | None:
    """Say why Redis does not let us in, and which setting to look at; None where it is away, or too slow."""
    if isinstance(error, AuthenticationError | ResponseError):
        return str(refused(error))
    parts = urlsplit(settings.redis_url)
    if parts.scheme == "rediss" and (unusable := _unusable_files(settings)) is not None:
        return unusable
    fault = certificate_fault(error, "CHURNWATCH_REDIS_TLS_CA", "CHURNWATCH_REDIS_URL", CERTIFICATE)
    if fault is None and parts.hostname is not None:
        fault = await _other_protocol(parts.hostname, parts.port or DEFAULT_PORT, tls=parts.scheme == "rediss")
    return fault


def _unusable_files(settings: Settings) -> str | None:
    try:
        context = ssl.create_default_context(cafile=settings.redis_tls_ca)
        if settings.redis_tls_cert and settings.redis_tls_key:
            context.load_cert_chain(settings.redis_tls_cert, settings.redis_tls_key)
    except (OSError, ssl.SSLError) as error:
        return f"CHURNWATCH_REDIS_TLS_CA, _CERT or _KEY cannot be used: {error}; name readable PEM files"
    return None


async def _other_protocol(host: str, port: int, *, tls: bool) -> str | None:
    """Say so where the port speaks TLS and we do not, or the other way round."""
    if not tls:
        return "it speaks TLS; let CHURNWATCH_REDIS_URL begin with rediss://" if await speaks_tls(host, port) else None
    if await answers(host, port, b"PING\r\n"):
        return "it does not speak TLS; let CHURNWATCH_REDIS_URL begin with redis://"
    if await speaks_tls(host, port):
        return f"it takes TLS but closes the connection, perhaps for want of our certificate; look at {CERTIFICATE}"
    return None
