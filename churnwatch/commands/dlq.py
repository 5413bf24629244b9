"""`churnwatch dlq`: what was refused, and trying it again."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from churnwatch.commands.options import Json
from churnwatch.settings import Settings
from churnwatch.settings_load import load_settings
from churnwatch.terminal import note, say, say_json, say_table

if TYPE_CHECKING:
    from churnwatch.dead_letters import Choice

app = typer.Typer(help="See refused events and play them again.", no_args_is_help=True)

Topic = Annotated[str | None, typer.Option(metavar="TOPIC", help="Only this topic's (its own name, or its .dlq).")]
Reason = Annotated[
    Literal["malformed", "invalid", "future", "late", "oversized", "mismatched_key", "refused", "undelivered"] | None,
    typer.Option(help="Only those refused for this."),
]


@app.command("list")
def list_letters(
    *,
    topic: Topic = None,
    reason: Reason = None,
    last: Annotated[int, typer.Option(min=0, max=1000, help="Show the last so many in full.")] = 10,
    as_json: Json = False,
) -> None:
    """Count refused events by topic and reason, and show the last of them.

    Try:

    - `churnwatch dlq list --reason invalid`

    - `churnwatch dlq list --json | jq .total`
    """
    from churnwatch.dead_letters import Tally, letters

    settings = load_settings()
    choice = _chosen(settings, topic, reason)

    async def count() -> Tally:
        tally = Tally(keep=last)
        async with aclosing(letters(settings, choice)) as chosen:
            async for letter in chosen:
                tally.add(letter)
        return tally

    tally = asyncio.run(count())
    if as_json:
        say_json(tally.shown())
        return
    if not tally.counts:
        say("No refused events.")
        return
    rows = [(of, why, count) for (of, why), count in sorted(tally.counts.items())]
    say_table(f"Refused events: {tally.counts.total()}", ("topic", "reason", "events"), rows)
    shown = [letter.shown() for letter in tally.last]
    columns = ("first_failed_at", "topic", "partition", "offset", "key", "reason", "message")
    if shown:
        say_table(f"The last {len(shown)}", columns, [[letter[name] for name in columns] for letter in shown])


@app.command("replay")
def replay_letters(
    *,
    topic: Topic = None,
    reason: Reason = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be played.")] = False,
    as_json: Json = False,
) -> None:
    """Publish refused events again to the topics they came from, after what was wrong has been put right.

    Safe to repeat: an event that was taken in meanwhile is recognised, one that is still bad is refused again.

    Try:

    - `churnwatch dlq replay --reason future --dry-run`

    - `CHURNWATCH_FUTURE_TOLERANCE=48h churnwatch worker`, and then `churnwatch dlq replay --reason future`

    - `churnwatch dlq replay --topic churn.alerts`, once the receiver takes them: alerts that `deliver` gave up
    """
    from churnwatch.dead_letters import replay

    settings = load_settings()
    tally = asyncio.run(replay(settings, _chosen(settings, topic, reason), dry_run=dry_run))
    if as_json:
        say_json({"dry_run": dry_run, "total": tally.counts.total(), "counts": tally.shown()["counts"]})
        return
    verb = "would be published" if dry_run else "published"
    for (of, why), count in sorted(tally.counts.items()):
        say(f"{of}: {count} {why} {verb} again")
    say(f"{tally.counts.total()} events {verb} again.")
    if tally.counts and not dry_run:
        note("They also stay in the dead-letter topics until retention removes them.")


def _chosen(settings: Settings, topic: str | None, reason: str | None) -> Choice:
    from churnwatch.dead_letters import Choice

    choice = Choice(topic, reason)
    if not choice.topics(settings):
        raise typer.BadParameter(f"{topic} is not an input topic nor that of the alerts, nor the dead letters of one")
    return choice
