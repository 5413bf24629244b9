"""Who may look, and who may act: sign-in by token or by a reverse proxy's word, sessions, roles, protection against forged requests.

    token      whoever knows `editor_token` may act, whoever knows `reader_token` may look; a cookie holds the session's id, nothing else
    proxy      the header of a reverse proxy names the user; it counts only from the addresses that the proxy has

A session lives in this process's memory and no longer than `SESSION_SECONDS`. Requests that change something carry the session's
`csrf` word, which no other site can read, and must come from this site by the browser's own word (`Sec-Fetch-Site`).
Method: OWASP, "Cross-Site Request Forgery Prevention Cheat Sheet" (synchronizer token).
"""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final, Literal

from starlette.requests import HTTPConnection

Role = Literal["reader", "editor"]
Network = IPv4Network | IPv6Network

COOKIE: Final = "churnwatch_session"
SESSION_SECONDS: Final = 12 * 3600
SESSIONS_MAX: Final = 10_000
"""Beyond, the oldest is signed out: memory must not grow with sign-ins."""

CSRF_HEADER: Final = "x-csrf-token"
USER_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in. `until` is on the monotonic clock, in seconds."""

    user: str
    role: Role
    csrf: str
    until: float

    @property
    def may_act(self) -> bool:
        """Whether outcomes may be reported."""
        return self.role == "editor"


@dataclass(frozen=True, slots=True)
class Rules:
    """How people are let in.

    Attributes:
        editor_token, reader_token: what to show to be one; empty: nobody is by token.
        proxy_header: the header in which the reverse proxy names the user; empty: there is none.
        proxy_networks: where that header may come from.
        editors: users of the proxy who may act; None: all of them.
    """

    editor_token: str = ""
    reader_token: str = ""
    proxy_header: str = ""
    proxy_networks: tuple[Network, ...] = ()
    editors: frozenset[str] | None = None


@dataclass(slots=True)
class Access:
    """The door. `clock` is monotonic, in seconds."""

    rules: Rules
    clock: Callable[[], float]
    _sessions: OrderedDict[str, Session] = field(default_factory=OrderedDict)
    _proxied: OrderedDict[str, Session] = field(default_factory=OrderedDict)

    def sign_in(self, token: str) -> str | None:
        """Return the id of a new session for who shows a token; None for a wrong one."""
        role = self._role_of(token)
        if role is None:
            return None
        session_id = secrets.token_urlsafe(32)
        _keep(self._sessions, session_id, self._session(role, role))
        return session_id

    def sign_out(self, connection: HTTPConnection) -> None:
        """End the session of a request."""
        self._sessions.pop(connection.cookies.get(COOKIE, ""), None)

    def session_of(self, connection: HTTPConnection) -> Session | None:
        """Return who asks; None for a stranger."""
        session_id = connection.cookies.get(COOKIE, "")
        session = self._sessions.get(session_id)
        if session is not None:
            if session.until > self.clock():
                return session
            del self._sessions[session_id]
        return self._by_proxy(connection)

    def forged(self, connection: HTTPConnection, session: Session, word: str) -> str | None:
        """Return why a request that changes something does not come from a page of ours, as a key of the texts; None where it does.

        Args:
            connection: the request.
            session: whose it is.
            word: the `csrf` word that it carries.
        """
        if connection.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return "other_site"
        if not hmac.compare_digest(word.encode(), session.csrf.encode()):
            return "out_of_date"
        return None

    def _role_of(self, token: str) -> Role | None:
        known: tuple[tuple[str, Role], ...] = ((self.rules.editor_token, "editor"), (self.rules.reader_token, "reader"))
        for wanted, role in known:
            # In constant time, and never for a token that is not set.
            if wanted and hmac.compare_digest(token.encode(), wanted.encode()):
                return role
        return None

    def _by_proxy(self, connection: HTTPConnection) -> Session | None:
        header, client = self.rules.proxy_header, connection.client
        user = connection.headers.get(header, "").strip()[:USER_MAX] if header else ""
        if not user or client is None or not self._is_proxy(client.host):
            return None
        session = self._proxied.get(user)
        if session is None or session.until <= self.clock():
            role: Role = "editor" if self.rules.editors is None or user in self.rules.editors else "reader"
            session = self._session(user, role)
            _keep(self._proxied, user, session)
        return session

    def _is_proxy(self, host: str) -> bool:
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self.rules.proxy_networks)

    def _session(self, user: str, role: Role) -> Session:
        return Session(user, role, secrets.token_urlsafe(32), self.clock() + SESSION_SECONDS)


def _keep(sessions: OrderedDict[str, Session], key: str, session: Session) -> None:
    sessions[key] = session
    while len(sessions) > SESSIONS_MAX:
        sessions.popitem(last=False)
