"""The command line: its shape, its exit codes, and one line for every failure."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from churnwatch import cli
from churnwatch.commands import version
from streams.errors import StateError

CONTRACT = {
    "demo": (),
    "worker": (),
    "backtest": (),
    "publish": (),
    "topics": ("create", "check"),
    "customer": (),
    "alerts": (),
    "dlq": ("list", "replay"),
    "model": ("show", "history", "rollback"),
    "config": ("show", "check"),
    "forget": (),
    "doctor": (),
}
JSON_ANSWERS = ["publish", "backtest", "customer", "alerts", "dlq list", "topics check", "doctor", "forget", "version"]
JSON_ANSWERS += ["playbook show", "playbook check", "model show", "model history", "config show", "config check"]


@pytest.fixture(autouse=True)
def _as_from_a_bare_shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith("CHURNWATCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CHURNWATCH_DEBUG", "off")
    yield
    logging.disable(logging.NOTSET)


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(version, "versions", fail)


@pytest.mark.parametrize("command", [*CONTRACT, "version"])
def test_every_command_has_help_that_teaches(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "Usage: churnwatch" in shown
    for sub in CONTRACT.get(command, ()):
        assert sub in shown
        assert cli.run([command, sub, "--help"]) == 0


@pytest.mark.parametrize(
    "command", ["worker", "backtest", "publish", "customer", "alerts", "deliver", "doctor", "forget", "demo", "uplift"]
)
def test_help_gives_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    cli.run([command, "--help"])
    assert f"churnwatch {command}" in capsys.readouterr().out.split("Try:")[1]


@pytest.mark.parametrize("command", JSON_ANSWERS)
def test_programs_can_read_the_answer(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    cli.run([*command.split(), "--help"])
    assert "--json" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["publih", "x"], "Did you mean 'publish'?"),
        (["alerts", "--folow"], "--follow"),
        (["alerts", "--band", "purple"], "critical"),
        (["alerts", "--since", "yesterday"], "RFC 3339"),
        (["publish"], "FILE"),
        (["publish", "/no/such/file.jsonl"], "does not exist"),
        (["dlq", "list", "--topic", "elsewhere"], "not an input topic"),
        (["model", "rollback", "3", "--newest"], "not both"),
        (["customer"], "ID"),
    ],
)
def test_wrong_usage_ends_with_2_and_a_hint(
    arguments: list[str], hint: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERMINAL_WIDTH", "300")
    assert cli.run(arguments) == 2
    said = capsys.readouterr()
    assert hint in said.err
    assert not said.out


def test_a_failure_is_one_line_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(monkeypatch, StateError("the state is odd: do this"))
    assert cli.run(["version"]) == 1
    said = capsys.readouterr()
    assert said.err == "churnwatch: the state is odd: do this\n"
    assert not said.out


def test_a_bug_is_one_line_too_until_one_asks_for_more(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(monkeypatch, KeyError("x"))
    assert cli.run(["version"]) == 1
    assert capsys.readouterr().err == "churnwatch: unexpected KeyError: 'x'; this is a bug, --debug shows where\n"
    assert cli.run(["--debug", "version"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_ends_quietly_with_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    raising(monkeypatch, KeyboardInterrupt())
    assert cli.run(["version"]) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("command", [["doctor"], ["config", "show"], ["alerts"], ["worker", "--web-port", "7000"]])
def test_wrong_settings_end_with_1_before_anything_is_touched(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHURNWATCH_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("CHURNWATCH_CLOCK", "sundial")
    assert cli.run(command) == 1
    assert (
        capsys.readouterr().err == "churnwatch: CHURNWATCH_CLOCK: 'sundial' is not allowed; it takes live or replay\n"
    )


def test_config_check_tells_programs_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["config", "check", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
    monkeypatch.setenv("CHURNWATCH_WEB_PORTS", "1")
    assert cli.run(["config", "check", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    assert "did you mean CHURNWATCH_WEB_PORT?" in told["problems"][0]


def test_config_show_says_where_a_value_comes_from(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHURNWATCH_LATENESS", "90m")
    monkeypatch.setenv("CHURNWATCH_ALERT_SALT", "hush")
    assert cli.run(["config", "show", "--json", "--changed"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["CHURNWATCH_LATENESS"] == {"value": "90m", "origin": "environment"}
    assert told["CHURNWATCH_ALERT_SALT"]["value"] == "********"
    assert "CHURNWATCH_WEB_PORT" not in told
    assert cli.run(["config", "show"]) == 0
    assert "CHURNWATCH_WEB_PORT" in capsys.readouterr().out


def test_the_config_option_names_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "c.toml"
    file.write_text("[web]\nport = 7001\n")
    monkeypatch.setenv("CHURNWATCH_CONFIG", "")
    assert cli.run(["--config", str(file), "config", "show", "--json", "--changed"]) == 0
    assert json.loads(capsys.readouterr().out)["CHURNWATCH_WEB_PORT"] == {"value": "7001", "origin": "file"}


def test_version_names_what_it_stands_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["version", "--json"]) == 0
    assert set(version.PARTS) <= set(json.loads(capsys.readouterr().out))


def test_nothing_heavy_is_loaded_for_help() -> None:
    asked = "import sys, churnwatch.cli; print(*{'river', 'faust', 'confluent_kafka', 'numpy'} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""
