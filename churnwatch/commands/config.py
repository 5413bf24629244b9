"""`churnwatch config`: the settings as they are, and whether they are right."""

from typing import Annotated

import typer

from churnwatch.commands.options import Json
from churnwatch.settings import Settings
from churnwatch.settings_fields import describe
from churnwatch.settings_load import load_settings, origin, shown
from churnwatch.settings_sources import public_name
from churnwatch.terminal import say, say_json, say_table
from streams.errors import ConfigError

app = typer.Typer(help="Show and check the settings.", no_args_is_help=True)


@app.command()
def show(
    *,
    as_json: Json = False,
    changed: Annotated[bool, typer.Option("--changed", help="Only those that are not at their default.")] = False,
) -> None:
    """Show every setting, its value and where it comes from; secrets are masked.

    Try:

    - `churnwatch config show --changed`

    - `churnwatch config show --json | jq .CHURNWATCH_KAFKA_BOOTSTRAP.value`
    """
    settings = load_settings()
    fields = [field for field in Settings.model_fields if not changed or origin(field) != "default"]
    values = {field: shown(field, getattr(settings, field)) for field in fields}
    if as_json:
        say_json({public_name(field): {"value": values[field], "origin": origin(field)} for field in fields})
        return
    for group in dict.fromkeys(describe(Settings.model_fields[field])[0] for field in fields):
        chapter = [field for field in fields if describe(Settings.model_fields[field])[0] == group]
        say_table(
            group,
            ("setting", "value", "from", "meaning"),
            [(public_name(f), values[f], origin(f), describe(Settings.model_fields[f])[2]) for f in chapter],
        )


@app.command()
def check(*, as_json: Json = False) -> None:
    """Check the settings without touching anything: ends with 1, a line for each fault, where they are wrong.

    Whether the services behind them answer is for `churnwatch doctor` to say.
    """
    try:
        load_settings()
    except ConfigError as error:
        if not as_json:
            raise
        say_json({"ok": False, "problems": str(error).splitlines()})
        raise typer.Exit(1) from error
    count = sum(origin(field) != "default" for field in Settings.model_fields)
    if as_json:
        say_json({"ok": True, "changed": count})
        return
    say(f"The settings are right: {count} set, {len(Settings.model_fields) - count} at their default.")
