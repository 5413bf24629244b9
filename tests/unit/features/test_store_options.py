from pathlib import Path

import pytest

from features.redis_client import RedisOptions, connect
from streams.errors import ConfigError


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (RedisOptions("redis://h", tls_ca=Path("ca.pem")), "rediss://"),
        (RedisOptions("unix:///s", cluster=True), "unix socket"),
        (RedisOptions("redis://h", timeout_ms=0), "timeout"),
    ],
)
def test_options_that_contradict_each_other_are_named(options: RedisOptions, word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        connect(options)


def test_a_password_is_not_shown() -> None:
    assert "geheim" not in repr(RedisOptions("redis://h", password="geheim"))


def test_files_of_tls_reach_the_connections() -> None:
    client = connect(RedisOptions("rediss://h", tls_ca=Path("/ca.pem"), tls_cert=Path("/c"), tls_key=Path("/k")))
    assert client.get_connection_kwargs() | {"ssl_ca_certs": "/ca.pem", "ssl_certfile": "/c"} == (
        client.get_connection_kwargs()
    )
