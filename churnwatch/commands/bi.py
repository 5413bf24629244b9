"""`churnwatch bi`: a star schema in PostgreSQL, for FineBI, Tableau, Power BI and whoever asks in SQL."""

from typing import Annotated

import typer

from churnwatch.commands.options import Json
from churnwatch.settings import Settings
from churnwatch.settings_load import load_settings
from churnwatch.terminal import say, say_json
from streams.errors import ConfigError

app = typer.Typer(help="Keep a star schema in PostgreSQL for BI tools.", no_args_is_help=True)


@app.command()
def load(
    *,
    once: Annotated[bool, typer.Option("--once", help="Load what there is now, and end.")] = False,
    web_port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, metavar="PORT", help="Where /metrics and /healthz are served; not with --once."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Fill the schema at CHURNWATCH_BI_URL from Kafka as messages come, until Ctrl-C; it is made where there is none.

    What is read is written down in the database, in the same transaction as the rows: kill it at any moment, and the next one goes
    on as if nothing had been. A second one waits for the first. Messages that cannot be read are counted and passed over.

    Try:

    - `CHURNWATCH_BI_URL=postgresql://churnwatch:…@db.example/bi churnwatch bi load`

    - `churnwatch bi load --once`, every night from cron, say
    """
    settings = load_settings(**({} if web_port is None else {"bi_port": web_port}))
    check_extra()
    from churnwatch.bi import load_once, run_load, where

    if not once:
        raise typer.Exit(run_load(settings))
    loaded, passed_over = load_once(settings)
    if as_json:
        say_json({"schema": settings.bi_schema, "messages": loaded, "passed_over": passed_over})
    else:
        say(f"{loaded:,} messages loaded into {where(settings)}, {passed_over:,} of them passed over.")


@app.command()
def schema(
    *,
    show: Annotated[bool, typer.Option("--print", help="Only write the statements to standard output.")] = False,
) -> None:
    """Make schema, tables and views, for whoever wants to grant rights before the first row is there.

    Try:

    - `churnwatch bi schema`

    - `churnwatch bi schema --print | less`
    """
    settings = load_settings()
    if show:
        say(_statements(settings))
        return
    check_extra()
    from churnwatch.bi import make_schema, where

    made = make_schema(settings)
    say(f"{'Made' if made else 'Already there:'} {where(settings)}.")


def _statements(settings: Settings) -> str:
    from bi.schema_files import tables_sql, views_sql

    head = f'CREATE SCHEMA IF NOT EXISTS "{settings.bi_schema}";\nSET search_path TO "{settings.bi_schema}";\n'
    return f"{head}\n{tables_sql()}\n{views_sql()}"


def check_extra() -> None:
    """Raise ConfigError where the libraries for PostgreSQL are not installed."""
    try:
        import psycopg  # noqa: F401 - whether it is there is all that is asked
    except ImportError as error:
        raise ConfigError(f"PostgreSQL needs a library ({error}): pip install 'churnwatch[bi]'") from error
