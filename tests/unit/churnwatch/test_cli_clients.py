"""Clients get the access that the settings give them, in each client's own words."""

import ssl
from pathlib import Path

import pytest

from churnwatch.kafka import client_options, librdkafka_options, ssl_context, unreachable
from churnwatch.redis_client import redis_options
from churnwatch.settings import Settings
from streams.errors import ConfigError

SASL = Settings(
    kafka_bootstrap="k:1",
    kafka_security_protocol="SASL_SSL",
    kafka_sasl_mechanism="SCRAM-SHA-512",
    kafka_sasl_username="alice",
    kafka_sasl_password="hush",
)


def test_plain_access_has_no_tls_and_no_login() -> None:
    options = client_options(Settings(kafka_bootstrap="k:1"))
    assert (options["bootstrap_servers"], options["security_protocol"], options["ssl_context"]) == (
        "k:1",
        "PLAINTEXT",
        None,
    )
    assert not any(name.startswith("sasl") for name in options)
    assert not any(name.startswith(("sasl", "ssl")) for name in librdkafka_options(Settings()))


def test_sasl_over_tls_is_the_same_for_both_clients() -> None:
    ours, theirs = client_options(SASL), librdkafka_options(SASL)
    assert isinstance(ours["ssl_context"], ssl.SSLContext)
    assert ours["sasl_mechanism"] == theirs["sasl.mechanism"] == "SCRAM-SHA-512"
    assert ours["sasl_plain_username"] == theirs["sasl.username"] == "alice"
    assert ours["sasl_plain_password"] == theirs["sasl.password"] == "hush"


def test_certificates_go_by_path(tmp_path: Path) -> None:
    settings = Settings(kafka_security_protocol="SSL", kafka_ssl_cafile=tmp_path / "ca.pem")
    assert librdkafka_options(settings)["ssl.ca.location"] == str(tmp_path / "ca.pem")
    with pytest.raises(ConfigError, match="CHURNWATCH_KAFKA_SSL_CAFILE"):
        ssl_context(settings)


def test_failure_names_the_address_and_the_setting_but_no_password() -> None:
    told = str(unreachable(SASL, TimeoutError()))
    assert "k:1" in told
    assert "CHURNWATCH_KAFKA_BOOTSTRAP" in told
    assert "TimeoutError" in told
    assert "hush" not in told


def test_redis_gets_its_password_apart_from_its_address() -> None:
    options = redis_options(Settings(redis_url="rediss://u:hush@r:1/2", redis_tls_ca="ca.pem"), retries=0)
    assert (options.url, options.username, options.password) == ("rediss://r:1/2", "u", "hush")
    assert (options.tls_ca, options.retries) == (Path("ca.pem"), 0)
    assert "hush" not in repr(options)
