"""What commands say, and where: answers on standard output, progress and complaints on standard error.

On a terminal tables and progress are drawn with rich; elsewhere they are plain lines, never cut and never coloured,
so that a log file or `grep` can use them.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

PLAIN_EVERY_SECONDS: Final = 5.0
"""How often progress is reported where it cannot be redrawn."""


class Update(Protocol):
    """Called as work moves on: how much is done, what to say beside it, and how much there is in all, if known."""

    def __call__(self, done: float, said: str, of: float | None = None) -> None:
        """Show it."""


def say(line: str) -> None:
    """Write one line of the answer."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def note(line: str) -> None:
    """Write one line about the work, to standard error."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def say_json(value: Any) -> None:
    """Write one JSON document on a line of its own."""
    say(json.dumps(value, ensure_ascii=False))


def say_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a table: drawn on a terminal, padded columns elsewhere."""
    cells = [[str(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        table = Table(title=escape(title), title_justify="left", header_style="bold")
        for number, column in enumerate(columns):
            # Folded, never cut; the first names the row and is kept whole.
            table.add_column(escape(column), overflow="fold", no_wrap=number == 0)
        for row in cells:
            table.add_row(*map(escape, row))
        Console().print(table)
        return
    say(title)
    for line in plain_columns([list(columns), *cells]):
        say(line)


def plain_columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Pad cells so that columns stand under each other.

    >>> list(plain_columns([["a", "count"], ["topic", "3"]]))
    ['a      count', 'topic  3']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


@contextmanager
def progress(label: str, total: float | None = None) -> Iterator[Update]:
    """Show how far long work is, on standard error; gives the function to call as it moves on."""
    if sys.stderr.isatty():
        yield from _drawn(label, total)
    else:
        yield from _plain(label, total)


def _drawn(label: str, total: float | None) -> Iterator[Update]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[said]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=False) as bar:
        task = bar.add_task(escape(label), total=total, said="")

        def update(done: float, said: str, of: float | None = None) -> None:
            bar.update(task, completed=done, total=of or total, said=escape(said))

        yield update


def _plain(label: str, total: float | None) -> Iterator[Update]:
    last_said = time.monotonic()
    latest = ""

    def update(done: float, said: str, of: float | None = None) -> None:
        nonlocal last_said, latest
        whole = of or total
        share = f" {done / whole:4.0%}" if whole else ""
        latest = f"{label}:{share} {said}"
        if time.monotonic() - last_said >= PLAIN_EVERY_SECONDS:
            last_said = time.monotonic()
            note(latest)
            latest = ""

    yield update
    if latest:
        note(latest)
