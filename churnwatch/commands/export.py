"""`churnwatch export`: the star schema as Parquet files."""

import asyncio
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from churnwatch.commands.options import Json
from churnwatch.settings_load import load_settings
from churnwatch.terminal import note, progress, say, say_json, say_table

FIRST_DAY = date(1970, 1, 1)


def export(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="Where the files go: a new or empty folder, or that of an earlier export."),
    ],
    *,
    since: Annotated[
        str | None, typer.Option(metavar="DAY", help="Facts from that UTC day on (2026-03-01). [default: all]")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DAY", help="Facts before that UTC day. [default: up to now]")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the tables of the star schema as Parquet, one file a table: what `churnwatch bi load` keeps in PostgreSQL.

    It reads what Kafka holds now, once, and asks the learner's Redis for figures and models; it writes to neither. Files are replaced when
    all are whole, so nobody reads half of one. Customers, segments and days (the dimensions) are written whole, whatever
    the period. What the tables hold: docs/bi/index.md.

    Try:

    - `churnwatch export warehouse`

    - `churnwatch export march --since 2026-03-01 --until 2026-04-01`

    - `churnwatch export warehouse --json | jq .rows.fact_alert`
    """
    since_day, until_day = _day("--since", since), _day("--until", until)
    if since_day is not None and until_day is not None and until_day <= since_day:
        raise typer.BadParameter(f"--until {until} is not after --since {since}: no day lies between them")
    from churnwatch.export import Period
    from churnwatch.export import export as write

    settings = load_settings()
    with progress("Export") as update:
        exported = asyncio.run(write(settings, folder, Period(since_day, until_day), update))
    if exported.passed_over:
        note(f"{exported.passed_over:,} messages cannot be read and are left out; the first: {exported.first_problem}")
    if as_json:
        say_json(
            {
                "folder": str(folder),
                "rows": exported.rows,
                "messages": exported.messages,
                "passed_over": exported.passed_over,
            }
        )
        return
    say_table("Exported", ["file", "rows"], [(f"{name}.parquet", f"{rows:,}") for name, rows in exported.rows.items()])
    say(f"{exported.messages:,} messages read; the files are in {folder}")


def _day(option: str, text: str | None) -> int | None:
    """Read a UTC day as a day number; wrong usage where it is none."""
    if text is None:
        return None
    try:
        return (date.fromisoformat(text) - FIRST_DAY).days
    except ValueError as error:
        raise typer.BadParameter(f"{option} {text}: give a day like 2026-03-01") from error
