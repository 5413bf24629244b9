"""What is wrong with a TLS connection that did not come about, and whether a port speaks TLS at all. Nothing secret is sent here."""

import asyncio
import contextlib
import re
import ssl
from typing import Final

PROBE_SECONDS: Final = 2.0

_REFUSED_BY_US: Final = {
    "certificate has expired": "its certificate has expired and must be renewed there",
    "not yet valid": "its certificate is not valid yet: compare the clocks",
    "mismatch": "its certificate is for another name",
}
_FOREIGN: Final = "its certificate is signed by an authority that is not trusted"
# How OpenSSL words the alerts by which the other side refuses a client's certificate, or the want of one.
_REFUSED_BY_THEM: Final = re.compile(
    r"alert (bad certificate|certificate|handshake failure|unknown ca|access denied)", re.IGNORECASE
)


def certificate_fault(error: BaseException, authority: str, address: str, own: str) -> str | None:
    """Say which certificate is at fault and what to look at; None where none is.

    Args:
        error: what the client raised; the errors that caused it are looked at too.
        authority: the setting that names the authority to trust.
        address: the setting that says where to connect.
        own: the settings that name the client's certificate and its key.
    """
    told = _told(error)
    if "CERTIFICATE_VERIFY_FAILED" in told:
        what = next((what for word, what in _REFUSED_BY_US.items() if word in told), _FOREIGN)
        look = {
            _FOREIGN: f"look at {authority}",
            _REFUSED_BY_US["mismatch"]: f"name it in {address} as the certificate does",
        }
        return f"{what}; {look.get(what, f'{authority} names the authority that is trusted')}"
    if _REFUSED_BY_THEM.search(told):
        return f"it refuses our certificate, or wants one; look at {own}"
    return None


def _told(error: BaseException | None) -> str:
    """Everything that an error and its causes say."""
    told = []
    while error is not None:
        told.append(str(error))
        error = error.__cause__ or error.__context__
    return " | ".join(told)


async def speaks_tls(host: str, port: int) -> bool:
    """Whether the port takes part in a TLS handshake, whatever certificate it shows."""
    anyone = ssl.create_default_context()
    anyone.check_hostname = False
    anyone.verify_mode = ssl.CERT_NONE
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(PROBE_SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=anyone)
        writer.transport.abort()
        return True
    return False


async def answers(host: str, port: int, request: bytes) -> bool:
    """Whether the port answers a request that is sent as it is, without TLS."""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(PROBE_SECONDS):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(request)
                return bool(await reader.read(1))
            finally:
                writer.transport.abort()
    return False
