"""`churnwatch topics`: create the topics, or check that they fit together."""

import asyncio

import typer

from churnwatch.commands.options import Json
from churnwatch.settings_load import load_settings
from churnwatch.terminal import note, say, say_json, say_table

app = typer.Typer(help="Create and check the topics.", no_args_is_help=True)


@app.command()
def create(*, as_json: Json = False) -> None:
    """Create the topics that are missing: inputs, alerts, scores, examples and dead letters.

    How many partitions and copies is set by CHURNWATCH_TOPIC_PARTITIONS and CHURNWATCH_TOPIC_REPLICATION. Partitions are
    the unit of scale, and cannot be changed later without rebuilding the state: choose enough.

    Try:

    - `CHURNWATCH_TOPIC_PARTITIONS=24 CHURNWATCH_TOPIC_REPLICATION=3 churnwatch topics create`
    """
    from churnwatch.topic_layout import create as create_topics

    created = asyncio.run(create_topics(load_settings()))
    if as_json:
        say_json({"created": created})
        return
    for name in created:
        say(f"created {name}")
    say(f"{len(created)} topics created." if created else "All topics exist; nothing was changed.")


@app.command()
def check(*, as_json: Json = False) -> None:
    """Check that the topics exist and that all inputs have the same number of partitions; ends with 1 where not.

    Try:

    - `churnwatch topics check --json | jq '.topics[] | select(.status != "ok")'`
    """
    from churnwatch.kafka import describe
    from churnwatch.topic_layout import layout

    settings = load_settings()
    states = layout(settings.topics(), asyncio.run(describe(settings)))
    bad = [state for status in ("wrong", "missing") for state in states if state.status == status]
    if as_json:
        fields = ("name", "partitions", "wanted", "status", "advice")
        say_json({"ok": not bad, "topics": [{name: getattr(state, name) for name in fields} for state in states]})
    else:
        rows = [(s.name, "-" if s.partitions is None else s.partitions, s.status, s.advice) for s in states]
        say_table("Topics", ("topic", "partitions", "status", "what to do"), rows)
    if bad:
        named = ", ".join(f"{state.name} ({state.partitions or 'missing'})" for state in bad)
        note(f"churnwatch: topics are not as they must be: {named}; {bad[0].advice}")
        raise typer.Exit(1)
