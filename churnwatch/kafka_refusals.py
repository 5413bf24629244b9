"""Why the brokers do not let us in, in words: the Kafka client itself tells no more than that it could not connect.

What is found here does not mend itself, unlike a broker that is away, so whoever asks ends instead of waiting.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from churnwatch.tls import certificate_fault, speaks_tls

KNOCK_MS_MAX: Final = 3_000
LEAVE_SECONDS: Final = 0.1

PROTOCOL: Final = "CHURNWATCH_KAFKA_SECURITY_PROTOCOL"
AUTHORITY: Final = "CHURNWATCH_KAFKA_SSL_CAFILE"
ADDRESS: Final = "CHURNWATCH_KAFKA_BOOTSTRAP"
CERTIFICATE: Final = "CHURNWATCH_KAFKA_SSL_CERTFILE and CHURNWATCH_KAFKA_SSL_KEYFILE"
LOGIN: Final = "CHURNWATCH_KAFKA_SASL_USERNAME and CHURNWATCH_KAFKA_SASL_PASSWORD"
ACCESS_LISTS: Final = "the access lists must let this user (CHURNWATCH_KAFKA_SASL_USERNAME) do it, see docs/access.md"


async def refusal(options: Mapping[str, Any]) -> str | None:
    """Knock at every broker that is named; say what keeps us out and which setting to look at.

    Args:
        options: those of an aiokafka client.

    Returns:
        None where one lets us in, or where none is there: then it may come back.
    """
    said = None
    for host, port, _ in collect_hosts(options["bootstrap_servers"], randomize=False):
        try:
            await _knock(host, port, options)
        except (OSError, KafkaError, TimeoutError) as error:
            said = said or await _why(error, host, port, options["security_protocol"])
        else:
            return None
        # A TLS connection takes leave of the other side before it closes, and whoever asks may end at once.
        await asyncio.sleep(LEAVE_SECONDS)
    return said


async def _knock(host: str, port: int, options: Mapping[str, Any]) -> None:
    """Connect, log in, and ask something that only those may who are let in."""
    names = ("client_id", "ssl_context", "security_protocol")
    own = {name: value for name, value in options.items() if name in names or name.startswith("sasl_")}
    wait_ms = min(options["request_timeout_ms"], KNOCK_MS_MAX)
    connection = await create_conn(host, port, request_timeout_ms=wait_ms, **own)
    try:
        await connection.send(MetadataRequest([]))
    finally:
        await connection.close()


async def _why(error: Exception, host: str, port: int, protocol: str) -> str | None:
    fault = certificate_fault(error, AUTHORITY, ADDRESS, CERTIFICATE)
    if fault is not None:
        return fault
    match error:
        case SaslAuthenticationFailed() | AuthenticationFailedError():
            return f"the user or the password is refused; look at {LOGIN}"
        case UnsupportedSaslMechanismError():
            return "it does not know this way to log in; look at CHURNWATCH_KAFKA_SASL_MECHANISM"
        case IllegalSaslStateError():
            return f"it asks for no user and password; look at {PROTOCOL}"
        case ConnectionRefusedError() | TimeoutError():
            return None
    return _other_protocol(error, protocol, tls=await speaks_tls(host, port))


def _other_protocol(error: Exception, protocol: str, *, tls: bool) -> str | None:
    """Say so where the port speaks TLS and we do not, or the other way round; brokers then close the connection."""
    if tls and not protocol.endswith("SSL"):
        return f"it speaks TLS, {PROTOCOL}={protocol} does not: SSL or SASL_SSL does"
    if tls and protocol == "SSL":
        return f"it takes TLS but closes the connection, perhaps for want of a user and a password; look at {PROTOCOL}"
    if not tls and protocol.endswith("SSL") and isinstance(error, ConnectionResetError):
        return f"it does not speak TLS, {PROTOCOL}={protocol} does; PLAINTEXT and SASL_PLAINTEXT do not"
    return None
