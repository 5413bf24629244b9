"""The reference pages are what the code says."""

from pathlib import Path

import pytest
import typer.main

from churnwatch import command_docs, format_docs
from churnwatch.cli import app
from churnwatch.format_meanings import EVENTS, EVERY_EVENT, OUTPUTS
from churnwatch.schemas import event_schema, output_schemas
from streams.forms import FORMS


def test_the_page_on_commands_is_current(tmp_path: Path) -> None:
    assert command_docs.PAGE.read_text() == command_docs.page(), "run `python -m churnwatch.command_docs`"
    assert command_docs.main(["--check", str(tmp_path / "commands.md")]) == 1
    assert command_docs.main([str(tmp_path / "commands.md")]) == 0


def test_every_command_and_option_says_what_it_is() -> None:
    for words, command in command_docs.commands(typer.main.get_command(app)):
        assert command.help, words
        assert [p.name for p in command.params if not p.help and not getattr(p, "hidden", False)] == [], words


@pytest.mark.parametrize("name", format_docs.PAGES)
def test_the_pages_on_formats_are_current(name: str, tmp_path: Path) -> None:
    assert (format_docs.FOLDER / name).read_text() == format_docs.PAGES[name](), (
        "run `python -m churnwatch.format_docs`"
    )
    assert format_docs.main(["--check", str(tmp_path)]) == 1
    assert format_docs.main([str(tmp_path)]) == 0


def test_every_field_has_a_meaning() -> None:
    for stream, form in FORMS.items():
        assert set(event_schema(form)["properties"]) == {*EVERY_EVENT, *EVENTS[stream]}
    schemas = output_schemas()
    assert {name: set(schema["properties"]) for name, schema in schemas.items()} == {
        name: set(meanings) for name, meanings in OUTPUTS.items()
    }
