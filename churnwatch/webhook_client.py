"""The way to the receiver: one POST, bounded in time and bytes, that never raises.

Redirections are not followed, proxies of the environment are not used, cookies are not kept: what is posted goes to the address that
is set, or nowhere. Of an answer no more than a few hundred bytes are read.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from churnwatch.settings_webhook import WebhookSettings
from churnwatch.webhook_body import Posting
from churnwatch.webhook_retry import retry_after_ms
from churnwatch.webhook_signing import signed, signing_keys
from streams.errors import ConfigError

ANSWER_BYTES_MAX: Final = 512
HEADER_BYTES_MAX: Final = 8_190


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one attempt: `status` is None where no answer came; `said` is for people, at most a few hundred characters."""

    status: int | None
    said: str
    asked_ms: int | None = None


def shown_address(url: str) -> str:
    """Return an address as it may be shown: without user, password, path and query, which may be secret.

    >>> shown_address("https://bob:hush@hooks.example:8443/services/T0/B0/token?x=1")
    'https://hooks.example:8443'
    """
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")


class WebhookClient:
    """Posts to one receiver; made and closed within a running event loop. `now_ms` is the wall's clock.

    Raises ConfigError where CHURNWATCH_WEBHOOK_URL is not set or CHURNWATCH_WEBHOOK_TLS_CA cannot be used.
    """

    def __init__(self, settings: WebhookSettings, now_ms: Callable[[], int]) -> None:
        if settings.webhook_url is None:
            raise ConfigError("CHURNWATCH_WEBHOOK_URL is not set: give the address that alerts are to be posted to")
        self._url = settings.webhook_url.get_secret_value()
        self.address = shown_address(self._url)
        self._keys = signing_keys(settings)
        self._now_ms = now_ms
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=settings.webhook_connections_max, ssl=_trust(settings)),
            timeout=aiohttp.ClientTimeout(total=settings.webhook_timeout_ms / 1000),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"user-agent": f"churnwatch/{version('churnwatch')}"},
            auto_decompress=False,
            trust_env=False,
            max_line_size=HEADER_BYTES_MAX,
            max_field_size=HEADER_BYTES_MAX,
        )

    async def post(self, posting: Posting) -> Answer:
        """Post once, and return what came of it."""
        now_ms = self._now_ms()
        headers = posting.headers | signed(self._keys, posting.alert_id, now_ms, posting.body)
        try:
            async with self._session.post(
                self._url, data=posting.body, headers=headers, allow_redirects=False
            ) as response:
                asked_ms = retry_after_ms(response.headers.get("retry-after"), now_ms)
                return Answer(response.status, await _start_of(response), asked_ms)
        except TimeoutError:
            return Answer(None, "no answer in time")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Answer(None, self._discreet(error))

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    def _discreet(self, error: Exception) -> str:
        """What went wrong, without the address, which some errors repeat in full."""
        said = _plain(str(error).replace(self._url, self.address))
        path = urlsplit(self._url).path
        return type(error).__name__ if len(path) > 1 and path in said else said or type(error).__name__


def _trust(settings: WebhookSettings) -> ssl.SSLContext | bool:
    if settings.webhook_tls_ca is None:
        return True
    try:
        return ssl.create_default_context(cafile=settings.webhook_tls_ca)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"CHURNWATCH_WEBHOOK_TLS_CA cannot be used: {error}; name a readable PEM file") from error


async def _start_of(response: aiohttp.ClientResponse) -> str:
    """What the receiver says beside its status. That counts already: a body that is cut short or never ends changes nothing."""
    text = b""
    try:
        text = await response.content.read(ANSWER_BYTES_MAX)
    except (aiohttp.ClientError, TimeoutError, OSError):
        response.close()
    if not response.content.at_eof():
        response.close()
    said = f"{response.status} {response.reason or ''}".rstrip()
    return _plain(f"{said}: {text.decode(errors='replace')}" if text and response.status >= 300 else said)


def _plain(text: str) -> str:
    """One line of printable characters."""
    return "".join(char if char.isprintable() else " " for char in text)[:ANSWER_BYTES_MAX].strip()
