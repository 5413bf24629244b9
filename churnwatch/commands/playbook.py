"""`churnwatch playbook`: the playbook in force, and whether another would be right."""

from pathlib import Path
from typing import Annotated

import typer

from churnwatch.commands.options import Json
from churnwatch.settings_load import load_settings
from churnwatch.terminal import say, say_json, say_table
from streams.errors import ConfigError

app = typer.Typer(
    help="Show the playbook that alerts suggest actions from, and check one of your own.", no_args_is_help=True
)


@app.command()
def show(
    *,
    as_json: Json = False,
    as_toml: Annotated[
        bool, typer.Option("--toml", help="As it stands in its file, notes included: a start for one of your own.")
    ] = False,
) -> None:
    """Show the playbook in force: CHURNWATCH_PLAYBOOK_FILE, or the one that comes with Churnwatch.

    An alert's actions are those whose row fits it, ranked by strength times the weight of the reason that they answer; up to
    three are suggested. What is left out of a row ("any") fits all.

    Try:

    - `churnwatch playbook show --toml >playbook.toml` to begin one of your own

    - `churnwatch playbook show --json | jq '.plays[] | select(.budget_per_day)'`
    """
    from churnwatch.playbook_file import DEFAULT_NAME, playbook_text, read_playbook
    from churnwatch.playbook_told import ACTION_COLUMNS, WHEN_COLUMNS, action_rows, play_told, when_rows

    path = load_settings().playbook_file
    plays = read_playbook(path)
    name = DEFAULT_NAME if path is None else str(path)
    if as_toml:
        say(playbook_text(path).rstrip("\n"))
    elif as_json:
        say_json({"file": None if path is None else str(path), "plays": [play_told(play) for play in plays]})
    else:
        say_table(f"Actions of {name}", ACTION_COLUMNS, action_rows(plays))
        say_table("When they are suggested", WHEN_COLUMNS, when_rows(plays))


@app.command()
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A playbook, in TOML.", show_default=False)],
    *,
    as_json: Json = False,
) -> None:
    """Check a playbook before a worker reads it: ends with 1, a line for each fault, where it cannot be used.

    Workers read theirs when they start, so a new one takes a restart.

    Try:

    - `churnwatch playbook check playbook.toml && export CHURNWATCH_PLAYBOOK_FILE=$PWD/playbook.toml`
    """
    from churnwatch.playbook_file import read_playbook

    try:
        plays = read_playbook(file)
    except ConfigError as error:
        if not as_json:
            raise
        say_json({"ok": False, "problems": str(error).splitlines()})
        raise typer.Exit(1) from error
    actions = len({play.code for play in plays})
    if as_json:
        say_json({"ok": True, "actions": actions, "plays": len(plays)})
        return
    say(f"The playbook is right: {actions} actions, suggested in {len(plays)} cases.")
