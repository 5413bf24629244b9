"""`churnwatch kpi`: goals and steering."""

import asyncio
from enum import StrEnum
from typing import Annotated

import typer

from churnwatch.commands.options import Json
from churnwatch.settings_load import load_settings
from churnwatch.terminal import say, say_json

MONTHS_MAX = 60

By = StrEnum("By", ["segment", "reason", "cohort", "department"])


def kpi(
    *,
    by: Annotated[By | None, typer.Option(help="Told by what; a department gets what concerns it.")] = None,
    months: Annotated[
        int, typer.Option(min=1, max=MONTHS_MAX, help="The latest so many months that anything was booked in.")
    ] = 3,
    as_json: Json = False,
) -> None:
    """Tell retention, precision, lead time, action taken, value saved and expected revenue, against the targets set.

    Targets are settings (`CHURNWATCH_TARGET_RETENTION=0.7`, chapter Goals of docs/settings.md); without one there is no verdict.
    What each figure means, and how far to trust it: docs/alerts.md, section 8. Fewer than 30 cases give no figure, but `too few`.

    Try:

    - `churnwatch kpi --by segment`

    - `churnwatch kpi --by department --months 12`

    - `churnwatch kpi --by cohort --json | jq .cohort.cohorts`
    """
    from alerts.kpi_sums import By as Groups
    from churnwatch.kpi import by_group, overall, steering
    from churnwatch.kpi_departments import DEPARTMENTS
    from churnwatch.kpi_view import say_view
    from churnwatch.ledger_read import read_ledger
    from streams.time import DAY_MS

    settings = load_settings()
    ledger = asyncio.run(read_ledger(settings))
    found = steering(ledger, settings.goals(), settings.horizon_ms // DAY_MS, months)
    groups: dict[By, Groups] = {By.segment: "segment", By.reason: "reason", By.cohort: "cohort"}
    if by is None:
        views = [overall(found)]
    elif by in groups:
        views = [by_group(found, groups[by])]
    else:
        views = [view(found) for view in DEPARTMENTS.values()]
    if as_json:
        say_json({"months": list(found.months)} | {view.name: view.plain() for view in views})
        return
    for view in views:
        if len(views) > 1:
            say(f"\n== {view.name.upper()} ==")
        say_view(view)
