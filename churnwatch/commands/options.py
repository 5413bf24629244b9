"""Options that several commands share, so that they read alike everywhere."""

from pathlib import Path
from typing import Annotated

import typer

from streams.time import parse_duration, parse_instant


def instant_ms(text: str) -> int:
    """Read an instant from the command line; wrong usage where it is none."""
    try:
        return parse_instant(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}") from error


def span_ms(option: str, text: str) -> int:
    """Read an option that is a span of time ("60d", "12h"); wrong usage where it is none."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(f"{option} {text}: {error}") from error


Json = Annotated[bool, typer.Option("--json", help="Answer in JSON, for a program to read.")]
Files = Annotated[
    list[Path],
    typer.Argument(
        exists=True,
        dir_okay=False,
        readable=True,
        metavar="FILE…",
        help="Events as JSON Lines, plain, .gz or .zst, with the field `stream`.",
        show_default=False,
    ),
]
CustomerId = Annotated[
    str, typer.Argument(metavar="ID", help="The customer's id, as in the events.", show_default=False)
]
"""An id that starts with a dash is given after `--`."""
