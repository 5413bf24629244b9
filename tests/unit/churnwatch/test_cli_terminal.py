"""What is said where nobody draws: plain lines, whole, and not too many of them."""

import json
import sys

import pytest

from churnwatch import terminal


def test_a_table_is_padded_and_nothing_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.say_table("Title", ("a", "b"), [("x" * 300, 1), ("[y]", "")])
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["Title", "a" + " " * 301 + "b", "x" * 300 + "  1", "[y]"]


def test_json_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.say_json({"a": "ä\n"})
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out) == {"a": "ä\n"}


def test_progress_says_the_last_thing_only_unless_work_takes_long(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter((0.0, 1.0, 2.0, 9.0, 9.0, 10.0))
    monkeypatch.setattr("churnwatch.terminal.time.monotonic", lambda: next(seconds))
    with terminal.progress("Work", 10) as update:
        update(1, "one")
        update(2, "two")
        update(5, "five")
        update(10, "ten")
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "Work:  50% five\nWork: 100% ten\n"


def test_progress_without_a_total_says_no_share(capsys: pytest.CaptureFixture[str]) -> None:
    with terminal.progress("Work") as update:
        update(3, "three")
    assert capsys.readouterr().err == "Work: three\n"


def test_tables_and_progress_are_drawn_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    terminal.say_table("Title", ("a",), [("[bold]not markup",)])
    with terminal.progress("Work", 2) as update:
        update(2, "done", 4)
    said = capsys.readouterr()
    assert "[bold]not markup" in said.out
    assert "┃" in said.out
    assert "done" in said.err
