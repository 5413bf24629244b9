"""No password is ever said: every command, with passwords in the settings and in the address, whatever goes wrong."""

import json
from pathlib import Path

import pytest

from churnwatch.settings import Settings
from churnwatch.settings_sources import CONFIG_VARIABLE
from tests.integration.access_site import Site

CANARY = "canary-41c9"
NOWHERE = "127.0.0.1:1"
SASL = {
    "KAFKA_BOOTSTRAP": NOWHERE,
    "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
    "KAFKA_SASL_USERNAME": "ann",
    "KAFKA_SASL_PASSWORD": f"kafka-{CANARY}",
    "KAFKA_TIMEOUT": "1s",
    "ALERT_SALT": f"salt-{CANARY}",
}
ADDRESSES = {
    "user and password": f"redis://ann:{CANARY}@{NOWHERE}/0",
    "password alone": f"redis://:{CANARY}@{NOWHERE}/0",
    "not escaped": f"redis://ann:a/{CANARY}#?@{NOWHERE}/0",
    "with an at sign": f"redis://ann:{CANARY}@{CANARY}@{NOWHERE}/0",
    "in the query": f"redis://{NOWHERE}/0?password={CANARY}&username=ann",
    "no scheme": f"ann:{CANARY}@{NOWHERE}",
    "foreign scheme": f"http://ann:{CANARY}@{NOWHERE}",
    "no port": f"rediss://ann:{CANARY}@redis:none/0",
    "socket": f"unix://ann:{CANARY}@/nowhere/redis.sock",
}
COMMANDS = [
    ["config", "show"],
    ["config", "show", "--json"],
    ["config", "show", "--changed"],
    ["config", "check"],
    ["config", "check", "--json"],
    ["topics", "create"],
    ["topics", "check", "--json"],
    ["alerts"],
    ["dlq", "list", "--json"],
    ["dlq", "replay", "--topic", "customer.orders"],
    ["customer", "c1", "--json"],
    ["model", "show"],
    ["model", "history", "--json"],
    ["model", "rollback"],
    ["forget", "c1"],
    ["doctor"],
    ["doctor", "--json"],
]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Site:
    return Site(SASL, tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize("kind", ADDRESSES)
def test_no_address_gives_its_password_away(kind: str, site: Site) -> None:
    for command in (["config", "show"], ["config", "check", "--json"], ["model", "history"]):
        said = site.run("--debug", *command, REDIS_URL=ADDRESSES[kind], LOG_LEVEL="debug")
        assert CANARY not in said.out + said.err, command


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_says_a_password(command: list[str], site: Site) -> None:
    said = site.run("--debug", *command, REDIS_URL=ADDRESSES["user and password"], LOG_LEVEL="debug")
    assert CANARY not in said.out + said.err


def test_a_bad_setting_beside_it_does_not_show_it(site: Site) -> None:
    bad = {"KAFKA_SASL_MECHANISM": "NONE", "REDIS_TIMEOUT": "soon", "REDIS_PASWORD": CANARY}
    said = site.run("config", "check", REDIS_URL=ADDRESSES["password alone"], **bad)
    assert said.code == 1
    assert CANARY not in said.out + said.err
    assert "CHURNWATCH_REDIS_PASWORD" in said.err


def test_a_file_of_settings_is_not_quoted(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    file = site.scratch / "settings.toml"
    monkeypatch.setenv(CONFIG_VARIABLE, str(file))  # the command leaves it in the environment, and that must end here
    file.write_text(f'kafka_sasl_password = "{CANARY}"\nredis_password = {CANARY}\n')
    assert CANARY not in site.run("--config", str(file), "config", "check").line
    file.write_text(f'redis_password = ["{CANARY}"]\nalert_salt = "{CANARY}"\n')
    assert CANARY not in site.run("--config", str(file), "config", "check").err


def test_publish_says_none(site: Site) -> None:
    events = site.scratch / "orders.jsonl"
    order = {"stream": "orders", "event_id": "e", "customer_id": "c", "occurred_at": 1, "order_id": "o", "amount": 1}
    events.write_text(json.dumps(order) + "\n")
    assert CANARY not in site.run("--debug", "publish", str(events)).err


def test_a_worker_says_none(site: Site) -> None:
    with site.worker(REDIS_URL=ADDRESSES["user and password"], LOG_LEVEL="debug", DEBUG="on") as worker:
        worker.says("Waiting for Kafka")
        assert worker.terminate() == 0
        site.heard.append(worker.log)
    assert CANARY not in "".join(site.heard)


def test_settings_are_shown_without_them(site: Site) -> None:
    shown = json.loads(site.done("config", "show", "--json", REDIS_URL=ADDRESSES["in the query"]))
    assert shown["CHURNWATCH_REDIS_URL"]["value"] == f"redis://{NOWHERE}/0"
    assert {shown[f"CHURNWATCH_{name}"]["value"] for name in ("REDIS_PASSWORD", "KAFKA_SASL_PASSWORD")} == {"********"}


def test_the_web_port_is_for_this_machine_only() -> None:
    assert Settings.model_fields["web_host"].default == "127.0.0.1"
