"""`churnwatch playbook`: what is in force, and whether another would do."""

import json
from pathlib import Path

import pytest

from churnwatch import cli
from churnwatch.playbook_file import playbook_text, read_playbook

BAD = "[offer]\ntitle = 3\nchannel = 'fax'\nwhen = [{strength = 1, why = '{evidence}'}]\n"


@pytest.fixture(autouse=True)
def _default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHURNWATCH_PLAYBOOK_FILE", raising=False)
    monkeypatch.setenv("CHURNWATCH_DEBUG", "off")


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = cli.run(["playbook", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_one_in_force_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "show")
    assert code == 0
    for play in read_playbook(None):
        assert play.title in out
        assert play.why in out


def test_programs_can_read_it(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "show", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["file"] is None
    assert [play["code"] for play in told["plays"]] == [play.code for play in read_playbook(None)]


def test_what_is_printed_as_toml_is_the_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, out, _ = run(capsys, "show", "--toml")
    assert out == playbook_text(None)
    mine = tmp_path / "mine.toml"
    mine.write_text(out.replace("Call the customer", "Ring them up"))
    monkeypatch.setenv("CHURNWATCH_PLAYBOOK_FILE", str(mine))
    code, out, _ = run(capsys, "show")
    assert code == 0
    assert str(mine) in out
    assert "Ring them up" in out


def test_a_good_file_is_said_to_be_right(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    good = tmp_path / "good.toml"
    good.write_text(playbook_text(None))
    actions = len({play.code for play in read_playbook(None)})
    assert run(capsys, "check", str(good))[:2] == (
        0,
        f"The playbook is right: {actions} actions, suggested in {len(read_playbook(None))} cases.\n",
    )
    assert json.loads(run(capsys, "check", str(good), "--json")[1])["ok"] is True


def test_all_faults_of_a_bad_one_are_told_and_it_ends_with_1(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text(BAD)
    code, out, err = run(capsys, "check", str(bad))
    assert (code, out) == (1, "")
    assert err.count(str(bad)) == 2
    assert "'fax' is not allowed; it takes email, call" in err
    code, out, err = run(capsys, "check", str(bad), "--json")
    told = json.loads(out)
    assert (code, err, told["ok"], len(told["problems"])) == (1, "", False, 2)


def test_a_worker_ends_with_one_line_before_it_looks_at_anything(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text(BAD)
    monkeypatch.setenv("CHURNWATCH_PLAYBOOK_FILE", str(bad))
    assert cli.run(["worker"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"churnwatch: CHURNWATCH_PLAYBOOK_FILE: {bad}: offer, title")
