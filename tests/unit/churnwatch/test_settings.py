"""Settings: where they come from, what stops the program, what is never shown."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from churnwatch.settings import Settings
from churnwatch.settings_fields import describe
from churnwatch.settings_load import allowed, is_secret, load_settings, origin, shown, span
from churnwatch.settings_sources import public_name
from features.tiles import RETENTION_DAYS
from streams.errors import ConfigError
from streams.time import DAY_MS, HOUR_MS
from streams.topics import DEFAULTS


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CHURNWATCH_")]:
        monkeypatch.delenv(name)


def problems(**environ: str) -> list[str]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        with pytest.raises(ConfigError) as caught:
            load_settings()
    return str(caught.value).splitlines()


def test_defaults_are_the_published_ones() -> None:
    settings = load_settings()
    assert settings.web_port == 6066
    assert settings.future_tolerance_ms == 24 * HOUR_MS
    assert (settings.horizon_ms, settings.active_ms, settings.snapshot_ms) == (60 * DAY_MS, 90 * DAY_MS, 7 * DAY_MS)
    assert settings.topics().inputs["orders"] == "customer.orders"


def test_every_topic_has_a_setting() -> None:
    assert {field.removeprefix("topic_") for field in Settings.topic_fields()} == set(DEFAULTS)


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_setting_says_what_it_means_and_takes(field: str) -> None:
    group, _, meaning = describe(Settings.model_fields[field])
    assert group
    assert meaning
    assert allowed(Settings.model_fields[field])


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_default_can_be_written_as_it_is_shown(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    default = getattr(Settings(), field)
    text = shown(field, default)
    if not text or is_secret(Settings.model_fields[field]):
        return
    monkeypatch.setenv(public_name(field), text)
    assert getattr(load_settings(), field) == default


def test_the_environment_goes_before_the_file_and_the_file_before_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "churnwatch.toml"
    config.write_text('clock = "replay"\nlateness = "2h"\n[web]\nport = 7000\nhost = "0.0.0.0"\n')
    monkeypatch.setenv("CHURNWATCH_CONFIG", str(config))
    monkeypatch.setenv("CHURNWATCH_WEB_PORT", "8000")
    settings = load_settings()
    assert (settings.clock, settings.lateness_ms) == ("replay", 2 * HOUR_MS)
    assert (settings.web_port, settings.web_host) == (8000, "0.0.0.0")
    assert [origin(field) for field in ("web_port", "web_host", "web_port", "drain_ms")] == [
        "environment",
        "file",
        "environment",
        "default",
    ]


def test_arguments_go_before_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHURNWATCH_WEB_PORT", "8000")
    assert load_settings(web_port=9000).web_port == 9000


def test_an_empty_variable_is_not_set() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHURNWATCH_KAFKA_SASL_USERNAME", "")
        assert load_settings().kafka_sasl_username is None


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Settings().web_port = 1  # type: ignore[misc]


def test_an_unknown_variable_is_named_with_what_was_meant() -> None:
    assert problems(CHURNWATCH_TOPIC_PARTITION="3") == [
        "CHURNWATCH_TOPIC_PARTITION: no such setting; did you mean CHURNWATCH_TOPIC_PARTITIONS?"
    ]


def test_all_faults_are_told_at_once_a_line_each() -> None:
    lines = problems(CHURNWATCH_NONSENSE="1", CHURNWATCH_CLOCK="sundial", CHURNWATCH_WEB_PORT="99999")
    assert len(lines) == 3
    assert "CHURNWATCH_CLOCK: 'sundial' is not allowed; it takes live or replay" in lines
    assert "CHURNWATCH_WEB_PORT: '99999' is not allowed; it takes a whole number from 1 to 65535" in lines
    assert "CHURNWATCH_NONSENSE: no such setting; `churnwatch config show` lists them all" in lines


def test_a_span_of_time_needs_its_unit(tmp_path: Path) -> None:
    assert "a span with a unit" in problems(CHURNWATCH_LATENESS="60")[0]
    config = tmp_path / "c.toml"
    config.write_text("lateness = 60")
    assert problems(CHURNWATCH_CONFIG=str(config))[0].startswith(f"lateness in {config}: '60' is not allowed")


def test_an_unknown_key_in_the_file_is_named_with_the_file(tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text("[kafka]\nbootstraps = 'a:1'")
    expected = f"kafka_bootstraps in {config}: no such setting; did you mean kafka_bootstrap?"
    assert problems(CHURNWATCH_CONFIG=str(config)) == [expected]


@pytest.mark.parametrize("text", ["not toml", None])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, text: str | None) -> None:
    config = tmp_path / "c.toml"
    if text is not None:
        config.write_text(text)
    assert problems(CHURNWATCH_CONFIG=str(config))[0].startswith(f"CHURNWATCH_CONFIG={config}: ")


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"CHURNWATCH_HORIZON": "1500h"}, "CHURNWATCH_HORIZON must be whole days"),
        ({"CHURNWATCH_HORIZON": "121d"}, "CHURNWATCH_HORIZON must be at most 120d"),
        ({"CHURNWATCH_ACTIVE": "300d"}, f"CHURNWATCH_ACTIVE must be at most {RETENTION_DAYS}d"),
        ({"CHURNWATCH_SNAPSHOT": "70d"}, "CHURNWATCH_SNAPSHOT must not exceed CHURNWATCH_HORIZON"),
        ({"CHURNWATCH_EXPIRY": "100d"}, "CHURNWATCH_EXPIRY must be at least active + horizon"),
        ({"CHURNWATCH_VALUE_BYTES_MAX": "9000000"}, "CHURNWATCH_CHUNK_BYTES_MAX must be at least"),
        ({"CHURNWATCH_CHUNK_BYTES_MAX": "99000000"}, "CHURNWATCH_BUFFER_BYTES_MAX must be at least"),
        ({"CHURNWATCH_REPLAY_UNTIL": "1998-07-01T00:00:00Z"}, "CHURNWATCH_REPLAY_UNTIL needs CHURNWATCH_CLOCK=replay"),
        ({"CHURNWATCH_MODEL_FILE": "m"}, "CHURNWATCH_MODEL_FILE needs CHURNWATCH_LEARNING_ENABLED=off"),
        (
            {"CHURNWATCH_PLAYBOOK_LEARNING": "on", "CHURNWATCH_LEARNING_ENABLED": "off"},
            "CHURNWATCH_PLAYBOOK_LEARNING=on needs CHURNWATCH_LEARNING_ENABLED=on: the learner learns both",
        ),
        ({"CHURNWATCH_TOPIC_LOGINS": "customer.orders"}, "CHURNWATCH_TOPIC_…: two topics have the same name"),
        ({"CHURNWATCH_KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "needs CHURNWATCH_KAFKA_SASL_USERNAME"),
        ({"CHURNWATCH_KAFKA_SASL_PASSWORD": "p"}, "the password would not be used"),
        ({"CHURNWATCH_KAFKA_SSL_CERTFILE": "c"}, "CHURNWATCH_KAFKA_SSL_KEYFILE go together"),
        (
            {"CHURNWATCH_REDIS_TLS_CERT": "c", "CHURNWATCH_REDIS_URL": "rediss://r"},
            "CHURNWATCH_REDIS_TLS_KEY go together",
        ),
        ({"CHURNWATCH_REDIS_TLS_CA": "c"}, "starts with rediss://"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(environ: dict[str, str], told: str) -> None:
    lines = problems(**environ)
    assert len(lines) == 1
    assert told in lines[0]


def test_an_instant_is_text_or_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHURNWATCH_CLOCK", "replay")
    for text in ("1998-07-01T00:00:00Z", "899251200000"):
        monkeypatch.setenv("CHURNWATCH_REPLAY_UNTIL", text)
        assert load_settings().replay_until_ms == 899_251_200_000


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHURNWATCH_KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("CHURNWATCH_KAFKA_SASL_USERNAME", "alice")
    monkeypatch.setenv("CHURNWATCH_KAFKA_SASL_PASSWORD", "hush-1")
    monkeypatch.setenv("CHURNWATCH_REDIS_URL", "redis://bob:hush%2D2@redis:6379/1")
    monkeypatch.setenv("CHURNWATCH_ALERT_SALT", "hush-3")
    settings = load_settings()
    everything = repr(settings) + "".join(shown(field, getattr(settings, field)) for field in Settings.model_fields)
    assert "hush" not in everything
    assert settings.redis_url == "redis://redis:6379/1"
    assert settings.redis_username == "bob"
    assert settings.redis_password is not None
    assert settings.redis_password.get_secret_value() == "hush-2"


def test_a_bad_secret_is_not_repeated_in_the_complaint() -> None:
    lines = problems(CHURNWATCH_REDIS_URL="http://bob:hush@redis/1")
    assert "hush" not in "".join(lines)
    assert lines[0].startswith("CHURNWATCH_REDIS_URL: 'http://redis/1' is not allowed")


def test_spans_are_shown_in_the_largest_unit_that_fits() -> None:
    assert [span(ms) for ms in (0, 1, 1000, 60_000, 5_400_000, DAY_MS)] == ["0ms", "1ms", "1s", "1m", "90m", "1d"]
