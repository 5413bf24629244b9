"""Write docs/reference/commands.md from the command line itself; with --check only say whether it is current.

    python -m churnwatch.command_docs [--check] [FILE]

Exit code 0: written, or current. 1: out of date, or the file cannot be written.
"""

import inspect
import sys
from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

import typer.main

from churnwatch.cli import app
from churnwatch.written_page import write_or_check

PAGE: Final = Path(__file__).parent.parent / "docs" / "reference" / "commands.md"

PLAIN: Final = {int: "a whole number", float: "a number", str: "text", Path: "a file"}

HEAD: Final = """# Commands

<!-- Written by `python -m churnwatch.command_docs` from the command line itself. Edit churnwatch/commands/ instead. -->

`churnwatch COMMAND --help` says the same on a terminal. Options that every command takes stand before its name: `churnwatch --config FILE COMMAND`.
Long work shows its progress on a terminal, and plain lines elsewhere.

| exit code | means |
| --- | --- |
| 0 | done |
| 1 | it failed: one line on standard error says why and what to do |
| 2 | wrong usage |
| 130 | interrupted |
"""


def page() -> str:
    """Return the whole page in Markdown."""
    root: Any = typer.main.get_command(app)
    sections = [HEAD, *_options("Options of every command", root)]
    for words, command in commands(root):
        sections += _section(words, command)
    return "\n".join(sections)


def commands(command: Any, words: tuple[str, ...] = ("churnwatch",)) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command that does something, with the words that call it, by name."""
    children = getattr(command, "commands", None)
    if not children:
        yield words, command
        return
    for name in sorted(children):
        if not children[name].hidden:
            yield from commands(children[name], (*words, name))


def _section(words: tuple[str, ...], command: Any) -> Iterator[str]:
    arguments = " ".join(_metavar(p) for p in command.params if p.param_type_name == "argument")
    yield f"## {' '.join(words)}\n"
    yield f"`{' '.join([*words, arguments]).strip()}`\n"
    yield inspect.cleandoc(command.help or "").replace("\f", "") + "\n"
    yield from _options("", command)


def _options(title: str, command: Any) -> Iterator[str]:
    shown = [p for p in command.params if p.name != "help" and not getattr(p, "hidden", False)]
    if not shown:
        return
    if title:
        yield f"## {title}\n"
    yield "| option | takes | default | meaning |"
    yield "| --- | --- | --- | --- |"
    for parameter in shown:
        cells = (_names(parameter), _takes(parameter), _default(parameter), getattr(parameter, "help", None) or "")
        yield f"| {' | '.join(map(cell, cells))} |".replace("|  |", "| |")
    yield ""


def cell(text: str) -> str:
    """Return a text as a table's cell holds it."""
    return " ".join(text.replace("|", "\\|").split())


def _names(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{_metavar(parameter)}`"
    names = [*parameter.opts, *parameter.secondary_opts]
    return ", ".join(f"`{name}`" for name in sorted(names, key=lambda name: (not name.startswith("--"), name)))


def _metavar(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _takes(parameter: Any) -> str:
    if getattr(parameter, "is_flag", False):
        return ""
    kind = parameter.type_descriptor.annotation
    (kind,) = get_args(kind) if get_origin(kind) is list else (kind,)
    if parameter.param_type_name == "argument":
        taken = "one or more" if parameter.nargs == -1 else "one"
    elif get_origin(kind) is Literal:
        taken = ", ".join(f"`{choice}`" for choice in get_args(kind))
    elif isinstance(kind, type) and issubclass(kind, Enum):
        taken = ", ".join(f"`{choice.value}`" for choice in kind)
    else:
        taken = f"`{parameter.metavar}`" if parameter.metavar else PLAIN[kind]
    low, high = getattr(parameter, "min", None), getattr(parameter, "max", None)
    bounds = (f" from {low:g}" if low is not None else "") + (f" to {high}" if high is not None else "")
    return taken + bounds + (", repeatable" if getattr(parameter, "multiple", False) else "")


def _default(parameter: Any) -> str:
    shown = getattr(parameter, "show_default", None)
    if isinstance(shown, str):
        return shown
    value = parameter.default
    return f"`{value}`" if shown and isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the page; returns the exit code."""
    return write_or_check("churnwatch.command_docs", PAGE, page, arguments)


if __name__ == "__main__":
    sys.exit(main())
