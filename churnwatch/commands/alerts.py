"""`churnwatch alerts`: read the alerts, once or as they come."""

import asyncio
from collections.abc import Iterable
from contextlib import aclosing
from enum import StrEnum
from typing import Annotated

import typer

from alerts.alert import Alert, decode
from churnwatch.alert_list import COLUMNS, Filter, Newest, owner_of, row
from churnwatch.commands.options import Json, instant_ms
from churnwatch.settings_load import load_settings
from churnwatch.terminal import note, say, say_table
from streams.errors import StateError

LIMIT_MAX = 100_000

# Enumerations, for typer repeats no option that takes a Literal.
Band = StrEnum("Band", ["watch", "high", "critical"])
Segment = StrEnum("Segment", ["new", "standard", "loyal", "high_value"])
Kind = StrEnum("Kind", ["opened", "escalated", "resolved", "churned"])


def alerts(
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as they come, until Ctrl-C.")] = False,
    since: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="Only those raised from then on (2011-12-01T00:00:00Z).")
    ] = None,
    band: Annotated[
        list[Band] | None, typer.Option(help="Only this band; may be repeated, like the next three.")
    ] = None,
    segment: Annotated[list[Segment] | None, typer.Option(help="Only this segment.")] = None,
    kind: Annotated[list[Kind] | None, typer.Option(help="Only this kind.")] = None,
    owner: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only customers whose profile names this owner.")
    ] = None,
    customer: Annotated[str | None, typer.Option(metavar="ID", help="Only this customer's.")] = None,
    limit: Annotated[int, typer.Option(min=0, max=LIMIT_MAX, help="The newest so many.")] = 50,
    as_json: Json = False,
) -> None:
    """List the newest alerts, oldest of them first; with --json the messages as published, one a line.

    Try:

    - `churnwatch alerts --band critical --kind opened`

    - `churnwatch alerts --follow --owner sales-north --segment loyal --segment high_value`

    - `churnwatch alerts --follow --json | jq -r .customer_id`
    """
    wanted = Filter(
        instant_ms(since) if since else None,
        frozenset(band or ()),
        frozenset(segment or ()),
        frozenset(kind or ()),
        frozenset(owner or ()),
        customer,
    )
    asyncio.run(_list(wanted, limit, follow=follow, as_json=as_json))


async def _list(wanted: Filter, limit: int, *, follow: bool, as_json: bool) -> None:
    from churnwatch.topic_reader import read_topics

    settings = load_settings()
    topic = settings.topics().alerts
    newest: Newest | None = Newest(limit)
    unreadable = 0
    async with aclosing(read_topics(settings, [topic], follow=follow)) as records:
        async for record in records:
            if record is None:
                _say_all(newest or (), as_json=as_json)
                newest = None
                continue
            try:
                alert = decode(record.value or b"")
            except StateError:
                unreadable += 1
                continue
            if not wanted.keeps(alert, owner_of(record.headers)):
                continue
            if newest is None:
                _say_one(alert, record.value, as_json=as_json)
            else:
                newest.add(alert, record.value)
    if unreadable:
        note(f"{unreadable} messages on {topic} are no alerts that this program can read")


def _say_all(newest: Iterable[tuple[Alert, bytes]], *, as_json: bool) -> None:
    if not as_json:
        say_table("Alerts", COLUMNS, [row(alert) for alert, _ in newest])
        return
    for alert, value in newest:
        _say_one(alert, value, as_json=True)


def _say_one(alert: Alert, value: bytes, *, as_json: bool) -> None:
    say(value.decode() if as_json else "  ".join(row(alert)))
