"""`churnwatch uplift`: did acting on alerts help, treated against held out."""

import asyncio
import re
from typing import Annotated, Literal

import typer

from churnwatch.commands.options import Json
from churnwatch.settings_load import load_settings
from churnwatch.terminal import say_json
from streams.time import DAY_MS

MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


def uplift(
    *,
    by: Annotated[
        Literal["segment", "action", "reason"] | None,
        typer.Option(help="Compare within these as well, as they were when the alert was raised.", show_default=False),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="MONTH", help="Only trials that ended in this month (YYYY-MM) or later.", show_default=False
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Tell whether acting on alerts helped: customers warned about and treated, against those held out by lot.

    A customer's first alert begins a trial, which lasts as long as the horizon (`CHURNWATCH_HORIZON`): did they stay, what did they
    spend? Everybody counts in the group that the lot gave them, contacted or not, so the answer is fair, if slow.

    Try:

    - `churnwatch uplift`

    - `churnwatch uplift --by action --since 2026-01`

    - `churnwatch uplift --json | jq .all.verdict`
    """
    from churnwatch.ledger_read import read_ledger
    from churnwatch.uplift_told import report, say_report, told

    if since is not None and not MONTH.fullmatch(since):
        raise typer.BadParameter(f"--since {since}: give a month, like 2026-03")
    settings = load_settings()
    found = report(asyncio.run(read_ledger(settings)), settings.horizon_ms // DAY_MS, by, since)
    if as_json:
        say_json(told(found))
    else:
        say_report(found)
