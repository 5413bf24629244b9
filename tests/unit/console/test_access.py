"""Who is let in, who may act, and what a forged request gets."""

from ipaddress import ip_network

import pytest
from starlette.requests import Request

from console.access import COOKIE, SESSION_SECONDS, SESSIONS_MAX, Access, Rules, Session

EDITOR, READER = "e" * 20, "r" * 20


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def request(host: str = "10.0.0.5", **headers: str) -> Request:
    raw = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
    return Request(
        {"type": "http", "method": "GET", "path": "/", "headers": raw, "client": (host, 1), "query_string": b""}
    )


def signed_in(access: Access, token: str) -> Session:
    session = access.session_of(request(cookie=f"{COOKIE}={access.sign_in(token)}"))
    assert session is not None
    return session


@pytest.mark.parametrize("token", ["", "x", EDITOR[:-1], EDITOR + " ", "é" * 20])
def test_a_wrong_token_opens_nothing(token: str) -> None:
    assert Access(Rules(EDITOR, READER), Clock()).sign_in(token) is None


def test_without_tokens_none_opens() -> None:
    assert Access(Rules(), Clock()).sign_in("") is None


def test_the_token_decides_who_may_act() -> None:
    access = Access(Rules(EDITOR, READER), Clock())
    assert signed_in(access, EDITOR).may_act
    assert not signed_in(access, READER).may_act


def test_a_session_ends() -> None:
    clock = Clock()
    access = Access(Rules(EDITOR), clock)
    cookie = f"{COOKIE}={access.sign_in(EDITOR)}"
    clock.now = SESSION_SECONDS - 1.0
    assert access.session_of(request(cookie=cookie)) is not None
    clock.now = SESSION_SECONDS
    assert access.session_of(request(cookie=cookie)) is None


def test_signing_out_ends_it_too() -> None:
    access = Access(Rules(EDITOR), Clock())
    asked = request(cookie=f"{COOKIE}={access.sign_in(EDITOR)}")
    access.sign_out(asked)
    assert access.session_of(asked) is None


def test_sessions_are_bounded() -> None:
    access = Access(Rules(EDITOR), Clock())
    first = access.sign_in(EDITOR)
    for _ in range(SESSIONS_MAX):
        last = access.sign_in(EDITOR)
    assert access.session_of(request(cookie=f"{COOKIE}={first}")) is None
    assert access.session_of(request(cookie=f"{COOKIE}={last}")) is not None


PROXY = Rules(proxy_header="X-User", proxy_networks=(ip_network("10.0.0.0/24"),), editors=frozenset({"ann"}))


@pytest.mark.parametrize(
    ("host", "user", "role"),
    [
        ("10.0.0.5", "ann", "editor"),
        ("10.0.0.5", "bob", "reader"),
        ("10.0.0.5", " ", None),
        ("10.0.1.5", "ann", None),
        ("testclient", "ann", None),
    ],
)
def test_the_proxy_s_word_counts_where_it_comes_from_the_proxy(host: str, user: str, role: str | None) -> None:
    session = Access(PROXY, Clock()).session_of(request(host, x_user=user))
    assert (session.role if session else None) == role


def test_the_same_user_of_the_proxy_keeps_the_session() -> None:
    access = Access(PROXY, Clock())
    assert access.session_of(request(x_user="ann")) == access.session_of(request(x_user="ann"))


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_cannot_act(site: str) -> None:
    access = Access(Rules(EDITOR), Clock())
    session = signed_in(access, EDITOR)
    assert access.forged(request(sec_fetch_site=site), session, session.csrf) is not None


@pytest.mark.parametrize("word", ["", "x", "é"])
def test_without_the_page_s_word_nobody_acts(word: str) -> None:
    access = Access(Rules(EDITOR), Clock())
    session = signed_in(access, EDITOR)
    assert access.forged(request(), session, word) is not None
    assert access.forged(request(sec_fetch_site="same-origin"), session, session.csrf) is None
