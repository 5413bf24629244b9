"""The console: where it is served, who is let in, how far back it looks."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Final

from pydantic import SecretStr, field_validator

from churnwatch.settings_fields import DURATION, Chapter, Duration, setting

TOKEN_MIN: Final = 16
"""Characters of a token: fewer can be guessed."""


class ConsoleSettings(Chapter):
    """The console."""

    console_host: str = setting("Console", "127.0.0.1", "address", "Where the console is served")
    console_port: int = setting("Console", 6080, "port", "On which port", ge=1, le=65535)
    console_token: SecretStr | None = setting(
        "Console", None, "", "Signs in people who may act; without it one is made up at each start, and shown"
    )
    console_reader_token: SecretStr | None = setting(
        "Console", None, "", "Signs in people who may look, not act; without it nobody is by token"
    )
    console_proxy_header: str = setting(
        "Console",
        "",
        "a header's name",
        "Behind a reverse proxy that signs people in: the header in which it names the user; then no token is made up",
        pattern=r"^[A-Za-z0-9-]{0,100}$",
    )
    console_proxy_networks: str = setting(
        "Console", "127.0.0.0/8,::1/128", "networks", "Whence that header counts: addresses of the proxy, as CIDR"
    )
    console_proxy_editors: str = setting(
        "Console", "", "users", "Users of the proxy who may act, separated by commas; empty means all"
    )
    console_workers: str = setting(
        "Console",
        "http://127.0.0.1:6066",
        "addresses",
        "Where the workers serve /metrics, separated by commas: for the page on operations",
        pattern=r"^(https?://[^,\s]+(,\s*https?://[^,\s]+)*)?$",
    )
    console_history_ms: Duration = setting(
        "Console", "90d", DURATION, "How far back alerts that have ended are shown", ge=3_600_000
    )

    @field_validator("console_token", "console_reader_token")
    @classmethod
    def _long_enough(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and len(token.get_secret_value()) < TOKEN_MIN:
            raise ValueError(f"a token has at least {TOKEN_MIN} characters (`openssl rand -hex 16`)")
        return token

    @field_validator("console_proxy_networks")
    @classmethod
    def _are_networks(cls, networks: str) -> str:
        for network in filter(None, networks.split(",")):
            ip_network(network.strip())
        return networks
